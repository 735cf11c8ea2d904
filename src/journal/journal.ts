import { join } from 'node:path';
import { LogboomError, messageOf } from '../errors.ts';
import { Ballast } from './ballast.ts';
import { type AppendedCount, Committer, type CommitterContext } from './committer.ts';
import type { DurableCursor } from './cursor.ts';
import { CursorSet } from './cursors.ts';
import { DiskWriter } from './disk-writer.ts';
import { DurableEnd } from './durable-end.ts';
import { placeCursor } from './epoch.ts';
import { Gate } from './gate.ts';
import { DirectoryLock } from './identity.ts';
import { Intake } from './intake.ts';
import { Loans } from './loans.ts';
import { locate } from './locate.ts';
import { type OpenDirectory, openDirectory } from './open-directory.ts';
import { type FullOptions, type JournalOptions, withDefaults } from './options.ts';
import { LogReader } from './reader.ts';
import { Retention } from './retention.ts';
import { Tail } from './tail.ts';
import type {
  JournalReader,
  JournalState,
  JournalWriter,
  LargeRecord,
  RecordBuilder,
  StateEntry,
} from './types.ts';
import type { CursorView, JournalTotals } from './views.ts';

export type AppendedListener = (counts: readonly AppendedCount[]) => void;
export type DurableListener = (durable_seq: number) => void;

/**
 * The journal of a directory: the composition of its parts.
 *
 *     builder, appendBody, note ─► Intake ─► Committer ─► DiskWriter ─► segment files
 *                                               │                          │
 *                                  callbacks ◄──┤ durable                  │
 *                                               ▼                          ▼
 *     LogReader ◄──────────────────────────── Tail (recent)  or  SegmentScan (older)
 *         │
 *     an output ─► DurableCursor ─► Retention: segments behind every cursor go
 */
export class Journal implements JournalWriter {
  readonly #options: FullOptions;
  readonly #opened: OpenDirectory;
  readonly #tail: Tail;
  readonly #loans: Loans;
  readonly #gate = new Gate();
  readonly #durable_end = new DurableEnd();
  readonly #cursors: CursorSet;
  readonly #retention: Retention;
  readonly #disk: DiskWriter;
  readonly #intake: Intake;
  readonly #committer: Committer;
  readonly #readers = new Set<LogReader>();
  readonly #on_appended = new Set<AppendedListener>();
  readonly #on_durable = new Set<DurableListener>();
  #closing: Promise<void> | undefined;

  /**
   * Opens a journal, or makes a new one. Rejects with LB_JOURNAL_LOCKED,
   * LB_JOURNAL_VERSION, or LB_JOURNAL_IO for a directory that cannot be read or
   * written. Neither damage nor a full disk is a reason to reject (see recovery.ts).
   */
  static async open(given: JournalOptions): Promise<Journal> {
    const options = withDefaults(given);
    const { fs, directory } = options;
    try {
      await fs.mkdir(directory);
      const lock = await DirectoryLock.acquire(fs, directory);
      return await Journal.#openLocked(options, lock);
    } catch (error) {
      if (error instanceof LogboomError) throw error;
      throw new LogboomError('LB_JOURNAL_IO', `cannot open the journal: ${messageOf(error)}`, {
        where: directory,
        cause: error,
        hint: 'Check that the directory is on a working disk and can be written.',
      });
    }
  }

  static async #openLocked(options: FullOptions, lock: DirectoryLock): Promise<Journal> {
    let journal: Journal | undefined;
    try {
      journal = new Journal(options, await openDirectory(options, lock));
      await journal.#disk.open();
      journal.#retention.sweep();
      return journal;
    } catch (error) {
      if (journal !== undefined) {
        await journal.#disk.close();
        await journal.#cursors.close();
      }
      await lock.release();
      throw error;
    }
  }

  private constructor(options: FullOptions, opened: OpenDirectory) {
    const { fs, clock, log, ledger, directory } = options;
    const { identity, segments, spaces, end } = opened;
    const syncs = options.sync === 'disk';
    this.#options = options;
    this.#opened = opened;
    const loans = new Loans((slabs) => this.#intake.recycle(slabs));
    this.#loans = loans;
    const tail = new Tail(options.tail_max_bytes, end, (commit) => loans.retire(commit));
    this.#tail = tail;
    this.#cursors = new CursorSet(fs, join(directory, 'cursors'), syncs, {
      journal_id: identity.journal_id,
      ledger,
      log,
      locate: (seq) => locate({ ...options, segments, tail }, seq),
      end: () => tail.end,
      moved: () => this.#retention.sweep(),
    });
    const cursors = this.#cursors;
    const oldest = segments.oldest?.first ?? end;
    for (const found of opened.cursors) {
      const { at, window } = placeCursor(found, identity.journal_id, oldest, options);
      cursors.adopt(found, at, window);
    }
    const retention = new Retention({
      fs,
      segments,
      cursors,
      readers: this.#readers,
      tail,
      ledger,
      log,
    });
    this.#retention = retention;
    const gate = this.#gate;
    const ballast = new Ballast(fs, join(directory, 'ballast'));
    const disk = new DiskWriter(
      { ...options, syncs },
      { fs, clock, log, gate, identity, segments, tail, spaces, retention, ballast },
    );
    this.#disk = disk;
    const intake = new Intake(options, clock, gate, spaces, () => this.#committer.kick());
    this.#intake = intake;
    const durable_end = this.#durable_end;
    const appended: CommitterContext['appended'] = (counts, durable_seq) => {
      for (const listener of this.#on_appended) listener(counts);
      for (const listener of this.#on_durable) listener(durable_seq);
    };
    const shared = { spaces, tail, durable_end, retention, clock, ledger, log };
    this.#committer = new Committer({ ...shared, intake, disk, appended });
  }

  /** 16 random bytes, the same for the journal's whole life. */
  get id(): Buffer {
    return this.#opened.identity.journal_id;
  }

  /** See `Identity`. */
  get epoch(): number {
    return this.#opened.identity.epoch;
  }

  /** Its last owner did not close it. */
  get was_left_open(): boolean {
    return this.#opened.was_left_open;
  }

  /** The last record that is durable; 0 if there never was one. */
  get durable_seq(): number {
    return this.#tail.end.seq - 1;
  }

  /** The oldest record that is still there; `durable_seq + 1` if there is none. */
  get oldest_seq(): number {
    return this.#opened.segments.oldest?.first.seq ?? this.#tail.end.seq;
  }

  get filling(): number {
    return this.#intake.filling;
  }

  get state(): JournalState {
    return this.#gate.state;
  }

  get writable(): boolean {
    return this.#gate.writable;
  }

  get waiting_bytes(): number {
    return this.#intake.waiting_bytes;
  }

  onceWritable(resume: () => void): () => void {
    return this.#gate.onceWritable(resume);
  }

  builder(source: Buffer, start: number, end: number, codec: number, attrs: number): RecordBuilder {
    return this.#intake.builder(source, start, end, codec, attrs);
  }

  appendBody(
    tag: Buffer,
    codec: number,
    attrs: number,
    body: readonly Buffer[],
    count: number,
    time_min_s: number,
    time_max_s: number,
  ): void {
    this.#intake.appendBody(tag, codec, attrs, body, count, time_min_s, time_max_s);
  }

  /**
   * See `JournalWriter.appendLarge`. `records` must not wait for this journal.
   * Rejects if `records` throws or the disk fails meanwhile; it is then cut off
   * again and may be tried anew. (A crash right after may still find it, whole.)
   */
  appendLarge(records: AsyncIterable<LargeRecord>, entries: readonly StateEntry[]): Promise<void> {
    return this.#intake.appendLarge(records, entries);
  }

  note(space: number, entry: Buffer): void {
    this.#intake.note(space, entry);
  }

  onCommit(done: (error?: Error) => void): void {
    this.#intake.onCommit(done);
  }

  hurry(): void {
    this.#intake.hurry();
  }

  /**
   * A reader of its own from `from_seq` on. Events that it misses are counted under `name`: as
   * `corrupt` for damage, and as `not_kept` if they were deleted and no cursor of that name
   * stood for them (one that does counts for itself).
   */
  reader(from_seq: number, name = 'reader'): JournalReader {
    const reader: LogReader = new LogReader(
      {
        ...this.#options,
        segments: this.#opened.segments,
        tail: this.#tail,
        loans: this.#loans,
        takeSlab: (bytes) => this.#intake.takeSlab(bytes),
        durable_end: this.#durable_end,
        quarantine: this.#opened.quarantine,
        keeps_place: () => this.#cursors.get(name) !== undefined,
        closed: () => this.#readers.delete(reader),
      },
      from_seq,
      name,
    );
    this.#readers.add(reader);
    return reader;
  }

  /** The cursor of that name; if there is none, it is made, durably, at one end of the journal. */
  async cursor(name: string, { start }: { start: 'oldest' | 'newest' }): Promise<DurableCursor> {
    const known = this.#cursors.get(name);
    if (known !== undefined) return known;
    const end = this.#tail.end;
    return this.#cursors.create(
      name,
      start === 'newest' ? end : (this.#opened.segments.oldest?.first ?? end),
    );
  }

  /** Every cursor there is, also of outputs that are not configured any more. */
  cursors(): CursorView[] {
    const { events_before, bytes_before } = this.#tail.end;
    return this.#cursors.all().map(({ name, at }) => ({
      name,
      seq: at.seq,
      events_behind: events_before - at.events_before,
      bytes_behind: bytes_before - at.bytes_before,
    }));
  }

  /** Deletes a cursor; what it alone held back is deleted too. */
  async dropCursor(name: string): Promise<void> {
    await this.#cursors.drop(name);
    this.#retention.sweep();
  }

  totals(): JournalTotals {
    const { events_before, bytes_before } = this.#tail.end;
    return {
      events: events_before,
      body_bytes: bytes_before,
      disk_bytes: this.#opened.segments.bytes,
      segments: this.#opened.segments.count,
      oldest_ms: this.#opened.segments.oldest?.oldest_ms ?? 0,
      quarantined: this.#opened.quarantine.count,
      cut: this.#opened.cut_count,
    };
  }

  /** Calls `listener` with each commit's tags and event counts, before anybody can read them. Returns an unsubscribe function. */
  onAppended(listener: AppendedListener): () => void {
    this.#on_appended.add(listener);
    return () => this.#on_appended.delete(listener);
  }

  /** Calls `listener` with the last durable seq after each commit. Returns an unsubscribe function. */
  onDurable(listener: DurableListener): () => void {
    this.#on_durable.add(listener);
    return () => this.#on_durable.delete(listener);
  }

  /**
   * Commits what has come in, saves nothing else, and frees the directory.
   * Afterwards appending throws, waiting readers reject, and what the disk did not
   * take has failed in its `onCommit`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Whatever fails on the way, everything is let go of, the lock last. */
  async #close(): Promise<void> {
    this.#gate.close();
    try {
      await this.#committer.close();
    } finally {
      this.#durable_end.close();
      for (const reader of this.#readers) reader.close();
      try {
        await this.#retention.close();
        await this.#cursors.close();
      } finally {
        await this.#opened.identity.release();
      }
    }
  }
}
