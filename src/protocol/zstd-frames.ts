/**
 * Finding the frames in a zstd stream (RFC 8878, 3.1) without decompressing them: where
 * each ends, and what it inflates to at most.
 *
 *     frame      | 28 b5 2f fd | descriptor | window? | dictionary? | content size? | block ... | checksum? |
 *     block      | header u24 LE: last (1 bit), type (2), size (21) | content |
 *     skippable  | 5x 2a 4d 18 | size u32 LE | content |
 */
import { syntaxError } from './protocol-error.ts';

export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** What the frame says it inflates to, or else what its blocks can at most. */
  readonly inflated_max_bytes: number;
}

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_MAX_BYTES = 128 * 1024;
const BLOCK = { raw: 0, rle: 1, compressed: 2 } as const;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

/** The frames in `buf`, in order, skippable ones left out. @throws LB_PROTOCOL_SYNTAX */
export function zstdFrames(buf: Buffer): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  let at = 0;
  while (at < buf.length) {
    const magic = at + 8 <= buf.length ? buf.readUInt32LE(at) : 0;
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at = within(buf, at + 8 + buf.readUInt32LE(at + 4));
    } else if (magic === FRAME_MAGIC) {
      const frame = readFrame(buf, at);
      frames.push(frame);
      at = frame.end;
    } else {
      throw syntaxError('a zstd frame', `other bytes at ${at} of ${buf.length}`);
    }
  }
  return frames;
}

function readFrame(buf: Buffer, start: number): ZstdFrame {
  const descriptor = buf.readUInt8(start + 4);
  const single_segment = (descriptor & 0x20) !== 0;
  const size_code = descriptor >>> 6;
  const size_bytes =
    size_code === 0 && single_segment ? 1 : (CONTENT_SIZE_BYTES[size_code] as number);
  const size_at =
    start + 5 + (single_segment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] as number);
  const blocks = within(buf, size_at + size_bytes);
  const stated = readContentSize(buf, size_at, size_bytes);
  const { end, inflated_max_bytes } = walkBlocks(buf, blocks);
  const checksum_bytes = (descriptor & 4) === 0 ? 0 : 4;
  return {
    start,
    end: within(buf, end + checksum_bytes),
    inflated_max_bytes: stated ?? inflated_max_bytes,
  };
}

function readContentSize(buf: Buffer, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 1:
      return buf.readUInt8(at);
    case 2:
      return buf.readUInt16LE(at) + 256;
    case 4:
      return buf.readUInt32LE(at);
    case 8:
      return Number(buf.readBigUInt64LE(at));
    default:
      return undefined;
  }
}

function walkBlocks(buf: Buffer, start: number): { end: number; inflated_max_bytes: number } {
  let at = start;
  let inflated_max_bytes = 0;
  for (;;) {
    const header = buf.readUIntLE(at, within(buf, at + 3) - at);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type > BLOCK.compressed) throw syntaxError('a zstd block', `type ${type} at ${at}`);
    inflated_max_bytes += type === BLOCK.compressed ? BLOCK_MAX_BYTES : size;
    at = within(buf, at + 3 + (type === BLOCK.rle ? 1 : size));
    if ((header & 1) === 1) return { end: at, inflated_max_bytes };
  }
}

function within(buf: Buffer, offset: number): number {
  if (offset <= buf.length) return offset;
  throw syntaxError(`a zstd frame of ${offset} bytes or more`, `${buf.length} bytes`);
}
