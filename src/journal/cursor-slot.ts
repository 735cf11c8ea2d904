/** The bytes of a cursor file. Numbers and crcs are as in format.ts. */
import { crc32 } from 'node:zlib';
import { FORMAT_VERSION, type Place } from './format.ts';
import { getU64, putU64 } from './u64.ts';

/**
 *     cursor file: two slots of equal size, at 0 and at half the file
 *
 *      0      4         6          8            16    24              32
 *     ┌──────┬─────────┬──────────┬────────────┬─────┬───────────────┬──────────────┐
 *     │ LBCU │ version │ reserved │ generation │ seq │ events before │ bytes before │
 *     │ 4 B  │ u16     │ u16      │ u64        │ u64 │ u64           │ u64          │
 *     └──────┴─────────┴──────────┴────────────┴─────┴───────────────┴──────────────┘
 *      40           56             60              64
 *     ┌────────────┬──────────────┬───────────────┬────────┐
 *     │ journal id │ window bytes │ crc of [0,60) │ window │
 *     │ 16 B       │ u32          │ and window    │        │
 *     └────────────┴──────────────┴───────────────┴────────┘
 *
 * The whole slot with the higher generation counts; the next save overwrites the
 * other one, so a torn write costs nothing but itself.
 */
export interface CursorSlot {
  readonly generation: number;
  readonly at: Place;
  readonly journal_id: Buffer;
  readonly window: Buffer;
}

export const CURSOR_SLOT_HEADER_BYTES = 64;
const CURSOR_MAGIC = Buffer.from('LBCU', 'latin1');

export function encodeCursorSlot(slot: CursorSlot): Buffer {
  const buf = Buffer.alloc(CURSOR_SLOT_HEADER_BYTES);
  CURSOR_MAGIC.copy(buf, 0);
  buf.writeUInt16LE(FORMAT_VERSION, 4);
  putU64(buf, slot.generation, 8);
  putU64(buf, slot.at.seq, 16);
  putU64(buf, slot.at.events_before, 24);
  putU64(buf, slot.at.bytes_before, 32);
  slot.journal_id.copy(buf, 40);
  buf.writeUInt32LE(slot.window.length, 56);
  buf.writeUInt32LE(crc32(slot.window, crc32(buf.subarray(0, 60))), 60);
  return Buffer.concat([buf, slot.window]);
}

/** Undefined if `buf` (a whole slot, as long as half the file) was never written, or is torn. */
export function decodeCursorSlot(buf: Buffer): CursorSlot | undefined {
  if (buf.length < CURSOR_SLOT_HEADER_BYTES || !buf.subarray(0, 4).equals(CURSOR_MAGIC)) {
    return undefined;
  }
  const window_bytes = buf.readUInt32LE(56);
  if (window_bytes > buf.length - CURSOR_SLOT_HEADER_BYTES) return undefined;
  const window = buf.subarray(CURSOR_SLOT_HEADER_BYTES, CURSOR_SLOT_HEADER_BYTES + window_bytes);
  if (crc32(window, crc32(buf.subarray(0, 60))) !== buf.readUInt32LE(60)) return undefined;
  return {
    generation: getU64(buf, 8),
    at: {
      seq: getU64(buf, 16),
      events_before: getU64(buf, 24),
      bytes_before: getU64(buf, 32),
    },
    journal_id: Buffer.from(buf.subarray(40, 56)),
    window: Buffer.from(window),
  };
}
