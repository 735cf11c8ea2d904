/**
 * The time of an event, in every form that clients send (formats.md 1.3).
 *
 *     form                                  what becomes of it
 *     EventTime: ext type 0 of 8 bytes      kept
 *     integer, also negative                kept
 *     nil, 0, EventTime of 0 s              missing: the arrival time takes its place
 *     float                                 rewritten as EventTime (fluentd would drop the event)
 *     timestamp: ext type -1                rewritten as EventTime (fluentd cannot read it)
 *     EventTime ffffffff or fffffffe, 0 ns  a group marker of Fluent Bit, kept
 *     anything else                         no time: the event is invalid
 *
 *     EventTime   | d7 | 00 | seconds u32 | nanoseconds u32 |       10 bytes
 *     or          | c7 | 08 | 00 | seconds u32 | nanoseconds u32 |  11 bytes
 */
import { INCOMPLETE, LEAF_BYTES, NIL, skipItems, u16, u32 } from './msgpack.ts';

export const TIME_FORM = { kept: 0, missing: 1, rewritten: 2, marker: 3, invalid: 4 } as const;
export type TimeForm = (typeof TIME_FORM)[keyof typeof TIME_FORM];

export const EVENT_TIME_BYTES = 10;
/** Seconds from here on, with 0 ns, are group markers. */
export const MARKER_SECONDS_MIN = 0xfffffffe;
const SECONDS_MAX = 0xffffffff;

/** An instant as Fluent Forward writes it: seconds since 1970 as u32, nanoseconds below 1e9. */
export interface EventTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What `readTime` found; reused between calls. */
export class TimeReading {
  form: TimeForm = TIME_FORM.invalid;
  seconds = 0;
  nanoseconds = 0;

  set(form: TimeForm, seconds: number, nanoseconds: number): void {
    this.form = form;
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
  }
}

/**
 * Reads the time at `pos` into `into`. Returns the offset behind it or INCOMPLETE.
 * An object that is no time is skipped, with at most `levels` containers inside each other.
 */
export function readTime(
  buf: Buffer,
  pos: number,
  end: number,
  levels: number,
  into: TimeReading,
): number {
  const next = skipItems(buf, pos, end, 1, levels);
  if (next === INCOMPLETE) return INCOMPLETE;
  const lead = buf[pos] as number;
  if (lead === 0xd7 || (lead >= 0xc7 && lead <= 0xc9) || lead === 0xd6)
    readExt(buf, pos, next, into);
  else if (lead === 0xca) readFloat(buf.readFloatBE(pos + 1), into);
  else if (lead === 0xcb) readFloat(buf.readDoubleBE(pos + 1), into);
  else if (lead === NIL) into.set(TIME_FORM.missing, 0, 0);
  else readInteger(buf, pos, into);
  return next;
}

function readInteger(buf: Buffer, pos: number, into: TimeReading): void {
  const seconds = integerAt(buf, pos);
  if (seconds === undefined) into.set(TIME_FORM.invalid, 0, 0);
  else into.set(seconds === 0 ? TIME_FORM.missing : TIME_FORM.kept, seconds, 0);
}

/** The integer at `pos`, rounded beyond 2^53; undefined if something else is there. */
export function integerAt(buf: Buffer, pos: number): number | undefined {
  const lead = buf[pos] as number;
  if (lead <= 0x7f) return lead;
  if (lead >= 0xe0) return lead - 256;
  switch (lead) {
    case 0xcc:
      return buf[pos + 1];
    case 0xcd:
      return u16(buf, pos + 1);
    case 0xce:
      return u32(buf, pos + 1);
    case 0xcf:
      return Number(buf.readBigUInt64BE(pos + 1));
    case 0xd0:
      return buf.readInt8(pos + 1);
    case 0xd1:
      return buf.readInt16BE(pos + 1);
    case 0xd2:
      return buf.readInt32BE(pos + 1);
    case 0xd3:
      return Number(buf.readBigInt64BE(pos + 1));
    default:
      return undefined;
  }
}

function readFloat(value: number, into: TimeReading): void {
  const seconds = Math.floor(value);
  if (!(value >= 0 && value <= SECONDS_MAX)) into.set(TIME_FORM.invalid, 0, 0);
  else if (seconds === 0) into.set(TIME_FORM.missing, 0, 0);
  else into.set(TIME_FORM.rewritten, seconds, Math.floor((value - seconds) * 1e9));
}

function readExt(buf: Buffer, pos: number, next: number, into: TimeReading): void {
  const lead = buf[pos] as number;
  const fixed = LEAF_BYTES[lead] !== 0;
  const content = pos + (fixed ? 2 : lead === 0xc7 ? 3 : lead === 0xc8 ? 4 : 6);
  const type = buf[content - 1] as number;
  const bytes = next - content;
  if (type === 0 && bytes === 8) readEventTime(u32(buf, content), u32(buf, content + 4), into);
  else if (type === 0xff) readTimestamp(buf, content, bytes, into);
  else into.set(TIME_FORM.invalid, 0, 0);
}

function readEventTime(seconds: number, nanoseconds: number, into: TimeReading): void {
  const marker = seconds >= MARKER_SECONDS_MIN && nanoseconds === 0;
  const form = marker ? TIME_FORM.marker : seconds === 0 ? TIME_FORM.missing : TIME_FORM.kept;
  into.set(form, seconds, nanoseconds);
}

/** MessagePack's own timestamp: 32 bits of seconds; 30 of ns and 34 of s; or ns u32 and s i64. */
function readTimestamp(buf: Buffer, at: number, bytes: number, into: TimeReading): void {
  let seconds = -1;
  let nanoseconds = 0;
  if (bytes === 4) {
    seconds = u32(buf, at);
  } else if (bytes === 8) {
    nanoseconds = u32(buf, at) >>> 2;
    seconds = (u32(buf, at) & 3) * 2 ** 32 + u32(buf, at + 4);
  } else if (bytes === 12) {
    nanoseconds = u32(buf, at);
    seconds = Number(buf.readBigInt64BE(at + 4));
  }
  const usable = seconds >= 0 && seconds <= SECONDS_MAX && nanoseconds < 1e9;
  if (!usable) into.set(TIME_FORM.invalid, 0, 0);
  else into.set(seconds === 0 ? TIME_FORM.missing : TIME_FORM.rewritten, seconds, nanoseconds);
}

/** Writes an EventTime (fixext8) at `at`; returns the offset behind it. */
export function writeEventTime(buf: Buffer, at: number, time: EventTime): number {
  buf[at] = 0xd7;
  buf[at + 1] = 0;
  buf.writeUInt32BE(time.seconds, at + 2);
  return buf.writeUInt32BE(time.nanoseconds, at + 6);
}

/** A wall clock in milliseconds as EventTime. */
export function eventTimeOf(now_ms: number): EventTime {
  const seconds = Math.floor(now_ms / 1000);
  return { seconds, nanoseconds: Math.round((now_ms - seconds * 1000) * 1e6) % 1e9 };
}
