import { LogboomError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { encodeEntry } from '../protocol/encode.ts';
import type { EventTime } from '../protocol/event-time.ts';
import { jsonToMsgpack } from '../protocol/json-to-msgpack.ts';
import { mapHeader, str } from '../protocol/msgpack-write.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** The message and the entry stand around a record. */
const RECORD_LEVELS_MAX = LIMITS.nesting_max_levels - 3;

/** Cuts a stream of bytes into lines; a line end is `\n` or `\r\n`. */
export class LineSplitter {
  readonly #line_max_bytes: number;
  #rest: Buffer[] = [];
  #rest_bytes = 0;
  #lines = 0;

  constructor(line_max_bytes: number = LIMITS.event_max_bytes / 2) {
    this.#line_max_bytes = line_max_bytes;
  }

  /** The lines that `chunk` completes, without their ends. @throws LB_USAGE for a line that is too long */
  *feed(chunk: Buffer): Generator<Buffer, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      yield this.#take();
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The last line, if it has no end. */
  *finish(): Generator<Buffer, void, undefined> {
    if (this.#rest_bytes > 0) yield this.#take();
  }

  #keep(piece: Buffer): void {
    this.#rest_bytes += piece.length;
    if (this.#rest_bytes > this.#line_max_bytes) {
      const arithmetic = `${this.#rest_bytes} > ${this.#line_max_bytes} bytes`;
      throw new LogboomError('LB_USAGE', `a line is too long, ${arithmetic}`, {
        where: `line ${this.#lines + 1}`,
      });
    }
    this.#rest.push(piece);
  }

  #take(): Buffer {
    const [first = Buffer.alloc(0)] = this.#rest;
    const line = this.#rest.length <= 1 ? first : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#rest_bytes = 0;
    this.#lines += 1;
    return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
  }
}

export interface LineForm {
  /** The field that a line of text goes under. */
  readonly key: string;
  /** Every line has to be a JSON object. */
  readonly json: boolean;
}

/**
 * A line as an entry: a JSON object is the record, anything else the text under `key`, byte
 * for byte. `number` counts lines from 1.
 *
 * @throws LB_USAGE for a line that is no JSON object, where all have to be
 */
export function lineToEntry(line: Buffer, number: number, form: LineForm, time: EventTime): Buffer {
  const record = jsonRecord(line, number, form.json);
  if (record !== undefined) return encodeEntry(time, record);
  return encodeEntry(time, Buffer.concat([mapHeader(1), str(form.key), str(line)]));
}

function jsonRecord(line: Buffer, number: number, required: boolean): Buffer | undefined {
  const is_object = /^\s*\{/.test(line.toString('latin1', 0, 64));
  if (!is_object && !required) return undefined;
  try {
    if (is_object) return jsonToMsgpack(line, RECORD_LEVELS_MAX);
    throw new LogboomError('LB_PROTOCOL_SYNTAX', 'expected {');
  } catch (cause) {
    // A line that merely begins like an object is text.
    if (!required) return undefined;
    throw new LogboomError('LB_USAGE', 'the line is not a JSON object', {
      where: `line ${number}`,
      hint: 'Without --json such lines are sent as text.',
      cause,
    });
  }
}
