import { createHash } from 'node:crypto';
import type { LineFormat } from '../types.ts';
import { type FileBytes, readStretch } from './file-bytes.ts';

/** Most first entries lie within this. */
const HEAD_SMALL_BYTES = 4 * 1024;
/** 16 KiB of control characters take 96 KiB as JSON. */
const HEAD_BYTES = 128 * 1024;
/** So much of an entry tells it from others: Docker's lines carry nanoseconds. */
const HASHED_MAX_BYTES = 1024;
const FINGERPRINT_BYTES = 6;

/**
 * What a file is known by, whatever its name (DESIGN 7): a hash of its first entry, 48 bits.
 * `head` are the file's first bytes. 0: the first entry is not whole yet. Once it is
 * known it does not change as the file grows.
 */
export function fingerprintOf(format: LineFormat, head: Buffer): number {
  const looked_at = head.subarray(0, HEAD_BYTES);
  const is_full = looked_at.length === HEAD_BYTES;
  let at = 0;
  while (at < looked_at.length) {
    const end = format.entryEnd(looked_at, at, looked_at.length);
    if (end > at) return hashOf(looked_at.subarray(at, end));
    if (end === -1) return is_full ? hashOf(looked_at.subarray(at)) : 0;
    at = format.resync(looked_at, at, looked_at.length);
  }
  return is_full ? hashOf(looked_at) : 0;
}

/** `fingerprintOf` an open file. */
export async function readFingerprint(format: LineFormat, bytes: FileBytes): Promise<number> {
  const small = await readStretch(bytes, Buffer.allocUnsafe(HEAD_SMALL_BYTES), 0);
  const known = fingerprintOf(format, small);
  if (known !== 0 || small.length < HEAD_SMALL_BYTES) return known;
  return fingerprintOf(format, await readStretch(bytes, Buffer.allocUnsafe(HEAD_BYTES), 0));
}

function hashOf(entry: Buffer): number {
  const hashed = createHash('sha256').update(entry.subarray(0, HASHED_MAX_BYTES)).digest();
  // 0 stands for a file without an entry.
  return hashed.readUIntBE(0, FINGERPRINT_BYTES) || 1;
}
