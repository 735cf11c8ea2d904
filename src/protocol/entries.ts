/**
 * Walking entries that lie end to end in a buffer (formats.md 1.2):
 *
 *     [time, record]                 array of 2, times as in event-time.ts, record a map
 *     [[time, metadata], record]     the form of Fluent Bit >= 5.0.5
 *
 * What else stands at an entry's place is an invalid event: it is counted and
 * left out by normalize.ts. Elements behind the record make an entry irregular:
 * they are left out too, as every receiver does.
 */
import { ATTR } from './codec.ts';
import { MARKER_SECONDS_MIN, readTime, TIME_FORM, TimeReading } from './event-time.ts';
import type { FrameLimits } from './frame.ts';
import { headerBytes, INCOMPLETE, isArray, isMap, lengthAt, skipItems, u32 } from './msgpack.ts';
import { limitError } from './protocol-error.ts';

/** What is known about some entries. A `Frame` is one too. */
export interface EntryTally {
  /** Valid entries, group markers among them. */
  count: number;
  invalid: number;
  /** Over the times from 1 to 2^32 - 1 s; 0 and 0 without one. */
  time_min_s: number;
  time_max_s: number;
  /** `ATTR.metadata` and `ATTR.group_markers` where they were seen. */
  attrs: number;
  /** The entries cannot be kept byte for byte: see normalize.ts. */
  irregular: boolean;
}

export const emptyTally = (): EntryTally => ({
  count: 0,
  invalid: 0,
  time_min_s: 0,
  time_max_s: 0,
  attrs: 0,
  irregular: false,
});

export function clearTally(tally: EntryTally): void {
  tally.count = 0;
  tally.invalid = 0;
  tally.time_min_s = 0;
  tally.time_max_s = 0;
  tally.attrs = 0;
  tally.irregular = false;
}

/** Where the parts of one entry are; reused between calls. -1 where it has no such part. */
export class EntryParts {
  readonly time = new TimeReading();
  valid = false;
  /** Elements stand behind the record. */
  extra = false;
  time_start = -1;
  time_end = -1;
  metadata_start = -1;
  metadata_end = -1;
  record_start = -1;
  record_end = -1;
}

/**
 * An entry's own levels: two stand around it in Forward mode, the message and the list of entries.
 */
export const entryLevels = (limits: FrameLimits): number => limits.nesting_max_levels - 2;

/**
 * Finds the parts of the entry at `pos`. Returns the offset behind it or INCOMPLETE.
 * An object that is no valid entry is skipped whole, with `parts.valid` false.
 *
 * @throws LB_PROTOCOL_SYNTAX for bytes that are no MessagePack, LB_PROTOCOL_LIMIT for more than
 *   `levels`
 */
export function readEntry(
  buf: Buffer,
  pos: number,
  end: number,
  levels: number,
  parts: EntryParts,
): number {
  parts.valid = false;
  const next = skipItems(buf, pos, end, 1, levels);
  if (next === INCOMPLETE) return INCOMPLETE;
  const lead = buf[pos] as number;
  if (!isArray(lead) || lengthAt(buf, pos) < 2) return next;
  let at = readEntryTime(buf, pos + headerBytes(lead), next, levels, parts);
  if (parts.time.form === TIME_FORM.invalid || !isMap(buf[at] as number)) return next;
  parts.record_start = at;
  at = skipItems(buf, at, next, 1, levels);
  parts.record_end = at;
  parts.extra = at !== next;
  parts.valid = true;
  return next;
}

/** The first element of a whole entry: a time, or a time and metadata in an array of their own. */
function readEntryTime(
  buf: Buffer,
  pos: number,
  end: number,
  levels: number,
  parts: EntryParts,
): number {
  const lead = buf[pos] as number;
  const nested = isArray(lead) && lengthAt(buf, pos) === 2;
  parts.time_start = nested ? pos + headerBytes(lead) : pos;
  parts.time_end = readTime(buf, parts.time_start, end, levels, parts.time);
  parts.metadata_start = -1;
  parts.metadata_end = -1;
  if (!nested) return parts.time_end;
  const next = skipItems(buf, parts.time_end, end, 1, levels);
  if (isMap(buf[parts.time_end] as number)) {
    parts.metadata_start = parts.time_end;
    parts.metadata_end = next;
  } else {
    parts.time.form = TIME_FORM.invalid;
  }
  return next;
}

/** Walks entries within limits. Holds no state between calls. */
export class EntryWalk {
  readonly #limits: FrameLimits;
  readonly #levels: number;
  readonly #parts = new EntryParts();

  constructor(limits: FrameLimits) {
    this.#limits = limits;
    this.#levels = entryLevels(limits);
  }

  /**
   * Walks up to `entries_max` whole entries from `start` on and adds them to `tally`.
   * Returns the offset behind the last one: less than `end` when the next goes on behind it.
   */
  walk(buf: Buffer, start: number, end: number, entries_max: number, tally: EntryTally): number {
    const entries_end = tally.count + tally.invalid + entries_max;
    let at = start;
    while (at < end && tally.count + tally.invalid < entries_end) {
      const next = this.#walkOne(buf, at, end, tally);
      if (next === INCOMPLETE) break;
      this.#checkEvent(next - at);
      at = next;
    }
    return at;
  }

  /**
   * As `walk` over everything: bytes behind the last whole entry are an entry that
   * was cut off; it counts as invalid.
   */
  walkAll(buf: Buffer, start: number, end: number, tally: EntryTally): void {
    const at = this.walk(buf, start, end, Number.POSITIVE_INFINITY, tally);
    if (at === end) return;
    tally.invalid += 1;
    tally.irregular = true;
  }

  #checkEvent(bytes: number): void {
    const max = this.#limits.event_max_bytes;
    if (bytes > max)
      throw limitError('an event is too large', `${bytes} > ${max} bytes`, 'event_max_bytes');
  }

  /**
   * `92 d7 00 <seconds> <nanoseconds> 8x` or, with empty metadata, `92 92 d7 00 ... 80 8x`:
   * nearly every entry there is. All others go the long way.
   */
  #walkOne(buf: Buffer, pos: number, end: number, tally: EntryTally): number {
    if (pos + 13 < end && buf[pos] === 0x92) {
      const nested = buf[pos + 1] === 0x92 && buf[pos + 12] === 0x80;
      const time = nested ? pos + 2 : pos + 1;
      const record = nested ? pos + 13 : pos + 11;
      const record_lead = buf[record] as number;
      if (buf[time] === 0xd7 && buf[time + 1] === 0 && (record_lead & 0xf0) === 0x80) {
        const seconds = u32(buf, time + 2);
        if (seconds > 0 && seconds < MARKER_SECONDS_MIN) {
          const items = (record_lead & 0x0f) * 2;
          const next = skipItems(buf, record + 1, end, items, this.#levels - 2);
          if (next === INCOMPLETE) return INCOMPLETE;
          tally.count += 1;
          if (nested) tally.attrs |= ATTR.metadata;
          noteTime(tally, seconds);
          return next;
        }
      }
    }
    return this.#walkUnusual(buf, pos, end, tally);
  }

  #walkUnusual(buf: Buffer, pos: number, end: number, tally: EntryTally): number {
    const parts = this.#parts;
    const next = readEntry(buf, pos, end, this.#levels, parts);
    if (next === INCOMPLETE) return INCOMPLETE;
    if (parts.valid) {
      tally.count += 1;
      noteReading(tally, parts.time);
      if (parts.metadata_start >= 0) tally.attrs |= ATTR.metadata;
      if (parts.extra) tally.irregular = true;
    } else {
      tally.invalid += 1;
      tally.irregular = true;
    }
    return next;
  }
}

/** Adds an event's time to the range. */
export function noteTime(tally: EntryTally, seconds: number): void {
  if (tally.time_max_s === 0) {
    tally.time_min_s = seconds;
    tally.time_max_s = seconds;
  } else if (seconds > tally.time_max_s) {
    tally.time_max_s = seconds;
  } else if (seconds < tally.time_min_s) {
    tally.time_min_s = seconds;
  }
}

/** Adds a time of any form: only a time that says something enters the range. */
export function noteReading(tally: EntryTally, time: TimeReading): void {
  if (time.form === TIME_FORM.marker) {
    tally.attrs |= ATTR.group_markers;
    return;
  }
  if (time.form !== TIME_FORM.kept) tally.irregular = true;
  if (time.seconds >= 1 && time.seconds <= 0xffffffff) noteTime(tally, time.seconds);
}
