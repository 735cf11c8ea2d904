import { ByteIntake, located } from './byte-intake.ts';
import type { FrameLimits, FrameSink } from './frame.ts';
import { FrameWalk } from './frame-walk.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { isJsonSpace, jsonToMsgpack } from './json-to-msgpack.ts';
import type { MessageReader } from './message-reader.ts';
import { nestingError } from './msgpack.ts';
import { hexByte, limitError, syntaxError } from './protocol-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ARRAY_OPEN = 0x5b;

/**
 * Reads the JSON form of Fluent Forward: arrays one after the other, white space
 * between them (formats.md 1.1). Each becomes MessagePack and is delivered by
 * `frame()` with a buffer of its own.
 *
 * A message is gathered whole and so bounded by `event_max_bytes`, whatever its
 * mode: clients send single events in this form. Each byte is looked at once to
 * find the end, and once more to convert it.
 */
export class JsonReader implements MessageReader {
  readonly format = 'json';
  readonly #sink: FrameSink;
  readonly #limits: FrameLimits;
  readonly #intake: ByteIntake;
  readonly #walk: FrameWalk;
  /** The message so far, from earlier chunks. */
  readonly #text = new GrowingBuffer();
  #depth = 0;
  #in_string = false;
  #escaped = false;
  #message_offset = 0;

  constructor(sink: FrameSink, limits: FrameLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#walk = new FrameWalk(limits);
    this.#intake = new ByteIntake((buf, pos, end) => this.#advance(buf, pos, end));
  }

  get paused(): boolean {
    return this.#intake.paused;
  }

  get held_bytes(): number {
    return this.#intake.held_bytes + this.#text.held_bytes;
  }

  feed(chunk: Buffer): void {
    this.#intake.feed(chunk);
  }

  pause(): void {
    this.#intake.paused = true;
  }

  resume(): void {
    this.#intake.resume();
  }

  get unfinished(): boolean {
    return !this.#intake.closed && (this.#depth > 0 || this.#intake.held_bytes > 0);
  }

  end(): boolean {
    if (this.#intake.closed) return false;
    const left = this.unfinished;
    this.#intake.close();
    this.#text.clear();
    return left;
  }

  #advance(buf: Buffer, start: number, end: number): number {
    let pos = start;
    try {
      while (pos < end && !this.#intake.paused) {
        if (this.#depth === 0) pos = this.#between(buf, pos, end);
        else pos = this.#within(buf, pos, end);
      }
      return pos;
    } catch (error) {
      throw located(error, this.#message_offset);
    }
  }

  #between(buf: Buffer, start: number, end: number): number {
    let pos = start;
    while (pos < end && isJsonSpace(buf[pos] as number)) pos += 1;
    this.#message_offset = this.#intake.taken_bytes + pos;
    if (pos === end) return pos;
    const byte = buf[pos] as number;
    if (byte !== ARRAY_OPEN) throw syntaxError('a Forward message, a JSON array', hexByte(byte));
    return this.#within(buf, pos, end);
  }

  #within(buf: Buffer, start: number, end: number): number {
    const stop = this.#findEnd(buf, start, end);
    const bytes = this.#text.bytes + stop - start;
    const max = this.#limits.event_max_bytes;
    if (bytes > max) {
      throw limitError('a JSON message is too large', `${bytes} > ${max} bytes`, 'event_max_bytes');
    }
    this.#text.append(buf, start, stop);
    if (this.#depth === 0) this.#deliver();
    return stop;
  }

  /** The offset behind the bracket that closes the message, or `end`. */
  #findEnd(buf: Buffer, start: number, end: number): number {
    for (let pos = start; pos < end; pos += 1) {
      const byte = buf[pos] as number;
      if (this.#escaped) {
        this.#escaped = false;
      } else if (this.#in_string) {
        if (byte === QUOTE) this.#in_string = false;
        else if (byte === BACKSLASH) this.#escaped = true;
      } else if (byte === QUOTE) {
        this.#in_string = true;
      } else if (byte === ARRAY_OPEN || byte === 0x7b) {
        this.#depth += 1;
        if (this.#depth > this.#limits.nesting_max_levels) throw nestingError();
      } else if (byte === 0x5d || byte === 0x7d) {
        this.#depth -= 1;
        if (this.#depth === 0) return pos + 1;
      }
    }
    return end;
  }

  #deliver(): void {
    const text = this.#text.buffer.subarray(0, this.#text.bytes);
    const message = jsonToMsgpack(text, this.#limits.nesting_max_levels);
    this.#text.clear();
    this.#walk.walk(message, 0, message.length);
    this.#sink.frame(message, this.#walk.frame);
  }
}
