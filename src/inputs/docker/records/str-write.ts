/** MessagePack written in place, where a Buffer for each value would cost more than the value. */

/** Of a str of so many bytes. */
export function strHeaderBytes(bytes: number): number {
  if (bytes <= 31) return 1;
  if (bytes <= 0xff) return 2;
  return bytes <= 0xffff ? 3 : 5;
}

/** Writes the header of a str of so many bytes at `at`; returns the offset behind it. */
export function writeStrHeader(out: Buffer, at: number, bytes: number): number {
  if (bytes <= 31) {
    out[at] = 0xa0 | bytes;
    return at + 1;
  }
  if (bytes <= 0xff) {
    out[at] = 0xd9;
    out[at + 1] = bytes;
    return at + 2;
  }
  if (bytes <= 0xffff) {
    out[at] = 0xda;
    out[at + 1] = bytes >>> 8;
    out[at + 2] = bytes & 0xff;
    return at + 3;
  }
  out[at] = 0xdb;
  return writeUint32(out, at + 1, bytes);
}

/** Writes four bytes, big-endian; returns the offset behind them. */
export function writeUint32(out: Buffer, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = (value >>> 16) & 0xff;
  out[at + 2] = (value >>> 8) & 0xff;
  out[at + 3] = value & 0xff;
  return at + 4;
}
