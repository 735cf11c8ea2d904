import type { JournalRecord } from '../../journal/types.ts';
import { changedRecord } from './changed-record.ts';
import { type Fragment, joinedEntry } from './fragment.ts';

/** Where an event stands in the journal. */
export interface Place {
  readonly seq: number;
  /** Index in its record. */
  readonly event: number;
}

/** A line, or a part of one, of which fragments have come. */
export class HeldLine {
  readonly key: string;
  /** Of its first fragment, without the body. */
  readonly record: JournalRecord;
  /** Of its fragments, in order. */
  readonly places: Place[] = [];
  readonly #first: Pick<Fragment, 'entry' | 'record_offset'>;
  readonly #logs: Buffer[] = [];
  #bytes = 0;
  #next_ordinal: number;
  #is_last = false;
  /** No fragment is missing so far. */
  #is_complete: boolean;

  constructor(key: string, record: JournalRecord, first: Fragment) {
    this.key = key;
    // Copies, since the record's buffers are slices of much larger ones.
    this.record = changedRecord(record, { tag: Buffer.from(record.tag), body: [], body_bytes: 0 });
    this.#first = { entry: Buffer.from(first.entry), record_offset: first.record_offset };
    this.#next_ordinal = first.ordinal;
    this.#is_complete = first.ordinal === 1;
  }

  /** When its first fragment was committed. */
  get begun_ms(): number {
    return this.record.committed_ms;
  }

  /** Of its `log`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What it takes in memory. */
  get held_bytes(): number {
    return this.#bytes + this.#first.entry.length + this.key.length;
  }

  get next_ordinal(): number {
    return this.#next_ordinal;
  }

  /** Every fragment of the line is here. */
  get is_whole(): boolean {
    return this.#is_complete && this.#is_last;
  }

  append(fragment: Fragment, seq: number): void {
    if (fragment.ordinal !== this.#next_ordinal) this.#is_complete = false;
    this.places.push({ seq, event: fragment.event });
    this.#logs.push(Buffer.from(fragment.log));
    this.#bytes += fragment.log.length;
    this.#next_ordinal = fragment.ordinal + 1;
    this.#is_last = fragment.is_last;
  }

  /** One event of all its fragments. */
  entry(): Buffer {
    return joinedEntry(
      this.#first,
      this.#logs,
      this.is_whole ? 'whole' : { is_last: this.#is_last },
    );
  }
}
