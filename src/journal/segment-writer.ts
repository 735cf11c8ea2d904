import { dirname, join } from 'node:path';
import { type File, type FileSystem, writeFully } from '../sys/fs.ts';
import { snapshotDraft } from './commit-builder.ts';
import {
  encodeSegmentHeader,
  FORMAT_VERSION,
  type Place,
  SEGMENT_HEADER_BYTES,
  segmentSeed,
} from './format.ts';
import { SealedCommit } from './sealed-commit.ts';
import { Segment, segmentName, UNFINISHED_SUFFIX } from './segments.ts';

export interface NewSegment {
  readonly directory: string;
  readonly journal_id: Buffer;
  readonly epoch: number;
  readonly first: Place;
  readonly created_ms: number;
  /** Body of the snapshot record. */
  readonly snapshot: Buffer;
}

/** What is known of a commit once it is written. */
interface DurableCommit {
  readonly total_bytes: number;
  readonly first: Place;
  /** Where `first` is if it has no events. */
  readonly after: Place;
  readonly committed_ms: number;
}

/**
 * Writes the last segment. A segment is written by one writer in one go: at
 * open, when it is full, and after a failed write or fsync, a new one is created.
 *
 * Invariants:
 * - a file with a segment's name begins with a whole header and a whole snapshot
 *   (it is written aside, made durable, and renamed);
 * - `segment.end_bytes` covers durable commits only;
 * - after a rejection the writer is `broken` and never used again: whether the
 *   bytes are on the disk is unknown, and asking fsync again would not tell.
 */
export class SegmentWriter {
  readonly segment: Segment;
  /** A write or fsync has failed. */
  broken = false;
  /** Holds nothing but its snapshot. */
  pristine = true;
  readonly #file: File;
  readonly #syncs: boolean;

  private constructor(segment: Segment, file: File, syncs: boolean) {
    this.segment = segment;
    this.#file = file;
    this.#syncs = syncs;
  }

  /** Resolves once the segment, its snapshot and its name are durable. Rejects with nothing left behind. */
  static async create(fs: FileSystem, about: NewSegment, syncs: boolean): Promise<SegmentWriter> {
    const { directory, journal_id, epoch, first, created_ms } = about;
    const path = join(directory, segmentName(first.seq));
    const unfinished = path.replace(/\.seg$/, UNFINISHED_SUFFIX);
    const header = encodeSegmentHeader({
      version: FORMAT_VERSION,
      epoch,
      journal_id,
      first,
      created_ms,
    });
    const commit = new SealedCommit([snapshotDraft(about.snapshot)], first, created_ms);
    const seed = segmentSeed(journal_id, first.seq);
    const file = await fs.open(unfinished, 'create');
    try {
      await writeFully(file, [header, ...commit.encodeAt(seed, SEGMENT_HEADER_BYTES)], 0);
      await file.datasync();
      await fs.rename(unfinished, path);
      await fs.syncDirectory(dirname(path));
    } catch (error) {
      await closeQuietly(file);
      await fs.remove(unfinished).catch(() => {});
      throw error;
    }
    const end_bytes = SEGMENT_HEADER_BYTES + commit.total_bytes;
    const segment = new Segment(directory, journal_id, first, created_ms, end_bytes);
    return new SegmentWriter(segment, file, syncs);
  }

  /** Resolves once the commit is durable (with `journal.sync: os`, written); `advance` then makes it readable. */
  async append(commit: SealedCommit): Promise<void> {
    const offset = this.segment.end_bytes;
    await this.write(commit.encodeAt(this.segment.seed, offset), offset);
    await this.sync();
  }

  /** Part of a commit at `offset`; not durable yet, and not part of the segment before `advance`. */
  async write(buffers: readonly Buffer[], offset: number): Promise<void> {
    await this.#orBroken(writeFully(this.#file, buffers, offset));
  }

  async sync(): Promise<void> {
    if (this.#syncs) await this.#orBroken(this.#file.datasync());
  }

  /** The commit belongs to the segment now. */
  advance({ total_bytes, first, after, committed_ms }: DurableCommit): void {
    const offset = this.segment.end_bytes;
    this.segment.end_bytes = offset + total_bytes;
    this.pristine = false;
    if (after.seq > first.seq) this.segment.holdsEventsOf(committed_ms);
    this.segment.mark({ offset, place: first, commit: undefined });
  }

  /** Takes back what was written behind the last durable commit. */
  async truncate(): Promise<void> {
    await this.#orBroken(this.#file.truncate(this.segment.end_bytes));
  }

  /** Closes the file. A torn tail is cut off if the disk lets us; if not, the next segment's first seq outdates it. */
  async close(): Promise<void> {
    if (this.broken) await this.#file.truncate(this.segment.end_bytes).catch(() => {});
    await closeQuietly(this.#file);
  }

  async #orBroken(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.broken = true;
      throw error;
    }
  }
}

/** What was written is durable or given up already: an error of close tells nothing more. */
async function closeQuietly(file: File): Promise<void> {
  await file.close().catch(() => {});
}
