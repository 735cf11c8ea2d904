import { LogboomError, messageOf, systemCode } from '../errors.ts';
import type { FileSystem } from '../sys/fs.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import type { Slab } from './arena.ts';
import { recordOf } from './disk-record.ts';
import type { DurableEnd } from './durable-end.ts';
import { type Place, RECORD_KIND, SEGMENT_HEADER_BYTES } from './format.ts';
import { LentPieces } from './lent-pieces.ts';
import type { Loan, Loans } from './loans.ts';
import type { Quarantine } from './quarantine.ts';
import { isUnreadable } from './salvaged-file.ts';
import type { SegmentItem } from './segment-items.ts';
import { SegmentParser } from './segment-parser.ts';
import { SegmentScan } from './segment-scan.ts';
import type { Segment, SegmentList } from './segments.ts';
import type { Tail } from './tail.ts';
import type { JournalReader, JournalRecord } from './types.ts';

/** What readers share with the journal. */
export interface ReaderContext {
  readonly fs: FileSystem;
  readonly segments: SegmentList;
  readonly tail: Tail;
  readonly loans: Loans;
  readonly takeSlab: (bytes: number) => Slab;
  readonly durable_end: DurableEnd;
  readonly quarantine: Quarantine;
  readonly ledger: DropLedger;
  readonly log: Log;
  readonly read_chunk_bytes: number;
  /** There is a cursor for the reader's output; it counts what is taken from under it. */
  readonly keeps_place: () => boolean;
  /** The reader needs nothing more. */
  readonly closed: () => void;
}

/** A read that failed so often in a row, with the pauses of who reads, is taken for a bad sector. */
const READ_ATTEMPTS_MAX = 8;

interface OpenSegment {
  readonly segment: Segment;
  readonly scan: SegmentScan;
}

/**
 * Reads from memory what is there, and the rest from disk: one open segment file
 * and one piece of it in memory, however far behind.
 *
 * Invariants:
 * - never past the durable end: a segment is read up to its `end_bytes` only;
 * - `#place` is where the next record should stand. A record that stands behind
 *   it tells exactly how many events between were lost to damage.
 */
export class LogReader implements JournalReader {
  readonly #context: ReaderContext;
  readonly #name: string;
  readonly #loan: Loan;
  readonly #pieces: LentPieces;
  #next_seq: number;
  /** Undefined until a record was read, or the first is known: what was skipped on purpose is no loss. */
  #place: Place | undefined;
  #open: OpenSegment | undefined;
  #closed = false;
  /** In a row. */
  #read_failures = 0;
  #last_tag: Buffer = Buffer.alloc(0);

  /** `name` is the place under which lost events are counted. */
  constructor(context: ReaderContext, from_seq: number, name: string) {
    this.#context = context;
    this.#next_seq = from_seq;
    const { loans, takeSlab } = context;
    this.#loan = loans.open(from_seq);
    this.#pieces = new LentPieces(loans, this.#loan, takeSlab, () => this.#next_seq);
    const oldest_seq = context.segments.oldest?.first.seq ?? from_seq;
    if (oldest_seq <= from_seq) this.#place = context.tail.place(from_seq);
    this.#name = name;
  }

  get next_seq(): number {
    return this.#next_seq;
  }

  get has_more(): boolean {
    return this.#next_seq < this.#context.tail.end.seq;
  }

  get at_end(): boolean {
    return !this.has_more;
  }

  async read(max_bytes: number, signal: AbortSignal): Promise<JournalRecord[]> {
    const { tail, durable_end } = this.#context;
    for (;;) {
      signal.throwIfAborted();
      if (this.#closed) throw new LogboomError('LB_JOURNAL_CLOSED', 'the reader is closed');
      await this.#skipDropped();
      if (this.#next_seq >= tail.end.seq) {
        await durable_end.next(signal);
        continue;
      }
      const records = tail.has(this.#next_seq)
        ? await this.#fromMemory(max_bytes)
        : await this.#fromDisk(max_bytes);
      if (records.length > 0) return records;
    }
  }

  release(seq: number): void {
    this.#loan.release(seq);
  }

  keep(): void {
    this.#loan.keep();
  }

  close(): void {
    this.#closed = true;
    this.#loan.close();
    this.#pieces.close();
    this.#context.closed();
    this.#closeSegment().catch(() => {});
  }

  /** What comes next may have been deleted: the cursor counted it, or if there is none, the reader does. */
  async #skipDropped(): Promise<void> {
    const { segments, ledger, keeps_place } = this.#context;
    const oldest = segments.oldest?.first;
    if (oldest === undefined || oldest.seq <= this.#next_seq) return;
    await this.#closeSegment();
    const lost = oldest.events_before - (this.#place ?? oldest).events_before;
    if (lost > 0 && !keeps_place()) ledger.count('not_kept', this.#name, lost);
    this.#next_seq = oldest.seq;
    this.#place = oldest;
  }

  async #fromMemory(max_bytes: number): Promise<JournalRecord[]> {
    await this.#closeSegment();
    const { tail } = this.#context;
    // While the file was closed newer commits may have pushed this record out of memory,
    // and a reader that was closed gives nothing back.
    if (this.#closed || !tail.has(this.#next_seq)) return [];
    const records = tail.read(this.#next_seq, max_bytes);
    for (const record of records) this.#passed(record);
    this.#loan.give(this.#next_seq);
    return records;
  }

  async #fromDisk(max_bytes: number): Promise<JournalRecord[]> {
    const open = this.#open ?? (await this.#openSegment());
    if (open === undefined) return [];
    const { segment, scan } = open;
    const records: JournalRecord[] = [];
    let bytes = 0;
    while (bytes < max_bytes) {
      scan.extend(segment.end_bytes);
      const item = scan.poll();
      if (item === 'starved') {
        // What was found is given out before the disk is asked again.
        if (records.length > 0) break;
        segment.mark(scan.parser.mark());
        if (!(await this.#fill(open))) return [];
      } else if (item === 'done') {
        if (records.length === 0) await this.#leaveSegment(open);
        break;
      } else {
        const record = await this.#take(open, item);
        if (record === undefined) continue;
        records.push(record);
        bytes += record.body_bytes;
      }
    }
    this.#loan.give(this.#next_seq);
    return records;
  }

  /** False: the segment was left, and is to be opened anew. */
  async #fill({ segment, scan }: OpenSegment): Promise<boolean> {
    try {
      await scan.fill();
      this.#read_failures = 0;
      return true;
    } catch (error) {
      if (!this.#isBad(segment, error)) throw ioError(error, segment.path, 'read');
      segment.has_bad_blocks = true;
      await this.#closeSegment();
      return false;
    }
  }

  /** Whoever reads tries again after a pause, so the disk had its time to come back. */
  #isBad(segment: Segment, error: unknown): boolean {
    if (segment.has_bad_blocks || !isUnreadable(error)) return false;
    this.#read_failures++;
    return this.#read_failures >= READ_ATTEMPTS_MAX;
  }

  /** The record, if the item is one that is to be read; damage is set aside. */
  async #take(open: OpenSegment, item: SegmentItem): Promise<JournalRecord | undefined> {
    if (item.type === 'damage') {
      await this.#keep(open, item.from, item.to, item.what);
      return undefined;
    }
    if (item.type === 'commit') {
      if (item.frame.first.seq === this.#next_seq) this.#place ??= item.frame.first;
      return undefined;
    }
    if (item.type !== 'record' || item.header.kind !== RECORD_KIND.events) return undefined;
    if (item.place.seq < this.#next_seq) {
      this.#place = open.scan.parser.place;
      return undefined;
    }
    this.#place ??= item.place;
    if (!item.intact) {
      await this.#keep(open, item.offset, item.end_offset, 'record body');
      return undefined;
    }
    const record = recordOf(item, this.#lastingTag(item.tag));
    this.#passed(record);
    return record;
  }

  #passed(record: JournalRecord): void {
    this.#countLost(record);
    this.#next_seq = record.seq + 1;
    this.#place = {
      seq: this.#next_seq,
      events_before: record.events_before + record.count,
      bytes_before: record.bytes_before + record.body_bytes,
    };
  }

  #countLost(found: Place): void {
    const expected = this.#place;
    if (expected === undefined) return;
    const lost = found.events_before - expected.events_before;
    if (lost > 0) this.#context.ledger.count('corrupt', this.#name, lost);
  }

  async #openSegment(): Promise<OpenSegment | undefined> {
    const { fs, segments, read_chunk_bytes, log } = this.#context;
    const segment = segments.find(this.#next_seq);
    if (segment === undefined) return undefined;
    const parser = new SegmentParser(segments.bounds(segment), SEGMENT_HEADER_BYTES);
    const mark = segment.markBefore(this.#next_seq);
    if (mark !== undefined) parser.resume(mark);
    parser.skipTo(this.#next_seq);
    try {
      const file = await fs.open(segment.path, 'read');
      const readable = segment.readable(file, log);
      this.#pieces.begin();
      const scan = new SegmentScan(readable, parser, read_chunk_bytes, this.#pieces);
      this.#open = { segment, scan };
    } catch (error) {
      // Deleted since: `drop_oldest` was faster. Gone without that: the next segment tells how much.
      if (systemCode(error) !== 'ENOENT') throw ioError(error, segment.path, 'open');
      if (segments.all().includes(segment)) this.#skipSegment(segment);
    }
    return this.#open;
  }

  /** Everything in the segment was read: the next one follows, or (in the last) more of it later. */
  async #leaveSegment({ segment }: OpenSegment): Promise<void> {
    const { segments, tail } = this.#context;
    const is_last = segments.after(segment) === undefined;
    // What becomes durable while the file is closed is still to be read.
    const { end } = tail;
    await this.#closeSegment();
    if (is_last) this.#reach(end);
    else this.#skipSegment(segment);
  }

  #skipSegment(segment: Segment): void {
    const next = this.#context.segments.after(segment);
    this.#reach(next?.first ?? this.#context.tail.end);
  }

  /** There is nothing more to be had before `place`. */
  #reach(place: Place): void {
    this.#countLost(place);
    this.#next_seq = Math.max(this.#next_seq, place.seq);
    this.#place = place;
  }

  async #keep(open: OpenSegment, from: number, to: number, what: string): Promise<void> {
    await this.#context.quarantine.keep(open.scan.file, open.segment.path, from, to, what);
  }

  /** Tags are kept for longer than bodies. */
  #lastingTag(tag: Buffer): Buffer {
    if (!tag.equals(this.#last_tag)) this.#last_tag = Buffer.from(tag);
    return this.#last_tag;
  }

  async #closeSegment(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    open?.scan.close();
    await open?.scan.file.close();
  }
}

function ioError(error: unknown, path: string, what: 'open' | 'read'): LogboomError {
  const code = systemCode(error) ?? messageOf(error);
  return new LogboomError('LB_JOURNAL_IO', `cannot ${what} a segment: ${code}`, {
    where: path,
    cause: error,
    hint: 'Check the disk and the permissions of the journal directory.',
  });
}
