import { LogboomError, messageOf } from '../errors.ts';
import { Backoff } from '../sys/backoff.ts';
import type { Clock } from '../sys/clock.ts';
import { type FileSystem, isDiskFull } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';
import type { Ballast } from './ballast.ts';
import type { Gate } from './gate.ts';
import type { Identity } from './identity.ts';
import type { Retention } from './retention.ts';
import type { SealedCommit } from './sealed-commit.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { SegmentList } from './segments.ts';
import type { Spaces } from './spaces.ts';
import type { Tail } from './tail.ts';

export interface DiskWriterOptions {
  readonly directory: string;
  readonly syncs: boolean;
  readonly on_full: 'block' | 'drop_oldest';
  readonly max_bytes: number;
  readonly segment_max_bytes: number;
}

export interface DiskWriterContext {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
  readonly gate: Gate;
  readonly identity: Identity;
  readonly segments: SegmentList;
  readonly tail: Tail;
  readonly spaces: Spaces;
  readonly retention: Retention;
  readonly ballast: Ballast;
}

/** How long between attempts on a disk that fails. */
const RETRY = { delay_min_ms: 100, delay_max_ms: 5000, factor: 2 } as const;

/** At the size limit something is freed as a rule; that nothing keeps a place any more shows by looking. */
const SIZE_LIMIT_RECHECK_MS = 1000;

/**
 * Gets commits onto the disk, whatever it takes:
 *
 *     append ──► room? ──► segment open, whole, not full? ──► write, fdatasync ──► done
 *                 │ no            │ no                             │ failed
 *                 ▼               ▼                                ▼
 *         drop_oldest, or     new segment             state disk_full or io_error,
 *         wait until freed                            back off, new segment, again
 *
 * A failed commit is written again in full, in a new segment: an fsync that
 * failed once says nothing when asked again.
 */
export class DiskWriter {
  readonly #options: DiskWriterOptions;
  readonly #context: DiskWriterContext;
  readonly #backoff = new Backoff(RETRY);
  #writer: SegmentWriter | undefined;
  #in_trouble = false;
  #stopped = false;
  #stop_waiting: () => void = () => {};

  constructor(options: DiskWriterOptions, context: DiskWriterContext) {
    this.#options = options;
    this.#context = context;
  }

  /**
   * Begins the first segment. Rejects if the directory cannot be written. A full
   * disk is no reason: readers and cursors work, and may free some.
   */
  async open(): Promise<void> {
    const { ballast, log } = this.#context;
    await ballast.load();
    try {
      await this.#roll();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      log.warn({ error: messageOf(error) }, 'the disk is full: the journal only reads for now');
      await ballast.release(); // the first commit will need it
    }
  }

  /** Resolves with the writer once the commit is durable in it. Rejects only after `stop`. */
  async append(commit: SealedCommit): Promise<SegmentWriter> {
    for (;;) {
      const writer = await this.ready(commit.total_bytes);
      try {
        await writer.append(commit);
        this.settle();
        return writer;
      } catch (error) {
        await this.#trouble(error);
      }
    }
  }

  /** Resolves with a writer that is whole and not full, when there is room for `bytes`. Rejects only after `stop`. */
  async ready(bytes: number): Promise<SegmentWriter> {
    for (;;) {
      try {
        await this.#makeRoom(bytes);
        const writer = this.#writer;
        if (writer !== undefined && !writer.broken && !this.#isFull(writer)) return writer;
        await this.#roll();
      } catch (error) {
        await this.#trouble(error);
      }
    }
  }

  /** From now on the first failure is final. */
  stop(): void {
    this.#stopped = true;
    this.#stop_waiting();
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /** To block is to wait for outputs that keep a place; beside readers that keep none there is nobody to wait for. */
  get #drops_oldest(): boolean {
    return this.#options.on_full === 'drop_oldest' || this.#context.retention.keeps_nothing;
  }

  #isFull(writer: SegmentWriter): boolean {
    return !writer.pristine && writer.segment.end_bytes >= this.#options.segment_max_bytes;
  }

  /** Leaves the segment for a new one. */
  async #roll(): Promise<void> {
    const { fs, clock, identity, segments, tail, spaces, retention, ballast } = this.#context;
    const { directory, syncs } = this.#options;
    // Even if a new segment cannot be made whole, a file with its name may be there by then:
    // what is written behind that into the old one would be taken for superseded.
    const left = this.#writer;
    this.#writer = undefined;
    await left?.close();
    const about = {
      directory,
      journal_id: identity.journal_id,
      epoch: identity.epoch,
      first: tail.end,
      created_ms: clock.now_ms(),
      snapshot: spaces.snapshot(),
    };
    const next = await SegmentWriter.create(fs, about, syncs);
    this.#writer = next;
    segments.add(next.segment);
    await identity.noteSegment(next.segment.first.seq);
    retention.sweep();
    if (!this.#in_trouble) await ballast.load();
  }

  /** Keeps the segments within `max_bytes`. A commit that is larger than that on its own is let through. */
  async #makeRoom(bytes: number): Promise<void> {
    const { segments, retention, gate } = this.#context;
    const { max_bytes } = this.#options;
    while (segments.bytes + bytes > max_bytes) {
      const writer = this.#writer;
      // What is in the last segment can only be deleted once there is another one.
      const is_pristine = writer === undefined || writer.pristine;
      if (segments.count <= 1 && is_pristine) return;
      if (this.#drops_oldest) {
        if (!(await retention.dropOldest())) await this.#roll();
      } else if (!is_pristine) {
        await this.#roll();
      } else {
        this.#enterTrouble('size_limit', { max_bytes, segment_bytes: segments.bytes });
        await this.#waitUntilFreed(SIZE_LIMIT_RECHECK_MS);
      }
    }
    if (gate.state === 'size_limit') this.settle();
  }

  async #trouble(error: unknown): Promise<void> {
    if (this.#stopped) throw closedError(error);
    const { ballast, retention } = this.#context;
    const is_full = isDiskFull(error);
    this.#enterTrouble(is_full ? 'disk_full' : 'io_error', { error: messageOf(error) });
    if (is_full) {
      if (await ballast.release()) return;
      if (this.#drops_oldest && (await retention.dropOldest())) return;
    }
    await this.#waitUntilFreed(this.#backoff.next_ms());
  }

  #enterTrouble(state: 'size_limit' | 'disk_full' | 'io_error', fields: object): void {
    const { gate, log } = this.#context;
    this.#in_trouble = true;
    if (gate.state === state) return;
    gate.setTrouble(state);
    const where = { state, path: this.#options.directory, ...fields };
    log.warn(where, 'the journal takes no events for now; those that came in wait in memory');
  }

  /** The disk takes commits, or nothing is waiting for it to: no trouble until the next failure. */
  settle(): void {
    if (!this.#in_trouble) return;
    this.#in_trouble = false;
    this.#backoff.reset();
    this.#context.gate.setTrouble(undefined);
    this.#context.log.info({ path: this.#options.directory }, 'the journal takes events again');
  }

  /** Until a segment was deleted, the time is up, or `stop`. */
  async #waitUntilFreed(delay_ms: number): Promise<void> {
    const { retention, clock } = this.#context;
    const cancels: (() => void)[] = [];
    if (!this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#stop_waiting = resolve;
        cancels.push(retention.onceFreed(resolve));
        cancels.push(clock.after(delay_ms, resolve));
      });
    }
    for (const cancel of cancels) cancel();
    if (this.#stopped) throw closedError(undefined);
  }
}

function closedError(cause: unknown): LogboomError {
  const message = 'the journal was closed before the commit was durable';
  return new LogboomError('LB_JOURNAL_CLOSED', message, { cause });
}
