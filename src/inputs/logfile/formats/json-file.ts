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
import { LastView } from '../last-view.ts';
import { type LineFormat, type LogLine, PIECE, SOURCE } from '../types.ts';
import { FixedText } from './fixed-text.ts';
import { NO_VALUE, skipObject, skipSpace, walkObject } from './json-object.ts';
import { BACKSLASH, NO_STRING, QUOTE, Unescaper } from './json-string.ts';
import { endOfLine, resyncAtLine } from './newline.ts';
import { NO_TIME, readRfc3339, TimeReader } from './rfc3339.ts';
import { readSource, SOURCE_NAME_BYTES } from './source-name.ts';
import type { TimeTarget } from './time-target.ts';

const BRACE = 0x7b;
const NEWLINE = 0x0a;

/** Quotes inside text are escaped, so this is the beginning of an entry wherever it is. */
const BEGINNING = Buffer.from('{"log":"');
const BEGINS = new FixedText('{"log":"');
const FROM_STDOUT = new FixedText(',"stream":"stdout"');
const FROM_STDERR = new FixedText(',"stream":"stderr"');
const BEFORE_ATTRS = new FixedText(',"attrs":{');
const BEFORE_TIME = new FixedText(',"time":"');
/** Behind the time: `"}` and the newline. */
const TAIL_BYTES = 3;
/** An entry with an empty text is longer than this by its time. */
const FRAME_BYTES = BEGINS.bytes + 1 + FROM_STDOUT.bytes + BEFORE_TIME.bytes + TAIL_BYTES;

/**
 * Holds memory for one unescaped line, which the next `parse` overwrites: a format of its own
 * for each reader whose lines are kept across another's `parse`.
 */
export class JsonFileFormat implements LineFormat {
  readonly name = 'json-file';
  readonly #unescaper = new Unescaper();
  readonly #times = new TimeReader();
  readonly #view = new LastView();

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
    if (start + FRAME_BYTES > end) return false;
    const view = this.#view.of(buf);
    if (!BEGINS.isAt(view, start)) return false;
    const log_end = this.#readLog(buf, start + BEGINS.bytes, end, line);
    if (log_end === NO_STRING || !readStream(view, log_end, end, line)) return false;
    const stream_end = log_end + FROM_STDOUT.bytes;
    const time = BEFORE_TIME.isAt(view, stream_end)
      ? stream_end + BEFORE_TIME.bytes
      : behindAttrs(buf, view, stream_end, end);
    return time !== NO_TIME && this.#readTail(buf, time, end, line);
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

  /** `<time>"}\n` up to `end`. */
  #readTail(buf: Buffer, at: number, end: number, into: TimeTarget): boolean {
    const time_end = this.#times.read(buf, at, end, into);
    return (
      time_end !== NO_TIME &&
      time_end + TAIL_BYTES === end &&
      buf[time_end] === QUOTE &&
      buf[time_end + 1] === 0x7d &&
      buf[time_end + 2] === NEWLINE
    );
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

/** `,"stream":"<source>"` at `at`, and room for what is behind it. */
function readStream(view: DataView, at: number, end: number, line: LogLine): boolean {
  if (at + FROM_STDOUT.bytes + BEFORE_TIME.bytes > end) return false;
  if (FROM_STDOUT.isAt(view, at)) {
    line.source = SOURCE.stdout;
    return true;
  }
  line.source = SOURCE.stderr;
  return FROM_STDERR.isAt(view, at);
}

/** The offset of the time's content behind `,"attrs":{...},"time":"`, or NO_TIME. */
function behindAttrs(buf: Buffer, view: DataView, at: number, end: number): number {
  if (at + BEFORE_ATTRS.bytes > end || !BEFORE_ATTRS.isAt(view, at)) return NO_TIME;
  const close = skipObject(buf, at + BEFORE_ATTRS.bytes - 1, end);
  const is_whole = close !== NO_VALUE && close + BEFORE_TIME.bytes <= end;
  return is_whole && BEFORE_TIME.isAt(view, close) ? close + BEFORE_TIME.bytes : NO_TIME;
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
