import type { Slab } from './arena.ts';

/** A commit that memory lets go of: the records in it that take a seq, and the slabs they lie in. */
export interface LentCommit {
  readonly first_seq: number;
  /** Behind the last one. */
  readonly end_seq: number;
  readonly slabs: readonly Slab[];
  /** The only reader that was ever given it; undefined: any may have been. */
  readonly lent_to?: Loan;
}

/** Whether a reader may look into a commit: what it holds for now it gives back, the rest never. */
type Claim = 'none' | 'for_now' | 'for_good';

/** Of slabs that wait to be given back; beyond it the oldest are left to the garbage collector. */
const WAITING_MAX_BYTES = 32 * 1024 * 1024;

/**
 * What one reader has been given from memory.
 *
 *     │ given back │ lent ─────────────── given │ not read yet
 *                  released_seq                 given_seq
 *
 * Until `release` is called for the first time everything given counts as kept for good.
 */
export class Loan {
  #released_seq: number;
  #given_seq: number;
  /** What was given before it is never given back. */
  #kept_seq = 0;
  #gives_back = false;
  #closed = false;

  constructor(from_seq: number) {
    this.#released_seq = from_seq;
    this.#given_seq = from_seq;
  }

  /** Closed, and everything that it was given is before `seq`. */
  isOver(seq: number): boolean {
    return this.#closed && this.#given_seq <= seq;
  }

  /** Records before `seq` were given out. */
  give(seq: number): void {
    this.#given_seq = Math.max(this.#given_seq, seq);
  }

  /** See `JournalReader.release`: what is given later is lent again, wherever `seq` is. */
  release(seq: number): void {
    this.#gives_back = true;
    this.#released_seq = Math.max(this.#released_seq, Math.min(seq, this.#given_seq));
  }

  /** See `JournalReader.keep`. */
  keep(): void {
    this.#kept_seq = this.#given_seq;
  }

  /** Nobody tells any more what becomes of what was given. */
  close(): void {
    this.keep();
    this.#closed = true;
  }

  claimOn({ first_seq, end_seq }: LentCommit): Claim {
    if (first_seq >= this.#given_seq) return 'none';
    if (!this.#gives_back || first_seq < this.#kept_seq) return 'for_good';
    // What of it was not given by now never will be.
    return Math.min(end_seq, this.#given_seq) > this.#released_seq ? 'for_now' : 'none';
  }
}

/**
 * Memory of commits that readers look into, from when it is no longer offered to them until it
 * is used again. Without this each commit's memory would be left to the garbage collector, which
 * took a fifth of the time under load, and the process would be half as large again.
 *
 * Invariant: a slab is given back only if no reader was ever given a record in it that it has
 * not released since. In doubt it is not given back, which costs nothing but time.
 */
export class Loans {
  readonly #recycle: (slabs: readonly Slab[]) => void;
  readonly #loans = new Set<Loan>();
  #waiting: LentCommit[] = [];

  constructor(recycle: (slabs: readonly Slab[]) => void) {
    this.#recycle = recycle;
  }

  /** For a reader that begins at `from_seq`. */
  open(from_seq: number): Loan {
    const loan = new Loan(from_seq);
    this.#loans.add(loan);
    return loan;
  }

  /** No reader will be given this commit from now on. Called in commit order. */
  retire(commit: LentCommit): void {
    if (commit.slabs.length > 0) this.#waiting.push(commit);
    this.#waiting = this.#waiting.filter((waiting) => !this.#settle(waiting));
    this.#limitWaiting();
    for (const loan of this.#loans) {
      if (loan.isOver(commit.first_seq)) this.#loans.delete(loan);
    }
  }

  #limitWaiting(): void {
    let bytes = this.#waiting.reduce((sum, { slabs }) => sum + bytesOf(slabs), 0);
    while (bytes > WAITING_MAX_BYTES) bytes -= bytesOf(this.#waiting.shift()?.slabs ?? []);
  }

  /** Whether there is nothing to wait for any more. */
  #settle(commit: LentCommit): boolean {
    const claim = this.#strongestClaim(commit);
    if (claim === 'none') this.#recycle(commit.slabs);
    return claim !== 'for_now';
  }

  #strongestClaim(commit: LentCommit): Claim {
    if (commit.lent_to !== undefined) return commit.lent_to.claimOn(commit);
    let strongest: Claim = 'none';
    for (const loan of this.#loans) {
      const claim = loan.claimOn(commit);
      if (claim === 'for_good') return claim;
      if (claim === 'for_now') strongest = claim;
    }
    return strongest;
  }
}

function bytesOf(slabs: readonly Slab[]): number {
  return slabs.reduce((sum, { buffer }) => sum + buffer.length, 0);
}
