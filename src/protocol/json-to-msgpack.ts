/**
 * Turns JSON text into MessagePack without going through JavaScript values, so
 * that integers of 64 bits, the order of keys and bytes that are not UTF-8 survive.
 *
 *     integer         integer; beyond 64 bits float64
 *     other number    float64
 *     string          str: its bytes as they are, escapes resolved to UTF-8
 */

import { nestingError } from './msgpack.ts';
import { arrayHeader, float64, integer, mapHeader, str } from './msgpack-write.ts';
import { hexByte, syntaxError } from './protocol-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const ARRAY_OPEN = 0x5b;
const ARRAY_CLOSE = 0x5d;
const MAP_OPEN = 0x7b;
const MAP_CLOSE = 0x7d;

const WORDS = [
  ['null', 0xc0],
  ['false', 0xc2],
  ['true', 0xc3],
] as const;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

export const isJsonSpace = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * The one value in `text`, with at most `levels_max` arrays and maps inside each other.
 *
 * @throws LB_PROTOCOL_SYNTAX for what is no JSON, LB_PROTOCOL_LIMIT for more levels
 */
export function jsonToMsgpack(text: Buffer, levels_max: number): Buffer {
  const transcoder = new JsonTranscoder(text);
  transcoder.value(levels_max);
  return transcoder.finish();
}

class JsonTranscoder {
  readonly #text: Buffer;
  readonly #out: Buffer[] = [];
  #at = 0;

  constructor(text: Buffer) {
    this.#text = text;
  }

  finish(): Buffer {
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw this.#unexpected('the end');
    return Buffer.concat(this.#out);
  }

  value(levels: number): void {
    const byte = this.#skipSpace();
    if (byte === MAP_OPEN) this.#container(MAP_CLOSE, levels);
    else if (byte === ARRAY_OPEN) this.#container(ARRAY_CLOSE, levels);
    else if (byte === QUOTE) this.#out.push(str(this.#string()));
    else if (!this.#word()) this.#out.push(this.#number());
  }

  /** A container's header is known only behind its last item: its place is kept. */
  #container(close: number, levels: number): void {
    if (levels <= 0) throw nestingError();
    const header = this.#out.push(Buffer.alloc(0)) - 1;
    let items = 0;
    this.#at += 1;
    for (let byte = this.#skipSpace(); byte !== close; byte = this.#skipSpace()) {
      if (items > 0) this.#expect(COMMA, 'a comma');
      if (close === MAP_CLOSE) {
        if (this.#skipSpace() !== QUOTE) throw this.#unexpected('a key');
        this.#out.push(str(this.#string()));
        this.#skipSpace();
        this.#expect(COLON, 'a colon');
      }
      this.value(levels - 1);
      items += 1;
    }
    this.#at += 1;
    this.#out[header] = close === MAP_CLOSE ? mapHeader(items) : arrayHeader(items);
  }

  #string(): Buffer {
    const pieces: Buffer[] = [];
    let from = this.#at + 1;
    for (let at = from; ; ) {
      const byte = this.#text[at];
      if (byte === undefined) throw syntaxError('the end of a string', 'the end of the message');
      if (byte === QUOTE || byte === BACKSLASH) pieces.push(this.#text.subarray(from, at));
      if (byte === QUOTE) {
        this.#at = at + 1;
        return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      }
      if (byte === BACKSLASH) {
        this.#at = at;
        pieces.push(Buffer.from(this.#escape()));
        from = this.#at;
        at = from;
      } else {
        at += 1;
      }
    }
  }

  /** One escape, or the two of a surrogate pair. */
  #escape(): string {
    const letter = this.#text.toString('latin1', this.#at + 1, this.#at + 2);
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const pair = /^(?:\\u[0-9a-fA-F]{4}){1,2}/.exec(
      this.#text.toString('latin1', this.#at, this.#at + 12),
    )?.[0];
    if (pair === undefined) throw this.#unexpected('an escape');
    const units = pair.match(/[0-9a-fA-F]{4}/g) ?? [];
    const [first = 0, second = 0] = units.map((unit) => Number.parseInt(unit, 16));
    const surrogates = (first & 0xfc00) === 0xd800 && (second & 0xfc00) === 0xdc00;
    this.#at += surrogates ? 12 : 6;
    return surrogates ? String.fromCharCode(first, second) : String.fromCharCode(first);
  }

  #word(): boolean {
    for (const [word, byte] of WORDS) {
      if (this.#text.toString('latin1', this.#at, this.#at + word.length) === word) {
        this.#at += word.length;
        this.#out.push(Buffer.of(byte));
        return true;
      }
    }
    return false;
  }

  #number(): Buffer {
    let end = this.#at;
    while (
      end < this.#text.length &&
      /[-+.eE0-9]/.test(String.fromCharCode(this.#text[end] as number))
    ) {
      end += 1;
    }
    const text = this.#text.toString('latin1', this.#at, end);
    if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text))
      throw this.#unexpected('a value');
    this.#at = end;
    // 2^64 has 20 digits: a longer number is not worth making a bigint of.
    if (/^-?\d{1,20}$/.test(text)) {
      const value = BigInt(text);
      if (value >= INT64_MIN && value <= UINT64_MAX) return integer(value);
    }
    return float64(Number(text));
  }

  #expect(byte: number, what: string): void {
    if (this.#text[this.#at] !== byte) throw this.#unexpected(what);
    this.#at += 1;
  }

  /** Passes over white space; returns the byte behind it, undefined at the end. */
  #skipSpace(): number | undefined {
    let byte = this.#text[this.#at];
    while (byte !== undefined && isJsonSpace(byte)) {
      this.#at += 1;
      byte = this.#text[this.#at];
    }
    return byte;
  }

  #unexpected(expected: string): Error {
    const byte = this.#text[this.#at];
    const found = byte === undefined ? 'the end of the message' : hexByte(byte);
    return syntaxError(`${expected} in JSON at byte ${this.#at}`, found);
  }
}
