const KiB = 1024;

/** What a message takes that is gathered whole (`frame_inline_max_bytes`), and half of it; with room for a growth's last byte. */
const SIZES = [132 * KiB, 260 * KiB] as const;
/** Of each size. */
const FREE_MAX_COUNT = 8;

/**
 * Large buffers that are needed for a moment, shared by the readers of all connections. Made anew
 * for every message they would be garbage at the rate of the traffic, and collecting that costs
 * more than reading the messages.
 */
export class ScratchPool {
  readonly #free = new Map<number, Buffer[]>(SIZES.map((size) => [size, []]));

  /** At least `min_bytes`, or `wish_bytes` if that is more than the pool has; the content is undefined. */
  take(min_bytes: number, wish_bytes: number): Buffer {
    const size = SIZES.find((bytes) => bytes >= min_bytes) ?? wish_bytes;
    return this.#free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  /** Nobody looks into it any more. Any buffer may be given. */
  give(buffer: Buffer): void {
    const free = this.#free.get(buffer.length);
    if (free !== undefined && free.length < FREE_MAX_COUNT) free.push(buffer);
  }
}
