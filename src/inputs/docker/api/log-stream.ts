/**
 * The body of `GET /containers/{id}/logs?timestamps=1` (formats.md 6.1), entry by entry.
 *
 *     no TTY   | type u8 | 00 00 00 | length u32be | <time> <log>[\n] |   1 stdout, 2 stderr
 *              | 03      | 00 00 00 | length u32be | text of an error |   the body ends with it
 *     TTY      <time> <log>\n            raw, all of it stdout
 *
 * Times have a fixed width. A line longer than 16,384 bytes comes in several entries of the
 * same time; on a TTY nothing but this repeated time parts them.
 *
 * On a TTY an unterminated tail and the line of the next run are one line, with a time in
 * its middle: nothing tells that from a program that prints times.
 *
 * `buf[i] as number` stands for reads that were checked against `end`.
 */
import { LogboomError } from '../../../errors.ts';
import { LIMITS } from '../../../limits.ts';
import { u32 } from '../../../protocol/msgpack.ts';
import { readRfc3339 } from '../../logfile/formats/rfc3339.ts';
import { createLogLine, type LogLine, PIECE, SOURCE } from '../../logfile/types.ts';

const HEADER_BYTES = 8;
const TYPE = { stdout: 1, stderr: 2, error: 3 } as const;
const TIME_BYTES = '2006-01-02T15:04:05.000000000Z'.length;
/** The time and a space. */
const PREFIX_BYTES = TIME_BYTES + 1;
const ENTRY_MAX_BYTES = PREFIX_BYTES + LIMITS.log_entry_max_bytes;
/** Where Docker cuts a line (formats.md 3.4). */
const PIECE_BYTES = 16_384;
const NEWLINE = 0x0a;
const SPACE = 0x20;

const NOTHING: Buffer = Buffer.alloc(0);
/** The entry at a place is not whole yet. */
const INCOMPLETE = -1;

/**
 * Called with each entry: `whole` if it ended with a newline, else a `part`. The object and its bytes
 * are valid during the call only.
 */
export type TakeLine = (line: LogLine) => void;

/** Takes the body in chunks that are cut anywhere. Pure. After an error it is of no use. */
export class LogStreamReader {
  readonly #tty: boolean;
  readonly #line = createLogLine();
  /** The beginning of an entry that is not whole yet. */
  #held = NOTHING;

  /** @param tty `Config.Tty` of the container */
  constructor(tty: boolean) {
    this.#tty = tty;
  }

  /** @throws LB_DOCKER_API for bytes that are no such body, and for an error that the daemon sent in it */
  push(chunk: Buffer, take: TakeLine): void {
    const buf = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (at < buf.length) {
      const next = this.#tty ? this.#readRaw(buf, at, take) : this.#readFrame(buf, at, take);
      if (next === INCOMPLETE) break;
      at = next;
    }
    // The chunk is the socket's: what stays is copied.
    this.#held = at === buf.length ? NOTHING : Buffer.from(buf.subarray(at));
  }

  /**
   * The daemon ended the body, and nothing broke it off. On a TTY what is left is an unterminated
   * tail, and taken. Returns the bytes that make no entry.
   */
  end(take: TakeLine): number {
    const rest = this.#held;
    this.#held = NOTHING;
    if (!this.#tty || !this.#readPrefix(rest, 0, rest.length)) return rest.length;
    this.#line.source = SOURCE.stdout;
    this.#deliver(rest, PREFIX_BYTES, rest.length, take);
    return 0;
  }

  #readFrame(buf: Buffer, at: number, take: TakeLine): number {
    if (at + HEADER_BYTES > buf.length) return INCOMPLETE;
    const type = buf[at] as number;
    const bytes = u32(buf, at + 4);
    const known = type >= TYPE.stdout && type <= TYPE.error && u32(buf, at) % 0x1000000 === 0;
    if (!known || bytes > ENTRY_MAX_BYTES) {
      throw notALog(`a frame's header`, buf.toString('hex', at, at + HEADER_BYTES));
    }
    const start = at + HEADER_BYTES;
    const end = start + bytes;
    if (end > buf.length) return INCOMPLETE;
    if (type === TYPE.error) throw daemonError(buf.toString('utf8', start, end));
    if (!this.#readPrefix(buf, start, end)) throw noTime(buf, start, end);
    this.#line.source = type === TYPE.stdout ? SOURCE.stdout : SOURCE.stderr;
    this.#deliver(buf, start + PREFIX_BYTES, end, take);
    return end;
  }

  #readRaw(buf: Buffer, at: number, take: TakeLine): number {
    const start = at + PREFIX_BYTES;
    if (start > buf.length) return INCOMPLETE;
    if (!this.#readPrefix(buf, at, buf.length)) throw noTime(buf, at, start);
    const newline = buf.indexOf(NEWLINE, start);
    const cut = start + PIECE_BYTES;
    const whole_end = newline === -1 ? buf.length : newline + 1;
    let end = newline === -1 ? INCOMPLETE : newline + 1;
    if (cut + PREFIX_BYTES <= whole_end && isRepeated(buf, at, cut)) end = cut;
    if (end === INCOMPLETE && buf.length - start > ENTRY_MAX_BYTES) {
      throw notALog('a line', `${buf.length - start} bytes without an end`);
    }
    this.#line.source = SOURCE.stdout;
    if (end !== INCOMPLETE) this.#deliver(buf, start, end, take);
    return end;
  }

  #readPrefix(buf: Buffer, at: number, end: number): boolean {
    if (at + PREFIX_BYTES > end || buf[at + TIME_BYTES] !== SPACE) return false;
    return readRfc3339(buf, at, at + TIME_BYTES, this.#line) === at + TIME_BYTES;
  }

  #deliver(buf: Buffer, start: number, end: number, take: TakeLine): void {
    const line = this.#line;
    const whole = end > start && buf[end - 1] === NEWLINE;
    line.buf = buf;
    line.log_start = start;
    line.log_end = whole ? end - 1 : end;
    line.piece = whole ? PIECE.whole : PIECE.part;
    line.partial_id = undefined;
    line.partial_ordinal = 0;
    take(line);
  }
}

/** Is what stands before the entry at `first` also what stands at `second`? */
function isRepeated(buf: Buffer, first: number, second: number): boolean {
  return buf.compare(buf, first, first + PREFIX_BYTES, second, second + PREFIX_BYTES) === 0;
}

function daemonError(text: string): LogboomError {
  return new LogboomError('LB_DOCKER_API', `the daemon could not read on: ${text.trim()}`);
}

function noTime(buf: Buffer, start: number, end: number): LogboomError {
  const found = buf.toString('latin1', start, Math.min(start + PREFIX_BYTES, end));
  return notALog('a time before each entry (timestamps=1)', JSON.stringify(found));
}

function notALog(expected: string, found: string): LogboomError {
  return new LogboomError('LB_DOCKER_API', `expected ${expected}, found ${found}`, {
    where: 'the body of the logs call',
    hint: 'Look whether the container was made with a TTY: its logs are not framed.',
  });
}
