/**
 * Kubernetes' log lines (formats.md 7.1).
 *
 *     <time> <stdout|stderr> <P|F>[:<tag>...] <log>\n
 *
 * `P` is a piece of a line that goes on in the next entry of the same stream, `F` a line or
 * the last piece of one; partials.ts tells these apart.
 *
 * `buf[i] as number` stands for reads that were checked against `end`.
 */
import { type LineFormat, type LogLine, PIECE } from '../types.ts';
import { endOfLine, resyncAtLine } from './newline.ts';
import { NO_TIME, TimeReader } from './rfc3339.ts';
import { readSource, SOURCE_NAME_BYTES } from './source-name.ts';

const SPACE = 0x20;
const COLON = 0x3a;

export class CriFormat implements LineFormat {
  readonly name = 'cri';
  readonly #times = new TimeReader();

  entryEnd(buf: Buffer, start: number, end: number): number {
    if (start >= end) return -1;
    return isDigit(buf[start] as number) ? endOfLine(buf, start, end) : Number.NaN;
  }

  resync(buf: Buffer, start: number, end: number): number {
    return resyncAtLine(buf, start, end, isDigit);
  }

  parse(buf: Buffer, start: number, end: number, line: LogLine): boolean {
    const stop = end - 1;
    let at = this.#times.read(buf, start, stop, line);
    // A tag of one character and the spaces around it must fit behind the time.
    if (at === NO_TIME || at + SOURCE_NAME_BYTES + 3 > stop || buf[at] !== SPACE) return false;
    if (!readSource(buf, at + 1, line)) return false;
    at += 1 + SOURCE_NAME_BYTES;
    if (buf[at] !== SPACE || !readTag(buf[at + 1] as number, line)) return false;
    at += 2;
    if (at < stop && buf[at] === COLON) at = endOfTags(buf, at, stop);
    if (at < stop && buf[at] !== SPACE) return false;
    line.buf = buf;
    line.log_start = Math.min(at + 1, stop);
    line.log_end = stop;
    line.partial_id = undefined;
    line.partial_ordinal = 0;
    line.torn_bytes = 0;
    return true;
  }
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

function readTag(tag: number, line: LogLine): boolean {
  if (tag !== 0x46 && tag !== 0x50) return false;
  line.piece = tag === 0x46 ? PIECE.whole : PIECE.part;
  return true;
}

function endOfTags(buf: Buffer, start: number, stop: number): number {
  let at = start;
  while (at < stop && buf[at] !== SPACE) at += 1;
  return at;
}
