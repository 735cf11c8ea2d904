// In the byte loops below every index is below the length, so `as number` holds.
import { randomInt } from 'node:crypto';
import type { Tag } from './open-record.ts';

const TAGS_MAX = 16_384;
const TAG_BYTES_MAX = 4 * 1024 * 1024;
const SLOTS_MIN = 256;

/**
 * Finds a tag by its bytes, without making a string. An open-addressing table:
 * power-of-two size, at most half full. Tags stay for later commits; `trim`
 * empties a table that has become large, so it does not grow with the number of
 * tags that ever were.
 */
export class TagTable {
  /** Random, so that nobody can choose tags that collide. */
  readonly #seed = randomInt(2 ** 32);
  #slots: (Tag | undefined)[] = emptySlots(SLOTS_MIN);
  #count = 0;
  #bytes = 0;

  /** The entry for the tag at `source[start..end)`, made if need be. */
  find(source: Buffer, start: number, end: number): Tag {
    const hash = hashBytes(this.#seed, source, start, end);
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const tag = this.#slots[at];
      if (tag === undefined) return this.#add(at, hash, source, start, end);
      if (tag.hash === hash && equalBytes(tag.bytes, source, start, end)) return tag;
    }
  }

  /** Only between commits: open records hang on the tags. */
  trim(): void {
    if (this.#count <= TAGS_MAX && this.#bytes <= TAG_BYTES_MAX) return;
    this.#slots = emptySlots(SLOTS_MIN);
    this.#count = 0;
    this.#bytes = 0;
  }

  #add(at: number, hash: number, source: Buffer, start: number, end: number): Tag {
    const bytes = Buffer.from(source.subarray(start, end));
    const tag: Tag = { bytes, hash, open: undefined, last_bytes: 0 };
    this.#slots[at] = tag;
    this.#count++;
    this.#bytes += bytes.length;
    if (this.#count * 2 > this.#slots.length) this.#grow();
    return tag;
  }

  #grow(): void {
    const old = this.#slots;
    const size = old.length * 2;
    const slots = emptySlots(size);
    for (const tag of old) {
      if (tag === undefined) continue;
      let at = tag.hash & (size - 1);
      while (slots[at] !== undefined) at = (at + 1) & (size - 1);
      slots[at] = tag;
    }
    this.#slots = slots;
  }
}

const emptySlots = (size: number): (Tag | undefined)[] =>
  Array.from<Tag | undefined>({ length: size }).fill(undefined);

/** FNV-1a over four bytes at a time, each step's upper bits mixed into the lower, which pick the slot. */
function hashBytes(seed: number, source: Buffer, start: number, end: number): number {
  let hash = seed;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    const word =
      (source[at] as number) |
      ((source[at + 1] as number) << 8) |
      ((source[at + 2] as number) << 16) |
      ((source[at + 3] as number) << 24);
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (source[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Whether `bytes` equals `source[start..end)`. */
export function equalBytes(bytes: Buffer, source: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (bytes.length !== length) return false;
  // Tags differ at their ends more often than at their beginnings.
  for (let at = length - 1; at >= 0; at--) {
    if (bytes[at] !== source[start + at]) return false;
  }
  return true;
}
