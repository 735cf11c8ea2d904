import type { StateSpace } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
import {
  decodeEntry,
  decodeSnapshot,
  encodeEntry,
  encodeSnapshot,
  type Position,
  type PositionEntry,
} from './position-entry.ts';

/** The journal's state space of positions. */
export const POSITION_SPACE = 2;

/**
 * The durable positions of sources (DESIGN 1): a key, such as a container's id and what is
 * read of it, and a small value that only its owner understands. Nothing changes here
 * before it is durable: an owner appends events and in the same go notes
 *
 *     journal.note(POSITION_SPACE, positions.entry(key, value, now_s));
 *
 * so that both are in one commit, and `get` shows it once that commit is applied.
 *
 * Invariants:
 * - keys are in the order in which they were last noted
 * - there are at most `max_keys`: beyond it the one that was noted least recently is
 *   forgotten, the same one when the journal is replayed
 */
export class Positions implements StateSpace {
  readonly #max_keys: number;
  readonly #by_key = new Map<string, Position>();
  #forgotten_count = 0;

  constructor(max_keys: number = LIMITS.positions_max) {
    this.#max_keys = max_keys;
  }

  get size(): number {
    return this.#by_key.size;
  }

  /** Positions lost to `max_keys` since the journal was opened. */
  get forgotten_count(): number {
    return this.#forgotten_count;
  }

  /** The durable value; not to be written to. */
  get(key: string): Buffer | undefined {
    return this.#by_key.get(key)?.value;
  }

  keys(): IterableIterator<string> {
    return this.#by_key.keys();
  }

  /** For the journal: from its commit on the key has this value. A key takes 1 to 255 bytes. */
  entry(key: string, value: Buffer, now_s: number): Buffer {
    return encodeEntry({ key, position: { value, updated_s: now_s, is_gone: false } });
  }

  /** For the journal: from its commit on the key has no value. */
  deletion(key: string): Buffer {
    return encodeEntry({ key, position: undefined });
  }

  /**
   * Entries for the journal: sources that are not among `keys_alive` any more are marked
   * as gone since `now_s`, and `after_s` later their positions are deleted; a source that came back is
   * unmarked. Marks are durable, so restarts do not lengthen the time.
   */
  expire(keys_alive: ReadonlySet<string>, now_s: number, after_s: number): Buffer[] {
    const entries: Buffer[] = [];
    for (const [key, position] of this.#by_key) {
      const { is_gone, updated_s } = position;
      const is_alive = keys_alive.has(key);
      // A mark of the future is from before the clock was set back.
      if (is_alive === is_gone || (is_gone && updated_s > now_s)) {
        entries.push(
          encodeEntry({ key, position: { ...position, updated_s: now_s, is_gone: !is_alive } }),
        );
      } else if (is_gone && now_s - updated_s >= after_s) {
        entries.push(this.deletion(key));
      }
    }
    return entries;
  }

  apply(bytes: Buffer): void {
    this.#set(decodeEntry(bytes));
  }

  snapshot(): Buffer {
    const entries = Array.from(this.#by_key, ([key, position]) => ({ key, position }));
    return encodeSnapshot(entries);
  }

  restore(snapshot: Buffer | undefined): void {
    this.#by_key.clear();
    this.#forgotten_count = 0;
    if (snapshot === undefined) return;
    for (const entry of decodeSnapshot(snapshot)) this.#set(entry);
  }

  #set({ key, position }: PositionEntry): void {
    this.#by_key.delete(key);
    if (position === undefined) return;
    this.#by_key.set(key, position);
    if (this.#by_key.size <= this.#max_keys) return;
    this.#by_key.delete(this.#mostExpendable());
    this.#forgotten_count++;
  }

  /** A source that is gone, or else the one that was noted least recently. */
  #mostExpendable(): string {
    for (const [key, { is_gone }] of this.#by_key) if (is_gone) return key;
    const [least_recent = ''] = this.#by_key.keys();
    return least_recent;
  }
}
