import { LIMITS } from '../../../limits.ts';

/** As many as are read at the same moment. */
const SPARE_MAX = LIMITS.poll_concurrent_max;

/**
 * The memory that logs are read into: a log takes some when it is read and gives it back when
 * it rests. Memory that is new for each read costs more than the reading, since the kernel
 * clears it and the garbage collector runs for it alone.
 */
export class ReadMemory {
  readonly #spare: ArrayBufferLike[] = [];

  /** Its content is whatever was there. */
  take(bytes: number): Buffer {
    if (bytes > LIMITS.log_read_max_bytes) return Buffer.allocUnsafeSlow(bytes);
    const memory = this.#spare.pop() ?? Buffer.allocUnsafeSlow(LIMITS.log_read_max_bytes).buffer;
    return Buffer.from(memory, 0, bytes);
  }

  /** Takes back what `take` gave. Nobody looks into it any more. */
  give({ buffer }: Buffer): void {
    if (buffer.byteLength !== LIMITS.log_read_max_bytes) return;
    if (this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
  }
}
