import { LogboomError } from '../errors.ts';
import type { Arena, Piece, Slab } from './arena.ts';
import type { RecordBuilder } from './types.ts';

/** A tag that was seen lately, and its record in the commit that is filling. */
export interface Tag {
  readonly bytes: Buffer;
  readonly hash: number;
  /** The record opened last; of an earlier commit, maybe. */
  open: OpenRecord | undefined;
  /** How large its last record became: what to take from the arena for the next. */
  last_bytes: number;
}

/** The commit that a record is open in. */
export interface OpenCommitHome {
  readonly number: number;
  /** False once it is being written. */
  readonly filling: boolean;
  readonly arena: Arena;
  /** A record is sealed before it exceeds this; only a single event may. */
  readonly record_max_bytes: number;
  /** The commit's records hold so many bytes more. */
  grant(bytes: number): void;
  /** Seals whatever is open for the record's tag, and makes the (now empty) record the open one. */
  reopen(record: OpenRecord): void;
}

/** What a builder's first piece takes at least: a few events. */
const FIRST_PIECE_BYTES = 512;
/** What it grows by at most beyond need. */
const PIECE_MAX_BYTES = 64 * 1024;

/** No offset: bytes in an earlier piece wait for `note`. */
const NOT_NOTED = -1;

const NOTHING = Buffer.alloc(0);

/**
 * The builder of one (tag, codec, attrs) within one commit.
 *
 *     buffer   ... │ start ── written ── at ── free ── limit │ ...
 *
 * Invariants:
 * - the fast path of `reserve` stays between `at` and `limit`; sealing sets
 *   `limit = at`, so a sealed record is never written to;
 * - bytes that were reserved but not noted yet are never parted from each other
 *   by sealing: an event lies in one record.
 */
export class OpenRecord implements RecordBuilder {
  /** The number of the commit that it is open in. */
  commit: number;
  readonly codec: number;
  readonly attrs: number;
  readonly owner: Tag;
  buffer: Buffer = NOTHING;
  count = 0;
  time_min_s = 0;
  time_max_s = 0;
  /** Pieces that are closed; the current one follows them. */
  pieces: Piece[] = [];
  #closed_bytes = 0;
  #slab: Slab | undefined;
  #start = 0;
  #at = 0;
  #limit = 0;
  #noted_at = 0;
  #commit: OpenCommitHome;

  constructor(builder: OpenCommitHome, owner: Tag, codec: number, attrs: number) {
    this.#commit = builder;
    this.commit = builder.number;
    this.owner = owner;
    this.codec = codec;
    this.attrs = attrs;
  }

  get tag(): Buffer {
    return this.owner.bytes;
  }

  get body_bytes(): number {
    return this.#closed_bytes + this.#at - this.#start;
  }

  reserve(bytes: number): number {
    const at = this.#at;
    const end = at + bytes;
    if (end > this.#limit) return this.#reserveMore(bytes);
    this.#at = end;
    return at;
  }

  note(events: number, time_min_s: number, time_max_s: number): void {
    this.count += events;
    this.#noted_at = this.#at;
    // 0 and 0 mean that no time is known.
    if (time_max_s === 0 && time_min_s === 0) return;
    if (this.time_max_s === 0 && this.time_min_s === 0) {
      this.time_min_s = time_min_s;
      this.time_max_s = time_max_s;
      return;
    }
    if (time_min_s < this.time_min_s) this.time_min_s = time_min_s;
    if (time_max_s > this.time_max_s) this.time_max_s = time_max_s;
  }

  /** Closes the current piece; nothing is written into it any more. */
  close(): void {
    if (this.#slab !== undefined && this.#at > this.#start) {
      this.pieces.push({ slab: this.#slab, start: this.#start, end: this.#at });
      this.#closed_bytes += this.#at - this.#start;
    }
    this.#slab = undefined;
    this.#start = this.#at;
    this.#limit = this.#at;
  }

  /** Opens it again, in a later commit. What it held there was sealed. */
  renew(commit: OpenCommitHome): void {
    this.#commit = commit;
    this.commit = commit.number;
  }

  /** Begins anew behind what was sealed. */
  reset(): void {
    this.pieces = [];
    this.#closed_bytes = 0;
    this.count = 0;
    this.time_min_s = 0;
    this.time_max_s = 0;
  }

  #reserveMore(bytes: number): number {
    const builder = this.#commit;
    if (!builder.filling) {
      throw new LogboomError(
        'LB_JOURNAL_CLOSED',
        `a record builder of commit ${this.commit} was used after that commit began to be written`,
        { hint: 'Ask the journal for a builder again when journal.filling has changed.' },
      );
    }
    const all_noted = this.#at === this.#noted_at;
    if (
      this.owner.open !== this ||
      (all_noted && this.body_bytes + bytes > builder.record_max_bytes)
    ) {
      builder.reopen(this);
    }
    this.#grow(bytes);
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  #grow(bytes: number): void {
    const { arena, record_max_bytes } = this.#commit;
    // What was granted once is filled without asking again: never beyond record_max_bytes.
    const granted_bytes = this.#closed_bytes + this.#limit - this.#start;
    const wish_bytes = Math.min(this.#wish(), Math.max(0, record_max_bytes - granted_bytes));
    if (this.#slab !== undefined) {
      const missing_bytes = this.#at + bytes - this.#limit;
      const limit = arena.extend(this.#slab, this.#limit, missing_bytes, wish_bytes);
      if (limit !== -1) {
        this.#commit.grant(limit - this.#limit);
        this.#limit = limit;
        return;
      }
    }
    const all_noted = this.#at === this.#noted_at;
    this.close();
    this.#slab = arena.take(bytes, wish_bytes);
    this.buffer = this.#slab.buffer;
    this.#start = arena.taken_at;
    this.#at = this.#start;
    this.#noted_at = all_noted ? this.#start : NOT_NOTED;
    this.#limit = arena.takenEnd(this.#slab);
    this.#commit.grant(this.#limit - this.#start);
  }

  /** At first as large as the tag's last record and a little more; then doubling. */
  #wish(): number {
    const body_bytes = this.body_bytes;
    const last_bytes = this.owner.last_bytes + (this.owner.last_bytes >>> 2);
    const wish_bytes = body_bytes === 0 ? last_bytes : body_bytes;
    return Math.min(Math.max(wish_bytes, FIRST_PIECE_BYTES), PIECE_MAX_BYTES);
  }
}
