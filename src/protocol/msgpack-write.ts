/** MessagePack headers and small values, each in its shortest form. */

/** @param wide lead bytes for a length of 8, 16 and 32 bits; 0: there is no 8-bit form */
function header(
  length: number,
  fixed: number,
  fixed_max: number,
  wide: readonly [number, number, number],
): Buffer {
  if (length <= fixed_max) return Buffer.of(fixed | length);
  if (length <= 0xff && wide[0] !== 0) return Buffer.of(wide[0], length);
  if (length <= 0xffff) return Buffer.of(wide[1], length >>> 8, length & 0xff);
  const out = Buffer.alloc(5, wide[2]);
  out.writeUInt32BE(length, 1);
  return out;
}

export const strHeader = (bytes: number): Buffer => header(bytes, 0xa0, 31, [0xd9, 0xda, 0xdb]);
export const binHeader = (bytes: number): Buffer => header(bytes, 0, -1, [0xc4, 0xc5, 0xc6]);
export const arrayHeader = (items: number): Buffer => header(items, 0x90, 15, [0, 0xdc, 0xdd]);
export const mapHeader = (pairs: number): Buffer => header(pairs, 0x80, 15, [0, 0xde, 0xdf]);

/** A str of text as UTF-8, or of bytes as they are. */
export function str(content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([strHeader(bytes.length), bytes]);
}

export const bin = (bytes: Uint8Array): Buffer => Buffer.concat([binHeader(bytes.length), bytes]);

/** An unsigned integer up to 2^32 - 1. */
export const uint = (value: number): Buffer => header(value, 0, 0x7f, [0xcc, 0xcd, 0xce]);

/** An integer of up to 64 bits. @throws RangeError beyond */
export function integer(value: bigint): Buffer {
  if (value >= 0n && value <= 0xffffffffn) return uint(Number(value));
  if (value >= -32n && value < 0n) return Buffer.of(Number(value) & 0xff);
  const out = Buffer.alloc(9);
  if (value > 0n) {
    out[0] = 0xcf;
    out.writeBigUInt64BE(value, 1);
  } else {
    out[0] = 0xd3;
    out.writeBigInt64BE(value, 1);
  }
  return out;
}

export function float64(value: number): Buffer {
  const out = Buffer.alloc(9, 0xcb);
  out.writeDoubleBE(value, 1);
  return out;
}
