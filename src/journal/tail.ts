import type { Slab } from './arena.ts';
import type { Place } from './format.ts';
import type { LentCommit } from './loans.ts';
import type { SealedCommit } from './sealed-commit.ts';
import type { JournalRecord } from './types.ts';

/** What a record's object takes besides its bytes, roughly. */
const RECORD_OBJECT_BYTES = 400;

interface TailCommit {
  readonly commit: SealedCommit;
  /** What its records lie in. */
  readonly slabs: readonly Slab[];
  readonly memory_bytes: number;
}

/**
 * Recent durable records, in memory for the readers that keep up.
 *
 *     │ on disk only │ first_seq ── in memory ── end.seq │ not durable yet
 */
export class Tail {
  readonly #bytes_max: number;
  readonly #retire: (commit: LentCommit) => void;
  #commits: TailCommit[] = [];
  #bytes = 0;
  #end: Place;

  /** Calls `retire` with each commit that it does not offer any more, in their order. */
  constructor(bytes_max: number, end: Place, retire: (commit: LentCommit) => void) {
    this.#bytes_max = bytes_max;
    this.#end = end;
    this.#retire = retire;
  }

  /** The place behind the last durable record. */
  get end(): Place {
    return this.#end;
  }

  /** The oldest record in memory; `end.seq` if there is none. */
  get first_seq(): number {
    return this.#commits[0]?.commit.first.seq ?? this.#end.seq;
  }

  add(commit: SealedCommit, slabs: readonly Slab[]): void {
    this.#end = commit.after;
    const memory_bytes = commit.total_bytes + commit.records.length * RECORD_OBJECT_BYTES;
    this.#commits.push({ commit, slabs, memory_bytes });
    this.#bytes += memory_bytes;
    this.#keep(this.#bytes_max);
  }

  /** Records became durable that are not in memory: it begins anew behind them. */
  skipTo(end: Place): void {
    this.#end = end;
    this.#keep(0);
  }

  /** Whether the record `seq` is in memory. */
  has(seq: number): boolean {
    return seq >= this.first_seq && seq < this.#end.seq;
  }

  /** Up to about `bytes_max` of records from `seq` on, at least one; `has(seq)` must hold. */
  read(seq: number, bytes_max: number): JournalRecord[] {
    const found: JournalRecord[] = [];
    let bytes = 0;
    for (let at = this.#find(seq); at < this.#commits.length; at++) {
      const { records, first } = (this.#commits[at] as TailCommit).commit; // at < length
      for (let index = Math.max(0, seq - first.seq); index < records.length; index++) {
        const record = records[index] as JournalRecord; // index < length
        if (found.length > 0 && bytes + record.body_bytes > bytes_max) return found;
        found.push(record);
        bytes += record.body_bytes;
      }
    }
    return found;
  }

  /** The place of `seq`, if it is in memory or the end. */
  place(seq: number): Place | undefined {
    if (seq === this.#end.seq) return this.#end;
    return this.has(seq) ? this.read(seq, 0)[0] : undefined;
  }

  /** The first place in memory with at least so many bytes before it; undefined if an older one may have them. */
  placeFrom(bytes_before: number): Place | undefined {
    const oldest = this.#commits[0]?.commit.first ?? this.#end;
    if (oldest.bytes_before > bytes_before) return undefined;
    const behind = this.#commits.find(({ commit }) => commit.after.bytes_before >= bytes_before);
    const record = behind?.commit.records.find((found) => found.bytes_before >= bytes_before);
    return record ?? behind?.commit.after ?? this.#end;
  }

  #keep(bytes_max: number): void {
    while (this.#bytes > bytes_max) {
      const oldest = this.#commits.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.memory_bytes;
      const { first, after } = oldest.commit;
      this.#retire({ first_seq: first.seq, end_seq: after.seq, slabs: oldest.slabs });
    }
  }

  /** The commit that holds `seq`, by halving. */
  #find(seq: number): number {
    let low = 0;
    let high = this.#commits.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // middle < length, so the commit exists.
      if ((this.#commits[middle] as TailCommit).commit.after.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
