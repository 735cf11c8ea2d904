import type { Slab } from './arena.ts';
import type { Loan, Loans } from './loans.ts';
import type { PieceMemory } from './segment-scan.ts';

/**
 * Memory for the pieces of segment files that one reader reads: a piece comes back once the
 * reader has released what it was given from it.
 *
 *     piece   │ first_seq ── given out ── the reader's next seq │ goes on in the next piece
 */
export class LentPieces implements PieceMemory {
  readonly #loans: Loans;
  readonly #loan: Loan;
  readonly #takeSlab: (bytes: number) => Slab;
  readonly #nextSeq: () => number;
  #first_seq = 0;
  #closed = false;

  /** `nextSeq`: behind what the reader has given out. It asks for the next piece only when that is all that was found. */
  constructor(loans: Loans, loan: Loan, takeSlab: (bytes: number) => Slab, nextSeq: () => number) {
    this.#loans = loans;
    this.#loan = loan;
    this.#takeSlab = takeSlab;
    this.#nextSeq = nextSeq;
  }

  /** A file was opened to read on from the reader's place. */
  begin(): void {
    this.#first_seq = this.#nextSeq();
  }

  take(bytes: number): Slab {
    return this.#takeSlab(bytes);
  }

  retire(slab: Slab): void {
    const first_seq = this.#first_seq;
    const end_seq = this.#nextSeq();
    this.#first_seq = end_seq;
    if (this.#closed) return;
    this.#loans.retire({ first_seq, end_seq, slabs: [slab], lent_to: this.#loan });
  }

  /** What is in memory now is not given back: nobody tells any more who looks into it. */
  close(): void {
    this.#closed = true;
  }
}
