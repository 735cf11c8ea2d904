/**
 * Docker's json-file driver (formats.md 4.1).
 *
 *     {"log":"<text>\n","stream":"stdout|stderr",["attrs":{...},]"time":"<RFC 3339>"}\n
 *
 * in exactly this order and without spaces; the text's newline is missing from a piece
 * of a longer line. partials.ts tells whole lines from last pieces.
 *
 * A line is read along that form; where it differs, member by member. A line that a full
 * disk cut is continued by the next one: what is whole at its end is read, and the rest
 * counted in `torn_bytes`.
 *
 * `buf[i] as number` stands for reads that were checked against `end`.
 */
import { type LineFormat, type LogLine, PIECE } from '../types.ts';
import { NO_VALUE, skipObject, skipSpace, walkObject } from './json-object.ts';
import { BACKSLASH, NO_STRING, QUOTE, Unescaper } from './json-string.ts';
import { endOfLine, resyncAtLine } from './newline.ts';
import { NO_TIME, readRfc3339 } from './rfc3339.ts';
import { readSource, SOURCE_NAME_BYTES } from './source-name.ts';
import type { TimeTarget } from './time-target.ts';

const BRACE = 0x7b;
const NEWLINE = 0x0a;

/** Quotes inside text are escaped, so this is the beginning of an entry wherever it is. */
const BEGINNING = Buffer.from('{"log":"');
const BEHIND_LOG = Buffer.from(',"stream":"');
const BEFORE_TIME = Buffer.from('","time":"');
const BEFORE_ATTRS = Buffer.from('","attrs":{');
const BEHIND_ATTRS = Buffer.from(',"time":"');
/** Behind the time: `"}` and the newline. */
const TAIL_BYTES = 3;

/**
 * Holds memory for one unescaped line, which the next `parse` overwrites: a format of its own
 * for each reader whose lines are kept across another's `parse`.
 */
export class JsonFileFormat implements LineFormat {
  readonly name = 'json-file';
  readonly #unescaper = new Unescaper();

  entryEnd(buf: Buffer, start: number, end: number): number {
    if (start >= end) return -1;
    return buf[start] === BRACE ? endOfLine(buf, start, end) : Number.NaN;
  }

  resync(buf: Buffer, start: number, end: number): number {
    const next = resyncAtLine(buf, start, end, (byte) => byte === BRACE);
    const inside = buf.indexOf(BEGINNING, start + 1);
    if (inside !== -1 && inside + BEGINNING.length <= end) return Math.min(inside, next);
    return next === end ? cutBeginning(buf, start + 1, end) : next;
  }

  parse(buf: Buffer, start: number, end: number, line: LogLine): boolean {
    line.partial_id = undefined;
    line.partial_ordinal = 0;
    line.torn_bytes = 0;
    if (this.#parseAsWritten(buf, start, end, line)) return true;
    if (this.#parseMembers(buf, start, end, line)) return true;
    return this.#parseLast(buf, start, end, line);
  }

  #parseAsWritten(buf: Buffer, start: number, end: number, line: LogLine): boolean {
    if (!startsWith(buf, start, BEGINNING)) return false;
    const log_end = this.#readLog(buf, start + BEGINNING.length, end, line);
    if (log_end === NO_STRING || !startsWith(buf, log_end, BEHIND_LOG)) return false;
    const stream = log_end + BEHIND_LOG.length;
    if (!readSource(buf, stream, line)) return false;
    const stream_end = stream + SOURCE_NAME_BYTES;
    const time = startsWith(buf, stream_end, BEFORE_TIME)
      ? stream_end + BEFORE_TIME.length
      : behindAttrs(buf, stream_end, end);
    return time !== NO_TIME && readTail(buf, time, end, line);
  }

  /** Any order of members, white space, any escape. */
  #parseMembers(buf: Buffer, start: number, end: number, line: LogLine): boolean {
    const missing = new Set(['log', 'stream', 'time']);
    const close = walkObject(buf, start, end, (key, key_end, value, value_end) => {
      const name = buf.toString('latin1', key, key_end);
      if (!missing.delete(name)) return true;
      if (buf[value] !== QUOTE) return false;
      if (name === 'log') return this.#readLog(buf, value + 1, value_end, line) !== NO_STRING;
      if (name === 'stream')
        return value_end - value === SOURCE_NAME_BYTES + 2 && readSource(buf, value + 1, line);
      return readRfc3339(buf, value + 1, value_end, line) === value_end - 1;
    });
    return missing.size === 0 && close !== NO_VALUE && skipSpace(buf, close, end) === end;
  }

  /** The last entry of a line that begins with the rest of another. */
  #parseLast(buf: Buffer, start: number, end: number, line: LogLine): boolean {
    const last = buf.lastIndexOf(BEGINNING, end - 1);
    if (last <= start) return false;
    line.torn_bytes = last - start;
    return this.#parseAsWritten(buf, last, end, line);
  }

  /** Reads the text whose content begins at `start`; returns the offset behind its quote, or NO_STRING. */
  #readLog(buf: Buffer, start: number, end: number, line: LogLine): number {
    const quote = buf.indexOf(QUOTE, start);
    if (quote === -1 || quote >= end) return NO_STRING;
    const backslash = buf.indexOf(BACKSLASH, start);
    if (backslash === -1 || backslash > quote) {
      setLog(line, buf, start, quote, PIECE.part);
      return quote + 1;
    }
    // Most lines hold no other escape than their newline.
    if (backslash === quote - 2 && buf[backslash + 1] === 0x6e) {
      setLog(line, buf, start, backslash, PIECE.whole);
      return quote + 1;
    }
    const next = this.#unescaper.read(buf, start, end, backslash - start);
    const { out, written } = this.#unescaper;
    const whole = written > 0 && out[written - 1] === NEWLINE;
    setLog(line, out, 0, whole ? written - 1 : written, whole ? PIECE.whole : PIECE.part);
    return next;
  }
}

/**
 * The labels and environment that Docker stored with the entry (its `labels`, `env` and `tag`
 * options): for a container whose own files are gone. Empty if there are none.
 */
export function readJsonAttributes(
  buf: Buffer,
  start: number,
  end: number,
): Readonly<Record<string, string>> {
  const attributes = new Map<string, string>();
  walkObject(buf, start, end, (key, key_end, value, value_end) => {
    if (buf.toString('latin1', key, key_end) !== 'attrs') return true;
    walkObject(buf, value, value_end, (name, name_end, text, text_end) => {
      if (buf[text] === QUOTE) {
        attributes.set(readText(buf, name, name_end + 1), readText(buf, text + 1, text_end));
      }
      return true;
    });
    return true;
  });
  return Object.fromEntries(attributes);
}

function readText(buf: Buffer, start: number, end: number): string {
  const unescaper = new Unescaper();
  if (unescaper.read(buf, start, end, 0) === NO_STRING) return '';
  return unescaper.out.toString('utf8', 0, unescaper.written);
}

function setLog(
  line: LogLine,
  buf: Buffer,
  start: number,
  end: number,
  piece: LogLine['piece'],
): void {
  line.buf = buf;
  line.log_start = start;
  line.log_end = end;
  line.piece = piece;
}

/** The offset of the time's content behind `","attrs":{...},"time":"`, or NO_TIME. */
function behindAttrs(buf: Buffer, at: number, end: number): number {
  if (!startsWith(buf, at, BEFORE_ATTRS)) return NO_TIME;
  const close = skipObject(buf, at + BEFORE_ATTRS.length - 1, end);
  return close !== NO_VALUE && startsWith(buf, close, BEHIND_ATTRS)
    ? close + BEHIND_ATTRS.length
    : NO_TIME;
}

/** `<time>"}\n` up to `end`. */
function readTail(buf: Buffer, at: number, end: number, into: TimeTarget): boolean {
  const time_end = readRfc3339(buf, at, end, into);
  return (
    time_end !== NO_TIME &&
    time_end + TAIL_BYTES === end &&
    buf[time_end] === QUOTE &&
    buf[time_end + 1] === 0x7d &&
    buf[time_end + 2] === NEWLINE
  );
}

function startsWith(buf: Buffer, at: number, bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i += 1) {
    if (buf[at + i] !== bytes[i]) return false;
  }
  return true;
}

/** Where a BEGINNING that `end` cuts may begin; else `end`. */
function cutBeginning(buf: Buffer, start: number, end: number): number {
  for (let at = Math.max(start, end - BEGINNING.length + 1); at < end; at += 1) {
    if (startsWith(buf.subarray(0, end), at, BEGINNING.subarray(0, end - at))) return at;
  }
  return end;
}
