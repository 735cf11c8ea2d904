import {
  decodeStateItems,
  encodeStateHeader,
  SPACE_MAX,
  STATE_HEADER_BYTES,
  STATE_WHAT,
  type StateItem,
} from './state-items.ts';
import type { StateSpace } from './types.ts';

/**
 * The registered state spaces, and what was found of others: a space that a
 * newer logboom wrote is carried from segment to segment untouched, as its last
 * snapshot and the entries since, so that the way back to it loses nothing.
 */
export class Spaces {
  readonly #known: ReadonlyMap<number, StateSpace>;
  readonly #unknown = new Map<number, StateItem[]>();

  constructor(known: ReadonlyMap<number, StateSpace>) {
    for (const space of known.keys()) {
      if (!Number.isInteger(space) || space < 0 || space > SPACE_MAX) {
        throw new RangeError(`a state space is a number from 0 to ${SPACE_MAX}, not ${space}`);
      }
    }
    this.#known = known;
  }

  /** Begins from a snapshot record's body, or with nothing. Once, before any `apply`. */
  restore(snapshot: Buffer | undefined): void {
    const items = snapshot === undefined ? [] : decodeStateItems(snapshot);
    for (const [number, space] of this.#known) {
      const own = items.find((item) => item.space === number && item.what === STATE_WHAT.snapshot);
      space.restore(own?.content);
    }
    for (const item of items) {
      if (item.what === STATE_WHAT.entry) this.#applyItem(item);
      else if (!this.#known.has(item.space)) this.#carry(item);
    }
  }

  /** Applies a state record's body, in order. */
  apply(state: Buffer): void {
    for (const item of decodeStateItems(state)) this.#applyItem(item);
  }

  /** The body of a snapshot record: everything applied so far. */
  snapshot(): Buffer {
    const parts: Buffer[] = [];
    for (const [space, known] of this.#known) {
      push(parts, { space, what: STATE_WHAT.snapshot, content: known.snapshot() });
    }
    for (const items of this.#unknown.values()) {
      for (const item of items) push(parts, item);
    }
    return Buffer.concat(parts);
  }

  /** Whether entries for this space may be appended; throws if not. */
  assertKnown(space: number): void {
    if (this.#known.has(space)) return;
    throw new RangeError(`state space ${space} is not among the options of Journal.open`);
  }

  #applyItem(item: StateItem): void {
    const space = this.#known.get(item.space);
    if (space === undefined) this.#carry(item);
    else space.apply(item.content);
  }

  #carry(item: StateItem): void {
    const kept = { ...item, content: Buffer.from(item.content) };
    const items = this.#unknown.get(item.space);
    if (items === undefined) this.#unknown.set(item.space, [kept]);
    else items.push(kept);
  }
}

function push(parts: Buffer[], item: StateItem): void {
  const header = Buffer.alloc(STATE_HEADER_BYTES);
  encodeStateHeader(header, 0, item.space, item.what, item.content.length);
  parts.push(header, item.content);
}
