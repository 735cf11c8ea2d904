import { GrowingBuffer } from './growing-buffer.ts';
import { ObjectScanner } from './object-scanner.ts';
import type { ScratchPool } from './scratch-pool.ts';

/**
 * Copies one MessagePack object together that arrives in pieces, and not a byte
 * more. The limit given to `restart` is checked before memory is taken.
 */
export class ObjectGatherer {
  readonly #scanner: ObjectScanner;
  readonly #content: GrowingBuffer;

  /** `pool` has the memory for large objects. */
  constructor(levels_max: number, pool?: ScratchPool) {
    this.#scanner = new ObjectScanner(levels_max);
    this.#content = new GrowingBuffer(pool);
  }

  /** The object so far is `buffer[0..bytes)`; the buffer is another after the next `take()`. */
  get buffer(): Buffer {
    return this.#content.buffer;
  }

  get bytes(): number {
    return this.#content.bytes;
  }

  get whole(): boolean {
    return this.#scanner.whole;
  }

  /** Memory held. */
  get held_bytes(): number {
    return this.#content.held_bytes;
  }

  /** Makes ready for an object of at most `max_bytes`, a limit named `limit`. */
  restart(max_bytes: number, limit: string): void {
    this.#scanner.restart(max_bytes, limit);
    this.#content.clear();
  }

  /** The object has been dealt with: gives a large buffer back. */
  clear(): void {
    this.#content.clear();
  }

  /** Lowers the limit once more is known about the object. */
  restrict(max_bytes: number, limit: string): void {
    this.#scanner.restrict(max_bytes, limit);
  }

  /** Takes what belongs to the object from `chunk[pos..end)`; returns the offset behind it. */
  take(chunk: Buffer, pos: number, end: number): number {
    const stop = this.#scanner.scan(chunk, pos, end);
    this.#content.append(chunk, pos, stop);
    return stop;
  }
}
