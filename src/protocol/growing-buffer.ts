import type { ScratchPool } from './scratch-pool.ts';

const EMPTY = Buffer.alloc(0);
const FIRST_BYTES = 1024;
/** A larger buffer is given back once its content has been dealt with. */
const KEPT_MAX_BYTES = 64 * 1024;

/** Bytes put together from pieces, in memory that at most doubles. Its users bound it before they append. */
export class GrowingBuffer {
  readonly #pool: ScratchPool | undefined;
  #buffer: Buffer = EMPTY;
  #bytes = 0;

  /** `pool` has the memory for what is large; without one it is made anew. */
  constructor(pool?: ScratchPool) {
    this.#pool = pool;
  }

  /** The content is `buffer[0..bytes)`; the buffer is another after the next `append()`. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Memory held. */
  get held_bytes(): number {
    return this.#buffer.length;
  }

  append(chunk: Buffer, start: number, end: number): void {
    const needed = this.#bytes + end - start;
    if (needed > this.#buffer.length) this.#grow(needed);
    chunk.copy(this.#buffer, this.#bytes, start, end);
    this.#bytes = needed;
  }

  clear(): void {
    this.#bytes = 0;
    if (this.#buffer.length <= KEPT_MAX_BYTES) return;
    this.#pool?.give(this.#buffer);
    this.#buffer = EMPTY;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, this.#buffer.length * 2, FIRST_BYTES);
    const pool = size > KEPT_MAX_BYTES ? this.#pool : undefined;
    const grown = pool?.take(needed, size) ?? Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(grown, 0, 0, this.#bytes);
    pool?.give(this.#buffer);
    this.#buffer = grown;
  }
}
