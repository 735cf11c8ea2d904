/**
 * Reading MessagePack without decoding it: where an object ends, how long a str
 * is, how many items a container has.
 *
 * In the functions below `buf[i] as number` stands for a read that was checked
 * against `end` before: a checked accessor per byte would halve the rate of the
 * hot path.
 *
 *     lead byte      family                   what follows
 *     00-7f, e0-ff   small integers           nothing
 *     80-8f, de, df  map                      2n items        (count in the lead, u16, u32)
 *     90-9f, dc, dd  array                    n items         (count in the lead, u16, u32)
 *     a0-bf, d9-db   str                      n bytes         (length in the lead, u8, u16, u32)
 *     c0, c2, c3     nil, false, true         nothing
 *     c1             never used               an error
 *     c4-c6          bin                      n bytes         (length u8, u16, u32)
 *     c7-c9          ext                      type, n bytes   (length u8, u16, u32)
 *     ca, cb         float                    4, 8 bytes
 *     cc-cf, d0-d3   unsigned, signed         1, 2, 4, 8 bytes
 *     d4-d8          fixext                   type, 1, 2, 4, 8, 16 bytes
 */
import { limitError, syntaxError } from './protocol-error.ts';

/** What walkers return for an object that goes on behind `end`. */
export const INCOMPLETE = -1;

export const NIL = 0xc0;
const NEVER_USED = 0xc1;

/** Whole size of an object that its lead byte alone determines; 0: look closer. */
export const LEAF_BYTES: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, lead) => {
  if (lead <= 0x80 || lead === 0x90 || lead >= 0xe0) return 1;
  if (lead >= 0xa0 && lead <= 0xbf) return 1 + (lead & 0x1f);
  if (lead === NIL || lead === 0xc2 || lead === 0xc3) return 1;
  if (lead === 0xca) return 5;
  if (lead === 0xcb) return 9;
  if (lead >= 0xcc && lead <= 0xcf) return 1 + 2 ** (lead - 0xcc);
  if (lead >= 0xd0 && lead <= 0xd3) return 1 + 2 ** (lead - 0xd0);
  if (lead >= 0xd4 && lead <= 0xd8) return 2 + 2 ** (lead - 0xd4);
  return 0;
});

/** Width of the length or count field behind the lead byte; 0: there is none. */
export const LENGTH_BYTES: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, lead) => {
  if (lead === 0xc4 || lead === 0xc7 || lead === 0xd9) return 1;
  if (lead === 0xc5 || lead === 0xc8 || lead === 0xda || lead === 0xdc || lead === 0xde) return 2;
  if (lead === 0xc6 || lead === 0xc9 || lead === 0xdb || lead === 0xdd || lead === 0xdf) return 4;
  return 0;
});

export const isMap = (lead: number): boolean =>
  (lead & 0xf0) === 0x80 || lead === 0xde || lead === 0xdf;

export const isArray = (lead: number): boolean =>
  (lead & 0xf0) === 0x90 || lead === 0xdc || lead === 0xdd;

/** str or bin: on this protocol they are used for each other (formats.md 1.2, 1.9). */
export const isBytes = (lead: number): boolean =>
  (lead & 0xe0) === 0xa0 || (lead >= 0xd9 && lead <= 0xdb) || (lead >= 0xc4 && lead <= 0xc6);

const isExt = (lead: number): boolean => lead >= 0xc7 && lead <= 0xc9;

/** Bytes of lead and length field together: the content begins behind them. */
export const headerBytes = (lead: number): number => 1 + (LENGTH_BYTES[lead] as number);

export function u16(buf: Uint8Array, at: number): number {
  return ((buf[at] as number) << 8) | (buf[at + 1] as number);
}

export function u32(buf: Uint8Array, at: number): number {
  return (
    (buf[at] as number) * 0x1000000 +
    (((buf[at + 1] as number) << 16) | ((buf[at + 2] as number) << 8) | (buf[at + 3] as number))
  );
}

/**
 * The length field behind the lead byte at `at`, or the length that a fixstr, fixmap or fixarray
 * carries itself.
 */
export function lengthAt(buf: Uint8Array, at: number): number {
  const lead = buf[at] as number;
  switch (LENGTH_BYTES[lead]) {
    case 1:
      return buf[at + 1] as number;
    case 2:
      return u16(buf, at + 1);
    case 4:
      return u32(buf, at + 1);
    default:
      return (lead & 0xe0) === 0xa0 ? lead & 0x1f : lead & 0x0f;
  }
}

/**
 * Skips `items` objects from `pos` on. Returns the offset behind them, or
 * INCOMPLETE when they do not end before `end`.
 *
 * @param levels how deep containers may still nest inside; more throws LB_PROTOCOL_LIMIT
 * @throws LB_PROTOCOL_SYNTAX for the byte c1
 */
export function skipItems(
  buf: Uint8Array,
  pos: number,
  end: number,
  items: number,
  levels: number,
): number {
  let at = pos;
  for (let left = items; left > 0; left -= 1) {
    if (at >= end) return INCOMPLETE;
    const leaf = LEAF_BYTES[buf[at] as number] as number;
    if (leaf !== 0) {
      at += leaf;
    } else {
      at = skipLong(buf, at, end, levels);
      if (at < 0) return INCOMPLETE;
    }
  }
  return at <= end ? at : INCOMPLETE;
}

/** An object whose size is not in its lead byte. */
function skipLong(buf: Uint8Array, pos: number, end: number, levels: number): number {
  const lead = buf[pos] as number;
  if (lead === NEVER_USED) throw syntaxError('MessagePack', 'the byte 0xc1, which it never uses');
  const content = pos + headerBytes(lead);
  if (content > end) return INCOMPLETE;
  const length = lengthAt(buf, pos);
  if (isMap(lead) || isArray(lead)) {
    if (length > 0 && levels <= 0) throw nestingError();
    return skipItems(buf, content, end, isMap(lead) ? length * 2 : length, levels - 1);
  }
  const next = content + length + (isExt(lead) ? 1 : 0);
  return next <= end ? next : INCOMPLETE;
}

export function nestingError(): Error {
  return limitError('arrays and maps nest too deep', 'a further level', 'nesting_max_levels');
}

/**
 * Is `text` (ASCII) what stands in `buf` from `at` on? The caller has checked that so many bytes
 * are there.
 */
export function equalsAscii(buf: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (buf[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
