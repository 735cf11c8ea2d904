/**
 * MessagePack to JSON text, straight from the bytes: no objects in between, so
 * keys keep their order, a key that comes twice stays twice, `__proto__` is a key
 * like others, and no number loses a digit.
 *
 *     str            string; bytes that are not UTF-8 become U+FFFD
 *     bin            string, base64
 *     integers       number, exact up to 64 bits
 *     float          number; "NaN", "Infinity" and "-Infinity" as strings, since JSON has none
 *     ext            {"$ext":[type,"base64"]}
 *     map key        str as it is; anything else as the text of its JSON
 *
 * `buf[i] as number`: the caller has walked the bytes before, so all reads are inside.
 */
import { headerBytes, isArray, isMap, LEAF_BYTES, lengthAt, NIL } from '../protocol/msgpack.ts';

/** Collects JSON text. One is used for one text after another: `take()` empties it. */
export class JsonText {
  #text = '';
  /** Where the next object begins: moved by each `value()`. */
  #at = 0;

  /** Adds `text` as it is. */
  add(text: string): void {
    this.#text += text;
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /**
   * Adds the object at `pos` in `buf` as JSON. It must be whole MessagePack whose
   * nesting was bounded (`skipItems`): recursion goes as deep as it nests.
   */
  value(buf: Buffer, pos: number): void {
    this.#at = pos;
    this.#value(buf);
  }

  /**
   * Adds the members of the map at `pos` without its braces and tells `onKey` the
   * key of each. Returns their number. The precondition of `value()` holds.
   */
  members(buf: Buffer, pos: number, onKey?: (key: string) => void): number {
    const pairs = lengthAt(buf, pos);
    this.#at = pos + headerBytes(buf[pos] as number);
    for (let i = 0; i < pairs; i += 1) {
      const key = this.#key(buf);
      onKey?.(key);
      this.#text += i === 0 ? `${JSON.stringify(key)}:` : `,${JSON.stringify(key)}:`;
      this.#value(buf);
    }
    return pairs;
  }

  #value(buf: Buffer): void {
    const lead = buf[this.#at] as number;
    if (isString(lead)) this.#text += JSON.stringify(this.#string(buf));
    else if (isMap(lead)) this.#map(buf);
    else if (isArray(lead)) this.#array(buf);
    else if (lead >= 0xc4 && lead <= 0xc6)
      this.#text += `"${this.#content(buf).toString('base64')}"`;
    else if (isExt(lead)) this.#ext(buf);
    else this.#scalar(buf, lead);
  }

  #map(buf: Buffer): void {
    this.#text += '{';
    this.members(buf, this.#at);
    this.#text += '}';
  }

  #array(buf: Buffer): void {
    const items = lengthAt(buf, this.#at);
    this.#at += headerBytes(buf[this.#at] as number);
    this.#text += '[';
    for (let i = 0; i < items; i += 1) {
      if (i > 0) this.#text += ',';
      this.#value(buf);
    }
    this.#text += ']';
  }

  #key(buf: Buffer): string {
    if (isString(buf[this.#at] as number)) return this.#string(buf);
    const before = this.take();
    this.#value(buf);
    const key = this.take();
    this.#text = before;
    return key.startsWith('"') ? key.slice(1, -1) : key; // base64, "NaN": nothing to unescape
  }

  #string(buf: Buffer): string {
    const start = this.#at + headerBytes(buf[this.#at] as number);
    const end = start + lengthAt(buf, this.#at);
    this.#at = end;
    return buf.toString('utf8', start, end);
  }

  /** The bytes of a bin. */
  #content(buf: Buffer): Buffer {
    const start = this.#at + headerBytes(buf[this.#at] as number);
    const end = start + lengthAt(buf, this.#at);
    this.#at = end;
    return buf.subarray(start, end);
  }

  #ext(buf: Buffer): void {
    const lead = buf[this.#at] as number;
    const fixed_bytes = LEAF_BYTES[lead] as number;
    const type_at = this.#at + (fixed_bytes > 0 ? 1 : headerBytes(lead));
    const end = fixed_bytes > 0 ? this.#at + fixed_bytes : type_at + 1 + lengthAt(buf, this.#at);
    const data = buf.toString('base64', type_at + 1, end);
    this.#text += `{"$ext":[${buf.readInt8(type_at)},"${data}"]}`;
    this.#at = end;
  }

  #scalar(buf: Buffer, lead: number): void {
    this.#text += scalarText(buf, this.#at, lead);
    this.#at += LEAF_BYTES[lead] as number;
  }
}

const isString = (lead: number): boolean =>
  (lead & 0xe0) === 0xa0 || (lead >= 0xd9 && lead <= 0xdb);

const isExt = (lead: number): boolean =>
  (lead >= 0xc7 && lead <= 0xc9) || (lead >= 0xd4 && lead <= 0xd8);

function scalarText(buf: Buffer, pos: number, lead: number): string {
  if (lead <= 0x7f) return String(lead);
  if (lead >= 0xe0) return String(lead - 256);
  if (lead === NIL) return 'null';
  if (lead === 0xc2) return 'false';
  if (lead === 0xc3) return 'true';
  if (lead === 0xca) return floatText(buf.readFloatBE(pos + 1));
  if (lead === 0xcb) return floatText(buf.readDoubleBE(pos + 1));
  if (lead === 0xcf) return String(buf.readBigUInt64BE(pos + 1));
  if (lead === 0xd3) return String(buf.readBigInt64BE(pos + 1));
  const bytes = (LEAF_BYTES[lead] as number) - 1;
  return String(lead >= 0xd0 ? buf.readIntBE(pos + 1, bytes) : buf.readUIntBE(pos + 1, bytes));
}

function floatText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}
