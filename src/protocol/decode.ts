/**
 * Decodes MessagePack into values for people. @msgpack/msgpack would mangle
 * strings that are not UTF-8 (formats.md 1.15) and refuse a record with the key
 * `__proto__`; here every object that was walked can be shown.
 *
 *     str         string, bytes that are not UTF-8 as U+FFFD
 *     integer     number, beyond 2^53 bigint
 *     bin         Buffer, a view
 *     ext         Extension
 *     map         object; keys that are no str as their text; the last of equal keys wins
 */

import { integerAt } from './event-time.ts';
import {
  headerBytes,
  isArray,
  isBytes,
  isMap,
  LENGTH_BYTES,
  lengthAt,
  nestingError,
} from './msgpack.ts';
import { hexByte, syntaxError } from './protocol-error.ts';

/** An extension type and its bytes. */
export class Extension {
  readonly type: number;
  readonly data: Buffer;

  constructor(type: number, data: Buffer) {
    this.type = type;
    this.data = data;
  }
}

export class Decoder {
  readonly #buf: Buffer;
  readonly #end: number;
  #at: number;

  /** Reads objects of `buf[start..end)`, which must be whole. */
  constructor(buf: Buffer, start = 0, end = buf.length) {
    this.#buf = buf;
    this.#at = start;
    this.#end = end;
  }

  /** Where the next object begins. */
  get offset(): number {
    return this.#at;
  }

  /**
   * The next object. @throws LB_PROTOCOL_SYNTAX if it does not end in time, LB_PROTOCOL_LIMIT for
   * more than `levels`
   */
  next(levels: number): unknown {
    const buf = this.#buf;
    const start = this.#at;
    const lead = start < this.#end ? (buf[start] as number) : undefined;
    if (lead === undefined) throw syntaxError('a MessagePack object', 'the end of the bytes');
    const integer = this.#integer(lead);
    if (integer !== undefined) return integer;
    const content = this.#take(headerBytes(lead));
    const length = lengthAt(buf, start);
    if (isMap(lead)) return this.#map(length, levels);
    if (isArray(lead)) return this.#array(length, levels);
    if (isBytes(lead)) return this.#bytes(lead, length);
    if (lead === 0xc0) return null;
    if (lead === 0xc2 || lead === 0xc3) return lead === 0xc3;
    if (lead === 0xca) return buf.readFloatBE(this.#take(4));
    if (lead === 0xcb) return buf.readDoubleBE(this.#take(8));
    if (lead >= 0xd4 && lead <= 0xd8) return this.#extension(2 ** (lead - 0xd4));
    if (LENGTH_BYTES[lead] !== 0) return this.#extension(length);
    throw syntaxError('MessagePack', `the byte ${hexByte(lead)} at ${content - 1}`);
  }

  #integer(lead: number): number | bigint | undefined {
    const wide = lead === 0xcf || lead === 0xd3;
    const start = this.#at;
    if (!wide) {
      const small = lead <= 0x7f || lead >= 0xe0;
      if (!small && (lead < 0xcc || lead > 0xd3)) return undefined;
      this.#take(small ? 1 : 1 + 2 ** ((lead - 0xcc) & 3));
      return integerAt(this.#buf, start);
    }
    const at = this.#take(9) + 1;
    const value = lead === 0xcf ? this.#buf.readBigUInt64BE(at) : this.#buf.readBigInt64BE(at);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #bytes(lead: number, length: number): string | Buffer {
    const start = this.#take(length);
    const is_bin = lead >= 0xc4 && lead <= 0xc6;
    if (is_bin) return this.#buf.subarray(start, start + length);
    return this.#buf.toString('utf8', start, start + length);
  }

  #extension(length: number): Extension {
    const type = this.#take(1);
    const start = this.#take(length);
    return new Extension(this.#buf.readInt8(type), this.#buf.subarray(start, start + length));
  }

  #array(length: number, levels: number): unknown[] {
    if (length > 0 && levels <= 0) throw nestingError();
    const items: unknown[] = [];
    for (let i = 0; i < length; i += 1) items.push(this.next(levels - 1));
    return items;
  }

  #map(length: number, levels: number): Record<string, unknown> {
    if (length > 0 && levels <= 0) throw nestingError();
    const map: Record<string, unknown> = {};
    for (let i = 0; i < length; i += 1) {
      const key = keyText(this.next(levels - 1));
      const value = this.next(levels - 1);
      if (key === '__proto__') {
        const property = { value, enumerable: true, writable: true, configurable: true };
        Object.defineProperty(map, key, property);
      } else {
        map[key] = value;
      }
    }
    return map;
  }

  /** Passes over `bytes` and returns where they begin. */
  #take(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#end) {
      throw syntaxError(`${bytes} more bytes`, `${this.#end - start} at ${start}`);
    }
    this.#at = start + bytes;
    return start;
  }
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (Buffer.isBuffer(key)) return key.toString();
  if (typeof key === 'object' && key !== null) return JSON.stringify(key, bigintAsText);
  return String(key);
}

const bigintAsText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;
