const EMPTY = Buffer.alloc(0);
const FIRST_BYTES = 1024;
/** A larger buffer is given back once its content has been dealt with. */
const KEPT_MAX_BYTES = 64 * 1024;

/** Bytes put together from pieces, in memory that at most doubles. Its users bound it before they append. */
export class GrowingBuffer {
  #buffer: Buffer = EMPTY;
  #bytes = 0;

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
    if (needed > this.#buffer.length) {
      const size = Math.max(needed, this.#buffer.length * 2, FIRST_BYTES);
      const grown = Buffer.allocUnsafeSlow(size);
      this.#buffer.copy(grown, 0, 0, this.#bytes);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#bytes, start, end);
    this.#bytes = needed;
  }

  clear(): void {
    this.#bytes = 0;
    if (this.#buffer.length > KEPT_MAX_BYTES) this.#buffer = EMPTY;
  }
}
