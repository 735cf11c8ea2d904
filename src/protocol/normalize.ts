/**
 * Making clean entries of what cannot be kept byte for byte (`irregular` in
 * frame.ts): invalid events are left out, missing times become the arrival time,
 * times that fluentd cannot read become EventTime, elements behind a record go,
 * and the metadata of Message mode moves into its entry. Regular entries are
 * copied as they are.
 */

import { encodeEventTime } from './encode.ts';
import { EntryParts, entryLevels, readEntry } from './entries.ts';
import { type EventTime, readTime, TIME_FORM, TimeReading } from './event-time.ts';
import { type Frame, type FrameLimits, MODE } from './frame.ts';
import { INCOMPLETE } from './msgpack.ts';

const PAIR = Buffer.of(0x92);

/**
 * The valid entries of an irregular frame, end to end: `frame.count` of them, in
 * Message mode with the 0x92 before each. A body of another signal is left alone.
 */
export function normalizeFrame(
  buf: Buffer,
  frame: Frame,
  arrival: EventTime,
  limits: FrameLimits,
): Buffer {
  if (frame.mode !== MODE.message) {
    return normalizeEntries(buf, frame.body_start, frame.body_end, arrival, limits);
  }
  if (frame.count === 0) return Buffer.alloc(0);
  const { body_start, body_end, metadata_start, metadata_end } = frame;
  const reading = new TimeReading();
  const record = readTime(buf, body_start, body_end, limits.nesting_max_levels, reading);
  const time = usableTime(buf.subarray(body_start, record), reading, arrival);
  const metadata = metadata_start < 0 ? undefined : buf.subarray(metadata_start, metadata_end);
  return Buffer.concat(entry(time, metadata, buf.subarray(record, body_end)));
}

/**
 * The valid ones of the entries in `buf[start..end)`. Bytes behind the last whole
 * entry are left out.
 */
export function normalizeEntries(
  buf: Buffer,
  start: number,
  end: number,
  arrival: EventTime,
  limits: FrameLimits,
): Buffer {
  const pieces: Buffer[] = [];
  const parts = new EntryParts();
  const levels = entryLevels(limits);
  let kept_from = start;
  let at = start;
  while (at < end) {
    const next = readEntry(buf, at, end, levels, parts);
    if (next === INCOMPLETE) break;
    if (!isRegular(parts)) {
      pieces.push(buf.subarray(kept_from, at));
      if (parts.valid) pieces.push(...rewrite(buf, parts, arrival));
      kept_from = next;
    }
    at = next;
  }
  pieces.push(buf.subarray(kept_from, at));
  return Buffer.concat(pieces);
}

function isRegular(parts: EntryParts): boolean {
  const { form } = parts.time;
  return parts.valid && !parts.extra && (form === TIME_FORM.kept || form === TIME_FORM.marker);
}

function rewrite(buf: Buffer, parts: EntryParts, arrival: EventTime): Buffer[] {
  const sent = buf.subarray(parts.time_start, parts.time_end);
  const metadata =
    parts.metadata_start < 0 ? undefined : buf.subarray(parts.metadata_start, parts.metadata_end);
  const record = buf.subarray(parts.record_start, parts.record_end);
  return entry(usableTime(sent, parts.time, arrival), metadata, record);
}

function usableTime(sent: Buffer, reading: TimeReading, arrival: EventTime): Buffer {
  if (reading.form === TIME_FORM.missing) return encodeEventTime(arrival);
  return reading.form === TIME_FORM.rewritten ? encodeEventTime(reading) : sent;
}

function entry(time: Buffer, metadata: Buffer | undefined, record: Buffer): Buffer[] {
  return metadata === undefined ? [PAIR, time, record] : [PAIR, PAIR, time, metadata, record];
}
