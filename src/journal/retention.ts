import { messageOf, systemCode } from '../errors.ts';
import type { FileSystem } from '../sys/fs.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import type { CursorSet } from './cursors.ts';
import type { Place } from './format.ts';
import type { Segment, SegmentList } from './segments.ts';
import type { Tail } from './tail.ts';
import type { JournalReader } from './types.ts';

export interface RetentionContext {
  readonly fs: FileSystem;
  readonly segments: SegmentList;
  readonly cursors: CursorSet;
  readonly readers: ReadonlySet<Pick<JournalReader, 'next_seq'>>;
  readonly tail: Tail;
  readonly ledger: DropLedger;
  readonly log: Log;
}

/** Under which place events are counted that no output had asked for. */
const NO_OUTPUT = '(no output)';

/**
 * Takes segments away: those behind every cursor, and with `drop_oldest` those
 * that are not.
 *
 * Invariants:
 * - the last segment is never deleted: its snapshot is all the state there is;
 * - without any cursor, what all readers have passed is done with, and space that is
 *   wanted is taken from those that have not: they keep nothing;
 * - without cursor and reader nothing counts as done with: outputs may be about to start.
 *
 * Deletions are not made durable: a segment that comes back after a crash is
 * behind every cursor still, and deleted again.
 */
export class Retention {
  readonly #context: RetentionContext;
  #deletions: Promise<void> = Promise.resolve();
  #once_freed: (() => void)[] = [];

  constructor(context: RetentionContext) {
    this.#context = context;
  }

  /** Deletes, in the background, what is behind every cursor. Returns at once. */
  sweep(): void {
    const { segments } = this.#context;
    const done_seq = this.#doneSeq();
    for (;;) {
      const oldest = segments.oldest;
      const second = segments.second;
      if (oldest === undefined || second === undefined) return;
      if (second.first.seq > done_seq) return;
      this.#delete(oldest);
    }
  }

  /** There are readers, and no cursor that keeps anything: who wants space may take it. */
  get keeps_nothing(): boolean {
    const { cursors, readers } = this.#context;
    return cursors.count === 0 && readers.size > 0;
  }

  /** Calls `freed` once, when something was deleted next. Returns a cancel function. */
  onceFreed(freed: () => void): () => void {
    this.#once_freed.push(freed);
    return () => {
      this.#once_freed = this.#once_freed.filter((other) => other !== freed);
    };
  }

  /**
   * Deletes the oldest segment whatever the cursors say; those that are in it are
   * moved behind it and their loss is counted, exactly. False: only the last one is left.
   */
  async dropOldest(): Promise<boolean> {
    const { segments, cursors, readers, ledger } = this.#context;
    const oldest = segments.oldest;
    const next = segments.second?.first;
    if (oldest === undefined || next === undefined) return false;
    if (cursors.count === 0 && readers.size === 0) {
      ledger.count('drop_oldest', NO_OUTPUT, next.events_before - oldest.first.events_before);
    }
    await Promise.all(cursors.all().map((cursor) => cursor.skipTo(next, 'drop_oldest')));
    // A cursor that moved has swept it away itself.
    if (segments.oldest === oldest) this.#delete(oldest);
    await this.#deletions;
    return true;
  }

  /** Moves the cursors that are farther behind than their `max_lag_bytes`. Never rejects. */
  async limitLags(): Promise<void> {
    const { cursors, tail } = this.#context;
    for (const cursor of cursors.all()) {
      const max_lag_bytes = cursor.max_lag_bytes;
      if (max_lag_bytes === undefined || cursor.is_skipping) continue;
      const from_bytes = tail.end.bytes_before - max_lag_bytes;
      if (cursor.at.bytes_before >= from_bytes) continue;
      await cursor.skipTo(this.#placeFrom(from_bytes), 'max_lag');
    }
  }

  /** Resolves when nothing is being deleted. */
  async close(): Promise<void> {
    await this.#deletions;
  }

  /** Every record before it is done with. */
  #doneSeq(): number {
    const { cursors, readers } = this.#context;
    if (cursors.count > 0) return cursors.min_seq;
    if (readers.size === 0) return 0;
    return Math.min(...[...readers].map(({ next_seq }) => next_seq));
  }

  /** The first known place with so many bytes before it. */
  #placeFrom(bytes_before: number): Place {
    const { segments, tail } = this.#context;
    const in_memory = tail.placeFrom(bytes_before);
    if (in_memory !== undefined) return in_memory;
    for (const segment of segments.all()) {
      const place = segment.placeFrom(bytes_before);
      if (place !== undefined) return place;
    }
    return tail.end;
  }

  #delete(segment: Segment): void {
    this.#context.segments.removeOldest();
    this.#deletions = this.#deletions.then(() => this.#unlink(segment));
  }

  async #unlink(segment: Segment): Promise<void> {
    const { fs, log } = this.#context;
    try {
      await fs.unlink(segment.path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') {
        log.error({ path: segment.path, error: messageOf(error) }, 'a segment can not be deleted');
      }
    }
    const freed = this.#once_freed;
    this.#once_freed = [];
    for (const resume of freed) resume();
  }
}
