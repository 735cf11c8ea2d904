import { LRUCache } from 'lru-cache';
import type { ChunkEntry } from './dedup-entry.ts';

/**
 * What became of a chunk's ack:
 * - `open`: not written, or the connection failed before the client's next message
 * - `written`: handed to the kernel; the connection lives
 * - `received`: the client went on, so it has it
 */
type Delivery = 'open' | 'written' | 'received';

/** A client chunk that is durable, or about to be. */
export interface HeldChunk {
  /** See `chunkKey`. */
  readonly key: string;
  readonly sender: string;
  /** The connection that the ack goes out on: a re-send moves it. */
  connection: number;
  readonly settles: boolean;
  delivery: Delivery;
}

export function entryOf({ key, sender, connection, settles, delivery }: HeldChunk): ChunkEntry {
  return { key, sender, connection, settles, received: delivery === 'received' };
}

/**
 * The durable chunks of one sender. Those whose ack it may lack are kept apart:
 * however much its other connections send, they don't push these out.
 */
export class SenderWindow {
  readonly #awaiting: LRUCache<string, HeldChunk>;
  readonly #received: LRUCache<string, HeldChunk>;

  constructor(max_ids: number) {
    // `maxSize` grows with use; `max` would allocate room for all ids of every sender at once.
    const options = { maxSize: max_ids, sizeCalculation: () => 1 };
    this.#awaiting = new LRUCache(options);
    this.#received = new LRUCache(options);
  }

  get size(): number {
    return this.#awaiting.size + this.#received.size;
  }

  find(key: string): HeldChunk | undefined {
    return this.#awaiting.get(key) ?? this.#received.get(key);
  }

  /** Takes the place of an earlier chunk of the same id and body. */
  hold(chunk: HeldChunk): void {
    this.#awaiting.delete(chunk.key);
    this.#received.delete(chunk.key);
    const side = chunk.delivery === 'received' ? this.#received : this.#awaiting;
    side.set(chunk.key, chunk);
  }

  /** The client has the ack: the chunk only waits to be forgotten. */
  settle(chunk: HeldChunk): void {
    chunk.delivery = 'received';
    if (this.#awaiting.peek(chunk.key) !== chunk) return;
    this.#awaiting.delete(chunk.key);
    this.#received.set(chunk.key, chunk);
  }

  /** Forgets the chunk that is the least likely to come again. */
  forgetOne(): void {
    if (this.#received.pop() === undefined) this.#awaiting.pop();
  }

  /** The oldest first. */
  *chunks(): Iterable<HeldChunk> {
    for (const side of [this.#received, this.#awaiting]) {
      for (const chunk of side.rvalues()) if (chunk !== undefined) yield chunk;
    }
  }
}
