import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Slab } from '../../src/journal/arena.ts';
import { type LentCommit, type Loan, Loans } from '../../src/journal/loans.ts';

const slab = (): Slab => ({ buffer: Buffer.alloc(0), large_bytes: 0, lent: true });

/** Commits of so many records each, and which of them were given back, by their first seq, in order. */
class Lender {
  readonly given_back: number[] = [];
  readonly loans = new Loans((slabs) => {
    for (const one of slabs) this.given_back.push(this.#first_seqs.get(one) ?? -1);
  });
  readonly #first_seqs = new Map<Slab, number>();
  #end_seq = 1;

  commit(records: number, slabs = 1): LentCommit {
    const first_seq = this.#end_seq;
    this.#end_seq += records;
    const own = Array.from({ length: slabs }, slab);
    for (const one of own) this.#first_seqs.set(one, first_seq);
    return { first_seq, end_seq: this.#end_seq, slabs: own };
  }

  /** Memory lets go of a commit of so many records. */
  retire(records: number, slabs = 1): void {
    this.loans.retire(this.commit(records, slabs));
  }

  /** A reader that has said once that it gives back. */
  reader(from_seq = 1): Loan {
    const loan = this.loans.open(from_seq);
    loan.release(from_seq);
    return loan;
  }
}

describe('the memory of a commit that is no longer offered to readers', () => {
  it('is used again at once if no reader was given any of it', () => {
    const lender = new Lender();
    lender.reader();
    lender.retire(5, 3);
    expect(lender.given_back).toEqual([1, 1, 1]);
  });

  it('waits until all that was given of it is released, by each reader', () => {
    const lender = new Lender();
    const [a, b] = [lender.reader(), lender.reader()];
    a.give(6);
    b.give(6);
    lender.retire(5);
    a.release(6);
    lender.retire(1);
    b.release(5);
    lender.retire(1);
    expect(lender.given_back).toEqual([6, 7]);
    b.release(6);
    lender.retire(1);
    expect(lender.given_back).toEqual([6, 7, 1, 8]);
  });

  it('waits for a reader that was given only its beginning', () => {
    const lender = new Lender();
    const reader = lender.reader();
    reader.give(2);
    lender.retire(5);
    lender.retire(1);
    expect(lender.given_back).toEqual([6]);
  });

  it('is used again if a reader was given only its beginning, and has released that', () => {
    const lender = new Lender();
    const reader = lender.reader();
    reader.give(2);
    reader.release(2);
    lender.retire(5);
    expect(lender.given_back).toEqual([1]);
  });

  it('is never used again after a reader that releases nothing was given of it', () => {
    const lender = new Lender();
    const reader = lender.loans.open(1);
    reader.give(2);
    lender.retire(5);
    reader.release(100);
    lender.retire(1);
    expect(lender.given_back).toEqual([6]);
  });

  it('is never used again if a reader keeps it, whatever is released later', () => {
    const lender = new Lender();
    const reader = lender.reader();
    reader.give(6);
    reader.keep();
    reader.give(8);
    reader.release(8);
    lender.retire(5);
    lender.retire(2);
    expect(lender.given_back).toEqual([6]);
  });

  it('is never used again if it was not released when its reader was closed, and is after that', () => {
    const lender = new Lender();
    const reader = lender.reader();
    reader.give(6);
    reader.close();
    lender.retire(5);
    lender.retire(2);
    lender.retire(2);
    expect(lender.given_back).toEqual([6, 8]);
  });

  it('is not used again because a place beyond what was given was released before', () => {
    const lender = new Lender();
    const reader = lender.reader();
    reader.give(2);
    reader.release(10);
    reader.give(6);
    lender.retire(1);
    lender.retire(4);
    expect(lender.given_back).toEqual([1]);
  });

  it('is not waited for without end: beyond 32 MiB the oldest is left to itself', () => {
    const given_back: number[] = [];
    const loans = new Loans((slabs) =>
      given_back.push(...slabs.map(({ buffer }) => buffer[0] ?? 0)),
    );
    const reader = loans.open(1);
    reader.release(1);
    reader.give(1000);
    const retire = (seq: number): void => {
      const big = { buffer: Buffer.alloc(4 * 1024 * 1024, seq), large_bytes: 0, lent: true };
      loans.retire({ first_seq: seq, end_seq: seq + 1, slabs: [big] });
    };
    for (let seq = 1; seq <= 12; seq++) retire(seq);
    reader.release(13);
    retire(13);
    expect(given_back).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  });
});

/** A reader as the model sees it: the records that it looks into, and up to where it was given any. */
interface ModelReader {
  readonly loan: Loan;
  readonly held: Set<number>;
  next_seq: number;
  given_seq: number;
  has_released: boolean;
}

interface ModelCommit extends LentCommit {
  /** The rules allow that it is never given back, as somebody kept it, or never said when he is done. */
  excused: boolean;
}

/**
 * Readers of a memory that holds the newest commits, against a list of who looks into which
 * record. What must hold at every look: no slab is given back twice, or while its commit is offered
 * or any record in it is looked into; in the end every slab is that nobody was allowed to keep.
 */
class Model {
  readonly loans = new Loans((slabs) => this.#recycled(slabs));
  readonly #commits: ModelCommit[] = [];
  readonly #given_back = new Set<Slab>();
  readonly #pinned = new Set<number>();
  #readers: ModelReader[] = [];
  /** Commits before this index are no longer offered. */
  #retired_count = 0;
  #end_seq = 1;

  commit(records: number): void {
    const first_seq = this.#end_seq;
    this.#end_seq += records;
    const slabs = [slab(), slab()];
    this.#commits.push({ first_seq, end_seq: this.#end_seq, slabs, excused: false });
  }

  retire(): void {
    const commit = this.#commits[this.#retired_count];
    if (commit === undefined) return;
    this.#retired_count++;
    this.#excuse(({ has_released }) => !has_released, this.#retired_count);
    this.loans.retire(commit);
  }

  open(share: number): void {
    const next_seq = 1 + Math.floor(share * (this.#end_seq - 1));
    const loan = this.loans.open(next_seq);
    const held = new Set<number>();
    this.#readers.push({ loan, held, next_seq, given_seq: next_seq, has_released: false });
  }

  /** From memory what is there, else from disk, which nobody lends. */
  read(reader: ModelReader, records: number): void {
    const oldest_seq = this.#commits[this.#retired_count]?.first_seq ?? this.#end_seq;
    const end_seq = Math.min(reader.next_seq + records, this.#end_seq);
    if (reader.next_seq < oldest_seq) {
      reader.next_seq = Math.min(end_seq, oldest_seq);
      return;
    }
    for (let seq = reader.next_seq; seq < end_seq; seq++) reader.held.add(seq);
    reader.next_seq = end_seq;
    reader.given_seq = end_seq;
    reader.loan.give(end_seq);
  }

  /** Looks no longer into some records, anywhere, and releases as far as it can. */
  settle(reader: ModelReader, share: number, ahead: number): void {
    for (const seq of [...reader.held].filter((_, index) => (index * 7) % 10 < share * 10)) {
      reader.held.delete(seq);
    }
    const oldest_held = Math.min(...reader.held, reader.next_seq);
    // With nothing in hand it may well name a place that it has not read up to.
    reader.loan.release(reader.held.size === 0 ? oldest_held + ahead : oldest_held);
    reader.has_released = true;
  }

  keep(reader: ModelReader): void {
    for (const seq of reader.held) this.#pinned.add(seq);
    this.#excuse((other) => other === reader);
    reader.loan.keep();
  }

  close(reader: ModelReader): void {
    for (const seq of reader.held) this.#pinned.add(seq);
    this.#excuse((other) => other === reader);
    reader.loan.close();
    this.#readers = this.#readers.filter((other) => other !== reader);
  }

  reader(share: number): ModelReader | undefined {
    return this.#readers[Math.floor(share * this.#readers.length)];
  }

  /** Everybody is done with everything, and memory lets go of it all. */
  end(): void {
    for (const reader of this.#readers) {
      while (reader.next_seq < this.#end_seq) this.read(reader, this.#end_seq);
      this.settle(reader, 1, 0);
    }
    while (this.#retired_count < this.#commits.length) this.retire();
    this.commit(1);
    this.retire();
    const left = this.#commits.filter(
      ({ excused, slabs }) => !excused && !slabs.every((one) => this.#given_back.has(one)),
    );
    expect(left.map(({ first_seq }) => first_seq)).toEqual([]);
  }

  #excuse(whose: (reader: ModelReader) => boolean, count = this.#commits.length): void {
    for (const { given_seq } of this.#readers.filter(whose)) {
      for (const commit of this.#commits.slice(0, count)) {
        commit.excused ||= commit.first_seq < given_seq;
      }
    }
  }

  #recycled(slabs: readonly Slab[]): void {
    for (const one of slabs) {
      const index = this.#commits.findIndex((commit) => commit.slabs.includes(one));
      const { first_seq, end_seq } = this.#commits[index] as ModelCommit; // every slab is of one
      expect(index, 'is not offered').toBeLessThan(this.#retired_count);
      expect(this.#given_back.has(one), 'given back twice').toBe(false);
      this.#given_back.add(one);
      for (let seq = first_seq; seq < end_seq; seq++) {
        const is_looked_into = this.#pinned.has(seq) || this.#readers.some((r) => r.held.has(seq));
        expect(is_looked_into, `record ${seq} is looked into`).toBe(false);
      }
    }
  }
}

const share = fc.double({ min: 0, max: 0.999, noNaN: true });
const some = fc.integer({ min: 1, max: 5 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const), records: some }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('retire' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open' as const), share }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('read' as const), who: share, records: some }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      who: share,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      ahead: fc.integer({ min: 0, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('keep' as const), who: share }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), who: share }) },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function take(model: Model, one: Step): void {
  if (one.do === 'commit') model.commit(one.records);
  else if (one.do === 'retire') model.retire();
  else if (one.do === 'open') model.open(one.share);
  else {
    const reader = model.reader(one.who);
    if (reader === undefined) return;
    if (one.do === 'read') model.read(reader, one.records);
    else if (one.do === 'settle') model.settle(reader, one.share, one.ahead);
    else if (one.do === 'keep') model.keep(reader);
    else model.close(reader);
  }
}

describe('loans, against a list of who looks into what', () => {
  it('give back nothing that is looked into, and in the end everything else', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 150 }), (steps) => {
        const model = new Model();
        model.open(0);
        model.open(0);
        for (const one of steps) take(model, one);
        model.end();
      }),
      { numRuns: 500 },
    );
  });
});
