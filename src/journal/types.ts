/**
 * What the rest of logboom knows of the journal: an append-only log of opaque
 * records, grouped into commits that are whole or cut, read by cursors.
 *
 * The journal never looks into a tag, a body or a state entry.
 */

/**
 * A durable record, as readers get it. Its buffers are immutable, and slices of
 * larger ones (up to about a megabyte): who keeps a few of many copies them.
 */
export interface JournalRecord {
  /** Consecutive, from 1. */
  readonly seq: number;
  readonly tag: Buffer;
  /** Opaque to the journal; `protocol/codec.ts` gives it meaning. */
  readonly codec: number;
  /** Opaque to the journal; `protocol/codec.ts` gives it meaning. */
  readonly attrs: number;
  readonly count: number;
  /** Seconds since 1970; 0 and 0 when no event carried a time. */
  readonly time_min_s: number;
  readonly time_max_s: number;
  /** CRC-32 of the body. */
  readonly checksum: number;
  /** The body, possibly in several pieces. */
  readonly body: readonly Buffer[];
  readonly body_bytes: number;
  /** Events and body bytes in the journal before this record, since its creation. */
  readonly events_before: number;
  readonly bytes_before: number;
  /** Wall clock when its commit was written. */
  readonly committed_ms: number;
}

/**
 * An open record of the commit that is filling: one per tag, so that a thousand
 * tags cost one write. Valid only while `commit === journal.filling`; after
 * that ask `journal.builder()` again.
 *
 *     const at = builder.reserve(n);     // then write n bytes at builder.buffer[at]
 *     builder.note(count, min_s, max_s);
 *
 * Nothing may await between `builder()` and the last byte written.
 */
export interface RecordBuilder {
  readonly commit: number;
  readonly tag: Buffer;
  /** May be another buffer after each `reserve()`. */
  readonly buffer: Buffer;
  /** Makes room for `bytes` contiguous bytes and returns their offset in `buffer`. */
  reserve(bytes: number): number;
  /** Adds to the record's event count and time range. */
  note(events: number, time_min_s: number, time_max_s: number): void;
}

/** Why the journal takes nothing at the moment. */
export type JournalState =
  | 'writable'
  | 'commit_full'
  | 'size_limit'
  | 'disk_full'
  | 'io_error'
  | 'closed';

/**
 * State that must be exactly as new as the events around it: file positions,
 * client chunk ids. Entries ride in the same commit as the events.
 */
export interface StateSpace {
  /** Bytes from which `restore` rebuilds everything applied so far. Written at the start of each segment. */
  snapshot(): Buffer;
  /** Called once at open, before any `apply`; `undefined` for a new journal. */
  restore(snapshot: Buffer | undefined): void;
  /** Called once per entry, in append order, when its commit is durable, and again by recovery. */
  apply(entry: Buffer): void;
}

export interface JournalWriter {
  /** The number of the commit that is filling. */
  readonly filling: number;
  readonly state: JournalState;
  /** False: stop feeding (pause sources) and wait for `onceWritable`. Appending a little more is safe. */
  readonly writable: boolean;
  /** Memory of what has come in and is not being written yet. */
  readonly waiting_bytes: number;
  /** Calls `resume` once, when the journal takes events again (at once if it does now). Returns a cancel function. */
  onceWritable(resume: () => void): () => void;

  /** The open record for the tag at `source[start..end)` with this codec and these attributes; creates it if need be. Sealed and replaced when another codec for the same tag comes between, so order per tag is kept. */
  builder(source: Buffer, start: number, end: number, codec: number, attrs: number): RecordBuilder;
  /**
   * Appends one whole record whose body the caller hands over (and never touches again).
   * For bodies that already exist in one piece, such as compressed payloads.
   */
  appendBody(
    tag: Buffer,
    codec: number,
    attrs: number,
    body: readonly Buffer[],
    count: number,
    time_min_s: number,
    time_max_s: number,
  ): void;
  /**
   * Appends records that together may exceed memory, as one commit of their own, whole or cut.
   * The journal pulls from `records` as the disk takes them. Resolves once durable.
   * `entries` are applied with it. Order: behind everything appended before this call, before everything appended after it.
   */
  appendLarge(records: AsyncIterable<LargeRecord>, entries: readonly StateEntry[]): Promise<void>;
  /** Adds a state entry to the commit that is filling. `entry` is copied. */
  note(space: number, entry: Buffer): void;
  /**
   * Calls `done` when the commit that is filling now is durable (or, with `journal.sync: os`,
   * written), or with an error when it never will be. Calls come in commit order.
   */
  onCommit(done: (error?: Error) => void): void;
  /** Somebody waits: commit as soon as the disk is free, without the linger. */
  hurry(): void;
}

export interface LargeRecord {
  readonly tag: Buffer;
  readonly codec: number;
  readonly attrs: number;
  readonly body: readonly Buffer[];
  readonly count: number;
  readonly time_min_s: number;
  readonly time_max_s: number;
}

export interface StateEntry {
  readonly space: number;
  readonly entry: Buffer;
}

/** Reads the durable log in order. One per output; cheap; not safe for concurrent calls. */
export interface JournalReader {
  /** The seq that the next read begins with. */
  readonly next_seq: number;
  /** Whether `read` would bring records without waiting for new ones. */
  readonly has_more: boolean;
  /** Everything durable has been read. */
  readonly at_end: boolean;
  /**
   * Up to about `max_bytes` of records (at least one), waiting until there is one.
   * Recent records come from memory, older ones from disk in large reads.
   * Skips records that are quarantined or were dropped. Rejects when `signal` aborts.
   */
  read(max_bytes: number, signal: AbortSignal): Promise<JournalRecord[]>;
  /**
   * Promises that nobody looks into the bodies of records before `seq` that were read up to now any
   * more, other than those that were kept: their memory is used again. Who never calls it may look
   * into all for good.
   */
  release(seq: number): void;
  /** Whatever was read up to now may be looked into for good: it is not known for how long. */
  keep(): void;
  close(): void;
}

/**
 * One output's durable place: every record before `seq` is done with. `window`
 * is the output's own note about what it sends behind `seq` (opaque here).
 */
export interface Cursor {
  readonly name: string;
  readonly seq: number;
  readonly window: Buffer;
  /**
   * Durable when it resolves; safe against a crash at any byte; works on a full disk. Never moves
   * backwards. Calls must not overlap. After a rejection the next process may find either, what
   * was to be saved or what was saved before, until another save resolves.
   */
  save(seq: number, window: Buffer): Promise<void>;
  /** Calls `moved` when the journal itself moved the cursor forward (`drop_oldest`), at once for a move that is being written; records before `seq` are gone. At most one listener. */
  onMoved(moved: (seq: number) => void): void;
}
