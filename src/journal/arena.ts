/** A piece of memory that builders share. */
export interface Slab {
  readonly buffer: Buffer;
  /** Bytes of large pieces in it; see `SealedCommit`. */
  large_bytes: number;
  /** True: readers may hold slices of it, so it is never written to again. */
  lent: boolean;
}

/** A run of body bytes in an arena's slab. */
export interface Piece {
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
}

const SLAB_BYTES = 256 * 1024;
/** Slabs kept for the next commit: what a commit of many small records needs. */
const SPARE_SLABS_MAX = 24;

/**
 * Memory for the records of one commit at a time, given out from the front of a
 * slab. The piece given out last can be extended in place, so the events of a
 * single busy tag lie end to end.
 */
export class Arena {
  #slab: Slab | undefined;
  #at = 0;
  #used: Slab[] = [];
  readonly #spare: Slab[] = [];

  /** Where in `slab` the last `take` began. */
  taken_at = 0;

  /** Takes between `bytes` and `wish_bytes` contiguous bytes, as many as fit; `takenEnd` says where they end. */
  take(bytes: number, wish_bytes: number): Slab {
    let slab = this.#slab;
    if (slab === undefined || slab.buffer.length - this.#at < bytes) {
      if (bytes > SLAB_BYTES) return this.#takeOwn(bytes);
      slab = this.#nextSlab();
    }
    this.taken_at = this.#at;
    this.#at = Math.min(this.#at + Math.max(bytes, wish_bytes), slab.buffer.length);
    return slab;
  }

  /** Where the last piece that was taken from `slab` ends. */
  takenEnd(slab: Slab): number {
    return slab === this.#slab ? this.#at : slab.buffer.length;
  }

  /** Adds bytes behind the piece that ends at `end`, in place. Returns the new end, or -1 if something else is there. */
  extend(slab: Slab, end: number, bytes: number, wish_bytes: number): number {
    if (slab !== this.#slab || end !== this.#at) return -1;
    if (slab.buffer.length - end < bytes) return -1;
    this.#at = Math.min(end + Math.max(bytes, wish_bytes), slab.buffer.length);
    return this.#at;
  }

  /** Ends a commit: hands out the slabs that were in use, for `recycle` once they are written. */
  rotate(): Slab[] {
    const used = this.#used;
    this.#used = [];
    this.#slab = undefined;
    this.#at = 0;
    return used;
  }

  /** Takes back the slabs that nobody was lent. */
  recycle(slabs: readonly Slab[]): void {
    for (const slab of slabs) {
      if (slab.lent || slab.buffer.length !== SLAB_BYTES) continue;
      if (this.#spare.length >= SPARE_SLABS_MAX) return;
      slab.large_bytes = 0;
      this.#spare.push(slab);
    }
  }

  #nextSlab(): Slab {
    const slab = this.#spare.pop() ?? newSlab(SLAB_BYTES);
    this.#used.push(slab);
    this.#slab = slab;
    this.#at = 0;
    return slab;
  }

  #takeOwn(bytes: number): Slab {
    const slab = newSlab(bytes);
    this.#used.push(slab);
    this.taken_at = 0;
    return slab;
  }
}

function newSlab(bytes: number): Slab {
  return { buffer: Buffer.allocUnsafeSlow(bytes), large_bytes: 0, lent: false };
}
