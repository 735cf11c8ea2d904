/** Of them, one is the record's own; the others are for lines that go out behind it. */
const NUMBERS_PER_RECORD = 4096;

/**
 * The seqs of a joined stream. Lines that time out stand between the records of the journal and
 * need a place that stays the same after a restart, so from `from_seq` on every record has room
 * behind it:
 *
 *     journal   │  1  │  2  │     3     │        4          │
 *     joined    │  1  │  2  │  3        │  3 + 4096         │        from_seq = 3
 *                              + 1 ...  a line behind record 3
 *
 * A boundary is the number before which everything is done, as a cursor's.
 */
export class Numbering {
  readonly from_seq: number;

  constructor(from_seq: number) {
    this.from_seq = from_seq;
  }

  ofRecord(seq: number): number {
    if (seq <= this.from_seq) return seq;
    return this.from_seq + (seq - this.from_seq) * NUMBERS_PER_RECORD;
  }

  /** Right before the record, and before the lines that may still come in front of it. */
  boundaryAt(seq: number): number {
    return this.ofRecord(seq - 1) + 1;
  }

  /** The last record before a boundary, and how many of the lines behind it are before the boundary too. */
  lastBefore(boundary: number): { readonly seq: number; readonly lines: number } {
    const behind = boundary - 1 - this.from_seq;
    if (behind < 0) return { seq: boundary - 1, lines: 0 };
    const lines = behind % NUMBERS_PER_RECORD;
    return { seq: this.from_seq + (behind - lines) / NUMBERS_PER_RECORD, lines };
  }
}
