/**
 * A JSON object in a buffer, member by member: for lines that do not look as Docker
 * writes them, and for what is seldom asked. It takes white space and any order, and
 * bytes that are no UTF-8.
 */
import { BACKSLASH, QUOTE } from './json-string.ts';

const NESTING_MAX_LEVELS = 64;

/** No JSON value, or one that does not end before the line does. */
export const NO_VALUE = -1;

/** Called with a member's raw bytes: the key without its quotes, the value with them. False ends the walk. */
export type OnMember = (
  key_start: number,
  key_end: number,
  value_start: number,
  value_end: number,
) => boolean;

/**
 * Walks the members of the object at `start`. Returns the offset behind it, or NO_VALUE when it
 * is none, not whole, or `onMember` said false.
 */
export function walkObject(buf: Buffer, start: number, end: number, onMember: OnMember): number {
  return walkMembers(buf, start, end, NESTING_MAX_LEVELS, onMember);
}

/** The offset behind the object at `start`, or NO_VALUE. */
export function skipObject(buf: Buffer, start: number, end: number): number {
  return walkMembers(buf, start, end, NESTING_MAX_LEVELS, passOver);
}

const passOver = (): boolean => true;

/** The offset behind the white space at `start`. */
export function skipSpace(buf: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(buf[at])) at += 1;
  return at;
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function walkMembers(
  buf: Buffer,
  start: number,
  end: number,
  levels: number,
  onMember: OnMember,
): number {
  if (buf[start] !== 0x7b) return NO_VALUE;
  let at = skipSpace(buf, start + 1, end);
  if (at < end && buf[at] === 0x7d) return at + 1;
  while (at < end) {
    const key_end = skipString(buf, at, end);
    if (key_end === NO_VALUE) return NO_VALUE;
    const colon = skipSpace(buf, key_end, end);
    if (colon >= end || buf[colon] !== 0x3a) return NO_VALUE;
    const value = skipSpace(buf, colon + 1, end);
    const value_end = skipValue(buf, value, end, levels - 1);
    if (value_end === NO_VALUE || !onMember(at + 1, key_end - 1, value, value_end)) return NO_VALUE;
    at = skipSpace(buf, value_end, end);
    if (at < end && buf[at] === 0x7d) return at + 1;
    if (at >= end || buf[at] !== 0x2c) return NO_VALUE;
    at = skipSpace(buf, at + 1, end);
  }
  return NO_VALUE;
}

function skipValue(buf: Buffer, at: number, end: number, levels: number): number {
  if (at >= end || levels < 0) return NO_VALUE;
  if (buf[at] === QUOTE) return skipString(buf, at, end);
  if (buf[at] === 0x7b) return walkMembers(buf, at, end, levels, passOver);
  return buf[at] === 0x5b ? skipArray(buf, at, end, levels) : skipWord(buf, at, end);
}

function skipArray(buf: Buffer, start: number, end: number, levels: number): number {
  let at = skipSpace(buf, start + 1, end);
  if (at < end && buf[at] === 0x5d) return at + 1;
  while (at < end) {
    const value_end = skipValue(buf, at, end, levels - 1);
    if (value_end === NO_VALUE) return NO_VALUE;
    at = skipSpace(buf, value_end, end);
    if (at < end && buf[at] === 0x5d) return at + 1;
    if (at >= end || buf[at] !== 0x2c) return NO_VALUE;
    at = skipSpace(buf, at + 1, end);
  }
  return NO_VALUE;
}

function skipString(buf: Buffer, start: number, end: number): number {
  if (buf[start] !== QUOTE) return NO_VALUE;
  for (let at = start + 1; at < end; at += 1) {
    if (buf[at] === QUOTE) return at + 1;
    if (buf[at] === BACKSLASH) at += 1;
  }
  return NO_VALUE;
}

/** A number, true, false or null: whatever they would mean, they are passed over. */
function skipWord(buf: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isWordByte(buf[at] as number)) at += 1;
  return at === start ? NO_VALUE : at;
}

const isWordByte = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  byte === 0x2b ||
  byte === 0x2d ||
  byte === 0x2e ||
  byte === 0x45;
