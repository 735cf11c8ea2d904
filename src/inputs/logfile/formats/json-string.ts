/**
 * JSON strings in a buffer, unescaped into another. Bytes that are no UTF-8 stay as
 * they are; half a surrogate pair becomes U+FFFD.
 *
 * `buf[i] as number` stands for reads that were checked against `end`, or whose
 * `undefined` fails the comparison that follows.
 */

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;

/** No string: it does not end, or holds an escape that JSON has not. */
export const NO_STRING = -1;

const NO_CODE = -1;
const REPLACEMENT = 0xfffd;

/** 1 for the bytes that mean something in a string: quote and backslash. */
const SPECIAL: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);

/** What a character behind a backslash stands for; 0: no such escape. `u` is not among them. */
const ESCAPED: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256);
  for (const same of [QUOTE, BACKSLASH, 0x2f]) table[same] = same;
  for (const [letter, byte] of Object.entries({ b: 8, f: 12, n: 10, r: 13, t: 9 })) {
    table[letter.charCodeAt(0)] = byte;
  }
  return table;
})();

/** Where strings are unescaped to: memory that is used again and again. */
export class Unescaper {
  #out = Buffer.allocUnsafe(0);
  #at = 0;
  #next = 0;

  /** What the last `read` wrote, up to `written`. Another buffer after a longer string. */
  get out(): Buffer {
    return this.#out;
  }

  get written(): number {
    return this.#at;
  }

  /**
   * Unescapes the string whose content begins at `start`, from `out[0]` on; the first `plain`
   * bytes are known to hold neither quote nor backslash. Returns the offset behind the closing
   * quote, or NO_STRING.
   */
  read(buf: Buffer, start: number, end: number, plain: number): number {
    // An escape is never shorter than what it stands for; half a pair, 6 bytes, becomes 3.
    if (this.#out.length < end - start) this.#out = Buffer.allocUnsafe((end - start) * 2);
    const out = this.#out;
    buf.copy(out, 0, start, start + plain);
    let to = plain;
    for (let at = start + plain; at < end; ) {
      const byte = buf[at] as number;
      if (SPECIAL[byte] === 0) {
        out[to] = byte;
        to += 1;
        at += 1;
        continue;
      }
      if (byte === QUOTE) {
        this.#at = to;
        return at + 1;
      }
      const escaped = ESCAPED[buf[at + 1] as number] as number;
      if (escaped !== 0) {
        out[to] = escaped;
        to += 1;
        at += 2;
        continue;
      }
      to = this.#readUnicode(buf, at, to);
      if (to === NO_STRING) return NO_STRING;
      at = this.#next;
    }
    return NO_STRING;
  }

  /** Writes what `\uXXXX` at `at`, or a pair of these, stands for; sets `#next`. */
  #readUnicode(buf: Buffer, at: number, to: number): number {
    const unit = codeUnit(buf, at);
    if (unit === NO_CODE) return NO_STRING;
    this.#next = at + 6;
    if (unit < 0xd800 || unit > 0xdfff) return writeUtf8(this.#out, to, unit);
    const low = unit < 0xdc00 ? codeUnit(buf, at + 6) : NO_CODE;
    if (low < 0xdc00 || low > 0xdfff) return writeUtf8(this.#out, to, REPLACEMENT);
    this.#next = at + 12;
    return writeUtf8(this.#out, to, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
  }
}

/** The code unit of `\uXXXX` at `at`, or NO_CODE. */
function codeUnit(buf: Buffer, at: number): number {
  if (buf[at] !== BACKSLASH || buf[at + 1] !== 0x75) return NO_CODE;
  let unit = 0;
  for (let i = at + 2; i < at + 6; i += 1) {
    const digit = hexDigit(buf[i] as number);
    if (digit === NO_CODE) return NO_CODE;
    unit = unit * 16 + digit;
  }
  return unit;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : NO_CODE;
}

function writeUtf8(out: Buffer, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6);
    out[at + 1] = 0x80 | (code & 0x3f);
    return at + 2;
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >> 12);
    out[at + 1] = 0x80 | ((code >> 6) & 0x3f);
    out[at + 2] = 0x80 | (code & 0x3f);
    return at + 3;
  }
  out[at] = 0xf0 | (code >> 18);
  out[at + 1] = 0x80 | ((code >> 12) & 0x3f);
  out[at + 2] = 0x80 | ((code >> 6) & 0x3f);
  out[at + 3] = 0x80 | (code & 0x3f);
  return at + 4;
}
