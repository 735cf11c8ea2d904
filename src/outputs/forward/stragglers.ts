import type { Chunk } from './chunk.ts';

/**
 * Chunks that stay while others of their batch are acked: their server is down, or they wait to be
 * found poison. Each holds all that was read with it, so one that is older than the last few
 * batches is copied out.
 */
export class Stragglers {
  readonly #batches_max: number;
  /** Where the last batches ended, oldest first. */
  readonly #ends: number[] = [];

  constructor(batches_max: number) {
    this.#batches_max = batches_max;
  }

  /** A batch up to `end_seq` was planned. */
  partFrom(end_seq: number, unsettled: readonly Chunk[]): void {
    this.#ends.push(end_seq);
    if (this.#ends.length <= this.#batches_max) return;
    const old_seq = this.#ends.shift() ?? 0;
    for (const chunk of unsettled) {
      if (chunk.range.last_seq < old_seq) chunk.standAlone();
    }
  }
}
