export const TWO_TO_32 = 0x1_0000_0000;

/** Writes `value`, a whole number from 0 to 2^53 - 1, little-endian. */
export function putU64(buf: Buffer, value: number, at: number): void {
  buf.writeUInt32LE(value % TWO_TO_32, at);
  buf.writeUInt32LE(Math.floor(value / TWO_TO_32), at + 4);
}

/** Numbers beyond 2^53 - 1 lose precision; the checksum around them has failed by then. */
export function getU64(buf: Buffer, at: number): number {
  return buf.readUInt32LE(at) + buf.readUInt32LE(at + 4) * TWO_TO_32;
}
