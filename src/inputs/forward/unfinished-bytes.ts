/** One connection's share of the memory that unfinished messages take. */
export interface UnfinishedShare {
  bytes: number;
  /** Ends the connection: it holds the most while there is too much. */
  evict(): void;
}

/**
 * Bounds what all clients together have begun to send and not finished. Beyond the
 * limit the one that holds the most is closed, so that nobody can take the others' room.
 */
export class UnfinishedBytes {
  readonly #max_bytes: number;
  readonly #shares = new Set<UnfinishedShare>();
  #total_bytes = 0;

  constructor(max_bytes: number) {
    this.#max_bytes = max_bytes;
  }

  get total_bytes(): number {
    return this.#total_bytes;
  }

  /** The share now holds `bytes`. */
  set(share: UnfinishedShare, bytes: number): void {
    this.#total_bytes += bytes - share.bytes;
    share.bytes = bytes;
    if (bytes === 0) this.#shares.delete(share);
    else this.#shares.add(share);
    if (this.#total_bytes > this.#max_bytes) this.#evictLargest();
  }

  #evictLargest(): void {
    let largest: UnfinishedShare | undefined;
    for (const share of this.#shares) {
      if (largest === undefined || share.bytes > largest.bytes) largest = share;
    }
    if (largest === undefined) return;
    this.set(largest, 0);
    largest.evict();
  }
}
