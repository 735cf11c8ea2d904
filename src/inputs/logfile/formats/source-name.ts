import { SOURCE, type Source } from '../types.ts';

/** `stdout` and `stderr` are equally long. */
export const SOURCE_NAME_BYTES = 6;

/**
 * Reads `stdout` or `stderr` at `at` into `into`; false if something else is there. The caller has
 * checked that so many bytes belong to the entry.
 */
export function readSource(buf: Buffer, at: number, into: { source: Source }): boolean {
  // They differ in the last three bytes.
  if (buf[at] !== 0x73 || buf[at + 1] !== 0x74 || buf[at + 2] !== 0x64) return false;
  const out = buf[at + 3] === 0x6f && buf[at + 4] === 0x75 && buf[at + 5] === 0x74;
  const err = buf[at + 3] === 0x65 && buf[at + 4] === 0x72 && buf[at + 5] === 0x72;
  into.source = out ? SOURCE.stdout : SOURCE.stderr;
  return out || err;
}
