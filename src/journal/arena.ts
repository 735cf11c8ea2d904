/** A piece of memory that builders share. */
export interface Slab {
  readonly buffer: Buffer;
  /** Bytes of large pieces in it; see `SealedCommit`. */
  large_bytes: number;
  /** True: readers may look into it, so it is not written to before they have given it back (see loans.ts). */
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
/** Slabs of their own size kept, all together. */
const SPARE_OWN_MAX_BYTES = 8 * 1024 * 1024;

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
  readonly #spare_own: Slab[] = [];
  #spare_own_bytes = 0;
  readonly #recycled: (memory: Buffer) => void;

  /** Where in `slab` the last `take` began. */
  taken_at = 0;

  /** `recycled` sees memory that comes back, before it is used again. */
  constructor(recycled: (memory: Buffer) => void = () => {}) {
    this.#recycled = recycled;
  }

  /** Takes between `bytes` and `wish_bytes` contiguous bytes, as many as fit; `takenEnd` says where they end. */
  take(bytes: number, wish_bytes: number): Slab {
    let slab = this.#slab;
    if (slab === undefined || slab.buffer.length - this.#at < bytes) {
      if (bytes > SLAB_BYTES) return this.#takeWhole(bytes);
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

  /** A slab that belongs to no commit yet, for at least `bytes`; at most twice as much beyond a usual one. */
  takeOwn(bytes: number): Slab {
    if (bytes <= SLAB_BYTES) return this.#spare.pop() ?? newSlab(SLAB_BYTES);
    const index = this.#spare_own.findIndex(
      ({ buffer }) => buffer.length >= bytes && buffer.length <= 2 * bytes,
    );
    const [spare] = index < 0 ? [] : this.#spare_own.splice(index, 1);
    if (spare === undefined) return newSlab(Math.ceil(bytes / SLAB_BYTES) * SLAB_BYTES);
    this.#spare_own_bytes -= spare.buffer.length;
    return spare;
  }

  /** Takes back slabs that nobody looks into. */
  recycle(slabs: readonly Slab[]): void {
    for (const slab of slabs) {
      this.#recycled(slab.buffer);
      slab.lent = false;
      slab.large_bytes = 0;
      if (slab.buffer.length === SLAB_BYTES) this.#keepSpare(slab);
      else this.#keepSpareOwn(slab);
    }
  }

  #keepSpare(slab: Slab): void {
    if (this.#spare.length < SPARE_SLABS_MAX) this.#spare.push(slab);
  }

  #keepSpareOwn(slab: Slab): void {
    const bytes = slab.buffer.length;
    if (this.#spare_own_bytes + bytes > SPARE_OWN_MAX_BYTES) return;
    this.#spare_own.push(slab);
    this.#spare_own_bytes += bytes;
  }

  #nextSlab(): Slab {
    const slab = this.#spare.pop() ?? newSlab(SLAB_BYTES);
    this.#used.push(slab);
    this.#slab = slab;
    this.#at = 0;
    return slab;
  }

  #takeWhole(bytes: number): Slab {
    const slab = this.takeOwn(bytes);
    this.#used.push(slab);
    this.taken_at = 0;
    return slab;
  }
}

function newSlab(bytes: number): Slab {
  return { buffer: Buffer.allocUnsafeSlow(bytes), large_bytes: 0, lent: false };
}
