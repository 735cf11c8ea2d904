/**
 * Times in log files: RFC 3339 with any fraction and any offset (formats.md 4.1, 7.1).
 *
 *     2026-11-23T06:00:01.123456789Z
 *     2026-11-23T15:00:02+09:00
 *
 * `buf[i] as number` stands for a read that may lie behind the buffer: `undefined`
 * fails every comparison that follows, and so the parse.
 */
import { LastView } from '../last-view.ts';
import { SECONDS_MAX, type TimeTarget } from './time-target.ts';

export const NO_TIME = -1;

/** What fails every range check below, also in a sum with digits. */
const NO_DIGITS = -1e9;
const SECOND_BYTES = 'YYYY-MM-DDTHH:MM:SS'.length;
/** Of nanoseconds. */
const FRACTION_DIGITS = 9;

const DASH = 0x2d;
const COLON = 0x3a;
const DOT = 0x2e;
const PLUS = 0x2b;

/**
 * Reads the time at `start` into `into`. Returns the offset behind it, or NO_TIME when there is
 * none, or one that Fluent Forward can't carry: before 1970, or after 2106. Digits beyond
 * nanoseconds are left out.
 */
export function readRfc3339(buf: Buffer, start: number, end: number, into: TimeTarget): number {
  if (start + SECOND_BYTES >= end) return NO_TIME;
  return readRest(buf, start + SECOND_BYTES, end, readSecond(buf, start), into);
}

/** `readRfc3339` for times that follow each other: most lie in the same second as the one before. */
export class TimeReader {
  readonly #view = new LastView();
  /** The second that was read last, as it is written. */
  readonly #second = new DataView(new ArrayBuffer(SECOND_BYTES));
  #seconds = NO_DIGITS;

  read(buf: Buffer, start: number, end: number, into: TimeTarget): number {
    if (start + SECOND_BYTES >= end) return NO_TIME;
    const view = this.#view.of(buf);
    if (!this.#isSameSecond(view, start)) {
      for (let i = 0; i < SECOND_BYTES; i += 1) this.#second.setUint8(i, buf[start + i] as number);
      this.#seconds = readSecond(buf, start);
    }
    return readRest(buf, start + SECOND_BYTES, end, this.#seconds, into);
  }

  /** Five words, the last of which overlaps the one before; it differs most often. */
  #isSameSecond(view: DataView, at: number): boolean {
    const second = this.#second;
    return (
      view.getInt32(at + 15) === second.getInt32(15) &&
      view.getInt32(at + 12) === second.getInt32(12) &&
      view.getInt32(at + 8) === second.getInt32(8) &&
      view.getInt32(at + 4) === second.getInt32(4) &&
      view.getInt32(at) === second.getInt32(0)
    );
  }
}

/** The fraction and the offset behind `whole_s`, which is negative or NaN if it is none. */
function readRest(
  buf: Buffer,
  start: number,
  end: number,
  whole_s: number,
  into: TimeTarget,
): number {
  let at = start;
  let seconds = whole_s;
  let nanoseconds = 0;
  if (buf[at] === DOT) {
    at = behindDigits(buf, at + 1, end);
    nanoseconds = readFraction(buf, start + 1, at);
  }
  if (at < end && (buf[at] === 0x5a || buf[at] === 0x7a)) {
    at += 1;
  } else {
    seconds -= readOffset(buf, at, end);
    at += 6;
  }
  if (!(seconds >= 0 && seconds <= SECONDS_MAX)) return NO_TIME;
  into.time_s = seconds;
  into.time_ns = nanoseconds;
  return at;
}

function behindDigits(buf: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (buf[at] as number) >= 0x30 && (buf[at] as number) <= 0x39) at += 1;
  return at;
}

/** Digits behind a dot, in nanoseconds. */
function readFraction(buf: Buffer, start: number, end: number): number {
  const stop = Math.min(end, start + FRACTION_DIGITS);
  let fraction = 0;
  for (let at = start; at < stop; at += 1) fraction = fraction * 10 + (buf[at] as number) - 0x30;
  for (let digits = stop - start; digits < FRACTION_DIGITS; digits += 1) fraction *= 10;
  return fraction;
}

/** `YYYY-MM-DDTHH:MM:SS` in seconds since 1970; negative or NaN: it is none. */
function readSecond(buf: Buffer, at: number): number {
  const separated =
    buf[at + 4] === DASH &&
    buf[at + 7] === DASH &&
    (buf[at + 10] === 0x54 || buf[at + 10] === 0x74) &&
    buf[at + 13] === COLON &&
    buf[at + 16] === COLON;
  const month = twoDigits(buf, at + 5);
  const day = twoDigits(buf, at + 8);
  const hour = twoDigits(buf, at + 11);
  const minute = twoDigits(buf, at + 14);
  const second = twoDigits(buf, at + 17);
  const exists =
    month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour >= 0 && hour <= 23 && minute >= 0;
  if (!separated || !exists || minute > 59 || second < 0 || second > 60) return NO_DIGITS;
  const year = twoDigits(buf, at) * 100 + twoDigits(buf, at + 2);
  return ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

/** `Z`'s other form, `+hh:mm`, in seconds; NaN: it is none. */
function readOffset(buf: Buffer, at: number, end: number): number {
  const sign = buf[at] === PLUS ? 1 : buf[at] === DASH ? -1 : Number.NaN;
  const hours = twoDigits(buf, at + 1);
  const minutes = twoDigits(buf, at + 4);
  const whole = at + 6 <= end && buf[at + 3] === COLON && hours >= 0 && minutes >= 0;
  return whole ? sign * (hours * 60 + minutes) * 60 : Number.NaN;
}

function twoDigits(buf: Buffer, at: number): number {
  const tens = (buf[at] as number) - 0x30;
  const ones = (buf[at + 1] as number) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NO_DIGITS;
}

/** Days of the proleptic Gregorian calendar; the year is taken to begin in March, so that leap days end it. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const months = month > 2 ? month - 3 : month + 9;
  const leap_days = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leap_days + Math.floor((months * 153 + 2) / 5) + day - 1 - 719468;
}
