import { LRUCache } from 'lru-cache';
import type { ChunkBody, ChunkEntry } from './dedup-entry.ts';

const KEY_HEAD_BYTES = 12;

/**
 * What became of a chunk's ack:
 * - `open`: not written, or the connection failed before the client's next message
 * - `written`: handed to the kernel; the connection lives
 * - `received`: the client went on, so it has it
 */
type Delivery = 'open' | 'written' | 'received';

/** A client chunk that is durable, or about to be. */
export interface HeldChunk extends ChunkBody {
  /** Tells it from the others of its sender; see `chunkKey`. */
  readonly key: string;
  readonly sender: string;
  readonly id: string;
  /** The connection that the ack goes out on: a re-send moves it. */
  connection: number;
  readonly settles: boolean;
  delivery: Delivery;
}

/**
 * What a sender's chunk is known by:
 *
 *     | tag crc u32 | body crc u32 | body bytes u32 | id ... |    one character a byte
 *
 * The id alone does not do: clients built with Go before 1.20, which does not seed its
 * random numbers, give different messages the same ids.
 */
export function chunkKey(id: string, body: ChunkBody): string {
  const key = Buffer.allocUnsafe(KEY_HEAD_BYTES + id.length);
  key.writeUInt32BE(body.tag_crc, 0);
  key.writeUInt32BE(body.body_crc, 4);
  key.writeUInt32BE(body.body_bytes, 8);
  key.write(id, KEY_HEAD_BYTES, 'latin1');
  return key.toString('latin1');
}

export const entryOf = (chunk: HeldChunk): ChunkEntry => ({
  ...chunk,
  received: chunk.delivery === 'received',
});

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
