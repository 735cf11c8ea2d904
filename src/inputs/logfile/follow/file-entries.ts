import { LIMITS } from '../../../limits.ts';
import type { LineFormat, LogBatch } from '../types.ts';
import { EntryBatch } from './entry-batch.ts';
import { type FileBytes, readStretch } from './file-bytes.ts';
import { fingerprintOf, readFingerprint } from './fingerprint.ts';
import type { ReadMemory } from './read-memory.ts';

/** What of a torn stretch is looked at again with the bytes behind it: a newline or NULs at its end count. */
const RESYNC_OVERLAP_BYTES = 16;
const BUFFER_MIN_BYTES = 4 * 1024;
/** Bytes before the place that must be as they were when a file is looked at again. */
const TAIL_BYTES = 64;
const NOTHING = Buffer.alloc(0);

export interface FileEntriesOptions {
  readonly memory: ReadMemory;
  readonly format: LineFormat;
  /** If it is known. */
  readonly fingerprint?: number;
  /** Where to begin. */
  readonly offset: number;
  /** True: an entry need not begin at `offset`. */
  readonly resync?: boolean;
  /** Compressed files are not written on: they are not checked for it. */
  readonly compressed?: boolean;
  readonly onTorn: (offset: number, bytes: number) => void;
}

/**
 * The whole entries of one open file from an offset on, in their order.
 *
 *     │ read ... │ torn │ begun, not whole │ not read yet
 *                       ▲                  ▲
 *                      scan               end
 *
 * Invariants:
 * - every byte before `scan` was handed out in an entry or is part of a torn stretch
 * - memory is one buffer that grows with the longest entry, and none while the file rests
 */
export class FileEntries {
  readonly bytes: FileBytes;
  /** 0 until the file has an entry. */
  fingerprint: number;
  readonly #options: FileEntriesOptions;
  readonly #batch = new EntryBatch();
  #buf: Buffer = NOTHING;
  /** Where `#buf` begins in the file. */
  #base: number;
  #filled_bytes = 0;
  #end: number;
  #scan: number;
  /** Where the torn stretch that reaches to `#scan` began. */
  #torn_from: number | undefined;
  #wants_resync: boolean;
  /** Bytes before `#scan` that are not in `#buf` any more. */
  #tail: Buffer = NOTHING;

  constructor(bytes: FileBytes, options: FileEntriesOptions) {
    this.bytes = bytes;
    this.fingerprint = options.fingerprint ?? 0;
    this.#options = options;
    this.#base = options.offset;
    this.#end = options.offset;
    this.#scan = options.offset;
    this.#wants_resync = options.resync ?? false;
    if (this.#wants_resync) this.#torn_from = options.offset;
  }

  /** As far as the file was read. */
  get end(): number {
    return this.#end;
  }

  /** Where the next entry begins, as far as is known. */
  get scan(): number {
    return this.#scan;
  }

  /**
   * The next entries, from a read of up to about `max_bytes`. `end`: no whole one is left
   * for now. `changed`: other bytes are where this file was read already; it was truncated.
   */
  async next(max_bytes: number): Promise<LogBatch | 'end' | 'changed'> {
    if (this.#buf.length === 0 && !(await this.#isAsBefore())) return 'changed';
    for (;;) {
      this.#makeRoom(max_bytes);
      if (this.#filled_bytes === this.#buf.length) {
        this.#passOverEntry();
        if (this.#batch.count > 0) return this.#identified();
        continue;
      }
      const room = this.#buf.subarray(this.#filled_bytes);
      const got = await this.bytes.read(room, this.#base + this.#filled_bytes);
      this.#filled_bytes += got;
      this.#end = this.#base + this.#filled_bytes;
      this.#findEntries();
      if (this.#batch.count > 0) return this.#identified();
      if (got === 0) return 'end';
    }
  }

  /** Lets the memory go until there is more. */
  rest(): void {
    this.#dropScanned();
    this.#options.memory.give(this.#buf);
    this.#buf = NOTHING;
    this.#filled_bytes = 0;
    this.#batch.begin(NOTHING, 0);
  }

  /** The file is only so long now. False: less than was read of it. */
  shrinkTo(bytes: number): boolean {
    if (bytes < this.#scan) return false;
    this.rest();
    this.#end = this.#scan;
    return true;
  }

  /** The file will not grow any more: what was begun and is not whole is torn. */
  finish(): void {
    const from = this.#torn_from ?? this.#scan;
    if (from < this.#end) this.#options.onTorn(from, this.#end - from);
    this.#torn_from = undefined;
    this.#scan = this.#end;
    this.rest();
  }

  async #isAsBefore(): Promise<boolean> {
    const tail = this.#tail;
    if (this.#options.compressed === true || tail.length === 0) return true;
    const from = this.#scan - tail.length;
    const found = await readStretch(this.bytes, Buffer.allocUnsafe(tail.length), from);
    return found.equals(tail);
  }

  /** Moves what was begun to the front of the buffer, which grows as far as an entry may. */
  #makeRoom(max_bytes: number): void {
    this.#dropScanned();
    const wanted_bytes = Math.max(bufferBytes(max_bytes), roomFor(this.#filled_bytes));
    if (wanted_bytes <= this.#buf.length) return;
    const { memory } = this.#options;
    const larger = memory.take(wanted_bytes);
    this.#buf.copy(larger, 0, 0, this.#filled_bytes);
    memory.give(this.#buf);
    this.#buf = larger;
  }

  #dropScanned(): void {
    const at = this.#scan - this.#base;
    if (at === 0) return;
    this.#tail = Buffer.from(this.#buf.subarray(Math.max(0, at - TAIL_BYTES), at));
    this.#buf.copyWithin(0, at, this.#filled_bytes);
    this.#filled_bytes -= at;
    this.#base = this.#scan;
  }

  /** What was begun is longer than any entry may be. */
  #passOverEntry(): void {
    this.#torn_from ??= this.#scan;
    this.#wants_resync = true;
    this.#findEntries();
  }

  #findEntries(): void {
    const { format } = this.#options;
    const buf = this.#buf;
    const end = this.#filled_bytes;
    let at = this.#scan - this.#base;
    this.#batch.begin(buf, this.#base);
    while (at < end) {
      if (this.#wants_resync) {
        const next = format.resync(buf, at, end);
        this.#wants_resync = next >= end;
        at = next < end ? next : Math.max(at, end - RESYNC_OVERLAP_BYTES);
        if (this.#wants_resync) break;
      }
      const entry_end = format.entryEnd(buf, at, end);
      if (entry_end === -1) break;
      if (Number.isNaN(entry_end)) {
        this.#torn_from ??= this.#base + at;
        this.#wants_resync = true;
        continue;
      }
      this.#tellTorn(this.#base + at);
      this.#batch.add(at, entry_end);
      at = entry_end;
    }
    this.#scan = this.#base + at;
  }

  #tellTorn(until: number): void {
    const from = this.#torn_from;
    if (from === undefined) return;
    this.#torn_from = undefined;
    this.#options.onTorn(from, until - from);
  }

  async #identified(): Promise<LogBatch> {
    if (this.fingerprint === 0) {
      const { format } = this.#options;
      this.fingerprint =
        this.#base === 0
          ? fingerprintOf(format, this.#buf.subarray(0, this.#filled_bytes))
          : await readFingerprint(format, this.bytes);
    }
    this.#batch.fingerprint = this.fingerprint;
    return this.#batch;
  }
}

/** Twice what was begun, so that a long entry takes few steps. */
function roomFor(begun_bytes: number): number {
  return Math.min(begun_bytes * 2, LIMITS.log_entry_max_bytes);
}

function bufferBytes(max_bytes: number): number {
  return Math.max(BUFFER_MIN_BYTES, Math.min(max_bytes, LIMITS.log_read_max_bytes));
}
