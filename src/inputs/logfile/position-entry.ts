/**
 * How positions are written down, as state entries beside their events and in snapshots.
 * All integers big-endian.
 *
 *     entry     | kind u8 | key length u8 | key | updated u48, seconds | value ... to the end |
 *     snapshot  | version u8 | { entry length u32 | entry } ... |
 *     place     | fingerprint u48 | offset u48 | check u32 |
 *
 * An entry that deletes ends behind its key.
 */
import { LogboomError } from '../../errors.ts';
import { newerVersion } from './newer-version.ts';
import type { LogPlace } from './types.ts';

const VERSION = 1;
const KEY_MAX_BYTES = 255;
const KIND = { deleted: 0, alive: 1, gone: 2 } as const;
const HEAD_BYTES = 2;
const UPDATED_BYTES = 6;
const LENGTH_BYTES = 4;

/** Bytes that a `LogPlace` takes within a value. */
export const PLACE_BYTES = 16;

export interface Position {
  readonly value: Buffer;
  /** When it was last noted; once its source is gone, when that was seen. */
  readonly updated_s: number;
  readonly is_gone: boolean;
}

/** `position` undefined: the key is deleted. */
export interface PositionEntry {
  readonly key: string;
  readonly position: Position | undefined;
}

/** @throws RangeError for a key that is empty or longer than 255 bytes. */
export function encodeEntry({ key, position }: PositionEntry): Buffer {
  const key_bytes = Buffer.from(key, 'utf8');
  if (key_bytes.length === 0 || key_bytes.length > KEY_MAX_BYTES) {
    throw new RangeError(
      `a position's key takes 1 to ${KEY_MAX_BYTES} bytes, not ${key_bytes.length}`,
    );
  }
  if (position === undefined) {
    return Buffer.concat([Buffer.from([KIND.deleted, key_bytes.length]), key_bytes]);
  }
  const kind = position.is_gone ? KIND.gone : KIND.alive;
  const updated = Buffer.allocUnsafe(UPDATED_BYTES);
  updated.writeUIntBE(position.updated_s, 0, UPDATED_BYTES);
  return Buffer.concat([Buffer.from([kind, key_bytes.length]), key_bytes, updated, position.value]);
}

/** The value is copied. @throws LB_JOURNAL_CORRUPT for bytes that are no entry, LB_JOURNAL_VERSION for a kind of a newer version. */
export function decodeEntry(bytes: Buffer): PositionEntry {
  const key_bytes = bytes[1];
  if (key_bytes === undefined) throw corrupt(`an entry of ${bytes.length} bytes is too short`);
  const key_end = HEAD_BYTES + key_bytes;
  const kind = bytes.readUInt8(0);
  if (kind > KIND.gone) throw newerVersion('the kind of an entry of positions', kind, KIND.gone);
  const least_bytes = kind === KIND.deleted ? key_end : key_end + UPDATED_BYTES;
  if (bytes.length < least_bytes) {
    throw corrupt(
      `an entry of kind ${kind} takes ${least_bytes} bytes or more, not ${bytes.length}`,
    );
  }
  const key = bytes.toString('utf8', HEAD_BYTES, key_end);
  if (kind === KIND.deleted) return { key, position: undefined };
  const updated_s = bytes.readUIntBE(key_end, UPDATED_BYTES);
  const value = Buffer.from(bytes.subarray(least_bytes));
  return { key, position: { value, updated_s, is_gone: kind === KIND.gone } };
}

export function encodeSnapshot(entries: Iterable<PositionEntry>): Buffer {
  const pieces: Buffer[] = [Buffer.from([VERSION])];
  for (const entry of entries) {
    const bytes = encodeEntry(entry);
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE(bytes.length);
    pieces.push(length, bytes);
  }
  return Buffer.concat(pieces);
}

/** @throws LB_JOURNAL_CORRUPT for bytes that are no snapshot, LB_JOURNAL_VERSION for a newer one. */
export function decodeSnapshot(bytes: Buffer): PositionEntry[] {
  const version = bytes[0];
  if (version === undefined) throw corrupt('an empty snapshot');
  if (version !== VERSION) {
    throw newerVersion('the snapshot of positions', version, VERSION);
  }
  const entries: PositionEntry[] = [];
  let at = 1;
  while (at < bytes.length) {
    const start = at + LENGTH_BYTES;
    const end = start <= bytes.length ? start + bytes.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw corrupt(`a snapshot breaks off at byte ${at}`);
    entries.push(decodeEntry(bytes.subarray(start, end)));
    at = end;
  }
  return entries;
}

export function encodePlace(place: LogPlace): Buffer {
  const out = Buffer.allocUnsafe(PLACE_BYTES);
  out.writeUIntBE(place.fingerprint, 0, 6);
  out.writeUIntBE(place.offset, 6, 6);
  out.writeUInt32BE(place.check, 12);
  return out;
}

/** The place that begins at `start`. @throws LB_JOURNAL_CORRUPT where there are too few bytes. */
export function decodePlace(bytes: Buffer, start = 0): LogPlace {
  if (start + PLACE_BYTES > bytes.length) {
    throw corrupt(`a place takes ${PLACE_BYTES} bytes, not ${bytes.length - start}`);
  }
  return {
    fingerprint: bytes.readUIntBE(start, 6),
    offset: bytes.readUIntBE(start + 6, 6),
    check: bytes.readUInt32BE(start + 12),
  };
}

function corrupt(what: string): LogboomError {
  return new LogboomError('LB_JOURNAL_CORRUPT', `positions: ${what}`);
}
