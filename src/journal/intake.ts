import { LogboomError } from '../errors.ts';
import type { Clock } from '../sys/clock.ts';
import { Arena, type Slab } from './arena.ts';
import { CommitBuilder, type CommitDone } from './commit-builder.ts';
import { BODY_MAX_BYTES, RECORD_KIND, TAG_MAX_BYTES } from './format.ts';
import type { Gate } from './gate.ts';
import type { OpenRecord } from './open-record.ts';
import { type Draft, foreignPiece } from './sealed-commit.ts';
import type { Spaces } from './spaces.ts';
import { equalBytes, TagTable } from './tag-table.ts';
import type { LargeRecord, RecordBuilder, StateEntry } from './types.ts';

/** A commit that has stopped filling. */
export interface GatheredCommit {
  readonly kind: 'commit';
  readonly drafts: readonly Draft[];
  /** Body of its state record; empty if it has none. */
  readonly state: Buffer;
  readonly slabs: readonly Slab[];
  readonly callbacks: readonly CommitDone[];
  readonly memory_bytes: number;
}

export interface LargeWork {
  readonly kind: 'large';
  readonly records: AsyncIterable<LargeRecord>;
  readonly entries: readonly StateEntry[];
  readonly done: CommitDone;
}

export type CommitWork = GatheredCommit | LargeWork;

export interface IntakeOptions {
  readonly commit_start_bytes: number;
  readonly commit_max_bytes: number;
  readonly record_max_bytes: number;
  readonly linger_ms: number;
  readonly recycled: (memory: Buffer) => void;
}

/**
 * Where events come in: the commit that is filling, and what waits behind the
 * one that is being written.
 *
 *     being written │ queued: commits closed by a large one, large ones │ filling
 *
 * The filling commit is **due** when somebody hurries, when it has lingered, or
 * when it is large enough. Nothing here touches the disk.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #spaces: Spaces;
  readonly #arena: Arena;
  readonly #tags = new TagTable();
  readonly #work_is_due: () => void;
  #queue: CommitWork[] = [];
  #queued_bytes = 0;
  #filling: CommitBuilder;
  #last: OpenRecord | undefined;
  #due = false;
  #cancel_linger: (() => void) | undefined;
  #closed = false;

  constructor(
    options: IntakeOptions,
    clock: Clock,
    gate: Gate,
    spaces: Spaces,
    work_is_due: () => void,
  ) {
    this.#options = options;
    this.#arena = new Arena(options.recycled);
    this.#clock = clock;
    this.#gate = gate;
    this.#spaces = spaces;
    this.#work_is_due = work_is_due;
    this.#filling = this.#newCommit(1);
  }

  get filling(): number {
    return this.#filling.number;
  }

  /** See `JournalWriter.waiting_bytes`. */
  get waiting_bytes(): number {
    return this.#queued_bytes + this.#filling.granted_bytes;
  }

  builder(source: Buffer, start: number, end: number, codec: number, attrs: number): RecordBuilder {
    const last = this.#last;
    if (
      last !== undefined &&
      last.codec === codec &&
      last.attrs === attrs &&
      equalBytes(last.owner.bytes, source, start, end)
    ) {
      return last;
    }
    return this.#find(source, start, end, codec, attrs);
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
    this.#assertOpen();
    assertStorable(tag.length, codec, attrs);
    const body_bytes = body.reduce((bytes, piece) => bytes + piece.length, 0);
    if (body_bytes > BODY_MAX_BYTES) {
      throw new RangeError(
        `a body of ${body_bytes} B is larger than a record, ${BODY_MAX_BYTES} B`,
      );
    }
    const entry = this.#tags.find(tag, 0, tag.length);
    this.#touch();
    this.#filling.append(entry, {
      kind: RECORD_KIND.events,
      tag: entry.bytes,
      codec,
      attrs,
      count,
      time_min_s,
      time_max_s,
      pieces: body.filter((piece) => piece.length > 0).map(foreignPiece),
    });
  }

  /** The commit that is filling is closed and queued first, so that the order is kept. */
  async appendLarge(
    records: AsyncIterable<LargeRecord>,
    entries: readonly StateEntry[],
  ): Promise<void> {
    this.#assertOpen();
    for (const { space } of entries) this.#spaces.assertKnown(space);
    await new Promise<void>((resolve, reject) => {
      const done: CommitDone = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
      if (!this.#filling.is_idle) this.#enqueue(this.#swap());
      this.#queue.push({ kind: 'large', records, entries, done });
      this.#work_is_due();
    });
  }

  note(space: number, entry: Buffer): void {
    this.#assertOpen();
    this.#spaces.assertKnown(space);
    this.#touch();
    this.#filling.noteState(space, entry);
  }

  onCommit(done: CommitDone): void {
    this.#assertOpen();
    this.#touch();
    this.#filling.callbacks.push(done);
  }

  hurry(): void {
    if (this.#due || this.#filling.is_idle) return;
    this.#due = true;
    this.#work_is_due();
  }

  /** What is to be written next; undefined if nothing is due. */
  take(): CommitWork | undefined {
    const queued = this.#queue.shift();
    if (queued !== undefined) {
      if (queued.kind === 'commit') this.#queued_bytes -= queued.memory_bytes;
      this.#updateGate();
      return queued;
    }
    if (!this.#due) return undefined;
    const gathered = this.#swap();
    this.#updateGate();
    return gathered;
  }

  /** Memory for what a commit is made of besides its events. */
  takeSlab(bytes: number): Slab {
    return this.#arena.takeOwn(bytes);
  }

  /** Takes back memory that nobody looks into any more. */
  recycle(slabs: readonly Slab[]): void {
    this.#arena.recycle(slabs);
  }

  /** Nothing more comes in; what has come in is due. */
  close(): void {
    this.#last = undefined;
    this.hurry();
    this.#closed = true;
  }

  #find(source: Buffer, start: number, end: number, codec: number, attrs: number): OpenRecord {
    const tag = this.#tags.find(source, start, end);
    const open = tag.open;
    if (
      open !== undefined &&
      open.commit === this.#filling.number &&
      open.codec === codec &&
      open.attrs === attrs
    ) {
      this.#last = open;
      return open;
    }
    this.#assertOpen();
    assertStorable(end - start, codec, attrs);
    this.#touch();
    this.#last = this.#filling.open(tag, codec, attrs);
    return this.#last;
  }

  /** The filling commit has something in it: it will not wait for ever. */
  #touch(): void {
    this.#cancel_linger ??= this.#clock.after(this.#options.linger_ms, () => {
      this.hurry();
    });
  }

  #swap(): GatheredCommit {
    const commit = this.#filling;
    this.#filling = this.#newCommit(commit.number + 1);
    this.#last = undefined;
    this.#due = false;
    this.#cancel_linger?.();
    this.#cancel_linger = undefined;
    const gathered = commit.finish();
    this.#tags.trim();
    return {
      kind: 'commit',
      ...gathered,
      callbacks: commit.callbacks,
      memory_bytes: commit.granted_bytes,
    };
  }

  #enqueue(commit: GatheredCommit): void {
    this.#queue.push(commit);
    this.#queued_bytes += commit.memory_bytes;
  }

  #newCommit(number: number): CommitBuilder {
    const { record_max_bytes, commit_start_bytes } = this.#options;
    return new CommitBuilder(number, this.#arena, record_max_bytes, commit_start_bytes, () => {
      this.hurry();
      this.#updateGate();
    });
  }

  #updateGate(): void {
    this.#gate.setFull(this.waiting_bytes >= this.#options.commit_max_bytes);
  }

  #assertOpen(): void {
    if (this.#closed) throw new LogboomError('LB_JOURNAL_CLOSED', 'the journal is closed');
  }
}

function assertStorable(tag_bytes: number, codec: number, attrs: number): void {
  if (tag_bytes > TAG_MAX_BYTES || codec > 0xff || attrs > 0xffff) {
    throw new RangeError(
      `a record has a tag of at most ${TAG_MAX_BYTES} B, a codec up to 255 and attrs up to 65535, not ${tag_bytes} B, ${codec} and ${attrs}`,
    );
  }
}
