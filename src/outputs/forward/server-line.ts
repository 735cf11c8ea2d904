import { type Chunk, compareChunks } from './chunk.ts';

/**
 * One server's share of the window: a queue of pending chunks in journal order, and
 * what is in flight in the order sent. Part of `AckWindow`, which owns the invariants.
 */
export class ServerLine {
  #pending: Chunk[] = [];
  #pending_head = 0;
  readonly #in_flight = new Map<string, Chunk>();
  #oldest_since_ms: number | undefined;

  get in_flight_count(): number {
    return this.#in_flight.size;
  }

  get oldest_since_ms(): number | undefined {
    return this.#oldest_since_ms;
  }

  inFlight(id: string): Chunk | undefined {
    return this.#in_flight.get(id);
  }

  append(chunk: Chunk): void {
    this.#pending.push(chunk);
  }

  /** Puts chunks where they belong by their place in the journal. */
  insert(chunks: readonly Chunk[]): void {
    if (chunks.length === 0) return;
    this.#pending = [...chunks, ...this.#rest()].toSorted(compareChunks);
    this.#pending_head = 0;
  }

  remove(chunk: Chunk): void {
    this.removeAll(new Set([chunk]));
  }

  removeAll(chunks: ReadonlySet<Chunk>): void {
    this.#pending = this.#rest().filter((chunk) => !chunks.has(chunk));
    this.#pending_head = 0;
  }

  /** The chunk that may be sent now. One that is sent alone waits for, and holds up, all others. */
  head(): Chunk | undefined {
    const chunk = this.#pending[this.#pending_head];
    if (chunk === undefined || chunk.held) return undefined;
    if (this.#in_flight.size === 0) return chunk;
    return chunk.alone || this.#soleInFlight()?.alone === true ? undefined : chunk;
  }

  take(now_ms: number): Chunk | undefined {
    const chunk = this.head();
    if (chunk === undefined) return undefined;
    this.#pending_head++;
    if (this.#pending_head * 2 > this.#pending.length + 64) {
      this.#pending = this.#rest();
      this.#pending_head = 0;
    }
    if (this.#in_flight.size === 0) this.#oldest_since_ms = now_ms;
    this.#in_flight.set(chunk.id, chunk);
    chunk.state = 'in_flight';
    chunk.sent_ms = now_ms;
    return chunk;
  }

  /** Takes a chunk out of flight. The oldest one's clock goes on if a later one was acked before it. */
  acked(id: string, now_ms: number): Chunk | undefined {
    const chunk = this.#in_flight.get(id);
    if (chunk === undefined) return undefined;
    const was_oldest = this.#in_flight.keys().next().value === id;
    this.#in_flight.delete(id);
    if (this.#in_flight.size === 0) this.#oldest_since_ms = undefined;
    else if (was_oldest) this.#oldest_since_ms = now_ms;
    return chunk;
  }

  /** Empties what is in flight; in the order sent. */
  takeInFlight(): Chunk[] {
    const chunks = [...this.#in_flight.values()];
    this.#in_flight.clear();
    this.#oldest_since_ms = undefined;
    return chunks;
  }

  #soleInFlight(): Chunk | undefined {
    return this.#in_flight.size === 1 ? this.#in_flight.values().next().value : undefined;
  }

  #rest(): Chunk[] {
    return this.#pending.slice(this.#pending_head);
  }
}
