/**
 * How the merge of one container is written down. All integers little-endian; places as in
 * position-entry.ts.
 *
 *     change    | 1 u8 | container 32 B | journaled place | lane stdout | lane stderr |
 *     forget    | 2 u8 | container 32 B |
 *     lane      | flags u8 | seen place, if flags & 1 | ahead first u48 |
 *               | added u32 | key f64 ... | taken u32 | number behind the first u32 ... |
 *     snapshot  | version u8 | { change bytes u32 | change } ... |
 *
 * A snapshot is one change for each container, from nothing.
 */
import { LogboomError } from '../../../errors.ts';
import { newerVersion } from '../../logfile/newer-version.ts';
import { decodePlace, encodePlace, PLACE_BYTES } from '../../logfile/position-entry.ts';
import type { LogPlace } from '../../logfile/types.ts';
import type { LaneChange } from './reconcile.ts';

export const KIND = { change: 1, forget: 2 } as const;
const VERSION = 1;
const ID_BYTES = 32;
const LANE_HEAD_BYTES = 15;
const KEY_BYTES = 8;
const NUMBER_BYTES = 4;
const FLAG_SEEN = 1;

export interface MergeChange {
  /** 64 hex digits. */
  readonly container_id: string;
  readonly journaled: LogPlace;
  /** By source. */
  readonly lanes: readonly [LaneChange, LaneChange];
}

export type MergeEntry =
  | { readonly kind: typeof KIND.change; readonly change: MergeChange }
  | { readonly kind: typeof KIND.forget; readonly container_id: string };

export function encodeChange({ container_id, journaled, lanes }: MergeChange): Buffer {
  const lanes_bytes = laneBytes(lanes[0]) + laneBytes(lanes[1]);
  const out = Buffer.allocUnsafe(1 + ID_BYTES + PLACE_BYTES + lanes_bytes);
  out[0] = KIND.change;
  out.write(container_id, 1, ID_BYTES, 'hex');
  let at = putPlace(out, journaled, 1 + ID_BYTES);
  for (const lane of lanes) at = putLane(out, lane, at);
  return out;
}

export function encodeForget(container_id: string): Buffer {
  const out = Buffer.allocUnsafe(1 + ID_BYTES);
  out[0] = KIND.forget;
  out.write(container_id, 1, ID_BYTES, 'hex');
  return out;
}

/** @throws LB_JOURNAL_CORRUPT for bytes that are no entry, LB_JOURNAL_VERSION for a kind of a newer version */
export function decodeEntry(bytes: Buffer): MergeEntry {
  if (bytes.length < 1 + ID_BYTES) throw corrupt(`an entry of ${bytes.length} bytes is too short`);
  const container_id = bytes.toString('hex', 1, 1 + ID_BYTES);
  if (bytes[0] === KIND.forget) return { kind: KIND.forget, container_id };
  const kind = bytes.readUInt8(0);
  if (kind !== KIND.change) throw newerVersion('the kind of an entry of merges', kind, KIND.forget);
  const reader = new FieldReader(bytes, 1 + ID_BYTES);
  const journaled = reader.place();
  const lanes = [reader.lane(), reader.lane()] as const;
  return { kind: KIND.change, change: { container_id, journaled, lanes } };
}

export function encodeSnapshot(changes: Iterable<MergeChange>): Buffer {
  const parts: Buffer[] = [Buffer.of(VERSION)];
  for (const change of changes) {
    const entry = encodeChange(change);
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32LE(entry.length);
    parts.push(head, entry);
  }
  return Buffer.concat(parts);
}

/** @throws LB_JOURNAL_CORRUPT for bytes that are no snapshot, LB_JOURNAL_VERSION for a newer one */
export function decodeSnapshot(bytes: Buffer): MergeEntry[] {
  const version = bytes[0];
  if (version === undefined) throw corrupt('an empty snapshot');
  if (version !== VERSION) throw newerVersion('the snapshot of merges', version, VERSION);
  const entries: MergeEntry[] = [];
  let at = 1;
  while (at < bytes.length) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Number.NaN;
    if (!(end <= bytes.length)) throw corrupt(`a snapshot ends within the entry at ${at}`);
    entries.push(decodeEntry(bytes.subarray(at + 4, end)));
    at = end;
  }
  return entries;
}

function laneBytes({ seen, ahead_added, ahead_taken }: LaneChange): number {
  const seen_bytes = seen === undefined ? 0 : PLACE_BYTES;
  const lists_bytes = KEY_BYTES * ahead_added.length + NUMBER_BYTES * ahead_taken.length;
  return LANE_HEAD_BYTES + seen_bytes + lists_bytes;
}

function putLane(out: Buffer, lane: LaneChange, start: number): number {
  const { seen, ahead_first, ahead_added, ahead_taken } = lane;
  let at = out.writeUInt8(seen === undefined ? 0 : FLAG_SEEN, start);
  if (seen !== undefined) at = putPlace(out, seen, at);
  at = out.writeUIntLE(ahead_first, at, 6);
  at = out.writeUInt32LE(ahead_added.length, at);
  for (const key of ahead_added) at = out.writeDoubleLE(key, at);
  at = out.writeUInt32LE(ahead_taken.length, at);
  for (const number of ahead_taken) at = out.writeUInt32LE(number - ahead_first, at);
  return at;
}

function putPlace(out: Buffer, place: LogPlace, at: number): number {
  return at + encodePlace(place).copy(out, at);
}

class FieldReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  place(): LogPlace {
    return decodePlace(this.#bytes, this.#take(PLACE_BYTES));
  }

  lane(): LaneChange {
    const flags = this.#bytes.readUInt8(this.#take(1));
    const seen = (flags & FLAG_SEEN) === 0 ? undefined : this.place();
    const ahead_first = this.#bytes.readUIntLE(this.#take(6), 6);
    const ahead_added = this.#list(KEY_BYTES, (at) => this.#bytes.readDoubleLE(at));
    const ahead_taken = this.#list(
      NUMBER_BYTES,
      (at) => this.#bytes.readUInt32LE(at) + ahead_first,
    );
    return { ahead_first, ahead_added, ahead_taken, seen };
  }

  #list(item_bytes: number, read: (at: number) => number): number[] {
    const count = this.#bytes.readUInt32LE(this.#take(4));
    const start = this.#take(item_bytes * count);
    return Array.from({ length: count }, (_, index) => read(start + item_bytes * index));
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) {
      throw corrupt(`an entry ends after ${this.#bytes.length} bytes, within a field at ${at}`);
    }
    this.#at += bytes;
    return at;
  }
}

function corrupt(what: string): LogboomError {
  return new LogboomError('LB_JOURNAL_CORRUPT', `state of the merge of stream and cache: ${what}`);
}
