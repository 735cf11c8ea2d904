import type { Arena, Slab } from './arena.ts';
import { RECORD_KIND } from './format.ts';
import { type OpenCommitHome, OpenRecord, type Tag } from './open-record.ts';
import { type Draft, foreignPiece } from './sealed-commit.ts';
import { encodeStateHeader, STATE_HEADER_BYTES, STATE_WHAT } from './state-items.ts';

/** What a record takes in memory and in the file besides its body, roughly. */
const RECORD_OVERHEAD_BYTES = 256;
const STATE_FIRST_BYTES = 1024;
const NO_TAG = Buffer.alloc(0);

export type CommitDone = (error?: Error) => void;

/**
 * The commit that is filling.
 *
 * Invariants:
 * - `granted_bytes` is never less than the memory that its records hold;
 * - drafts of one tag are in the order in which their bytes came.
 */
export class CommitBuilder implements OpenCommitHome {
  readonly number: number;
  readonly arena: Arena;
  readonly callbacks: CommitDone[] = [];
  filling = true;
  granted_bytes = 0;
  readonly record_max_bytes: number;
  readonly #large_bytes: number;
  readonly #is_large: () => void;
  readonly #drafts: Draft[] = [];
  readonly #opened: OpenRecord[] = [];
  #state = NO_TAG;
  #state_bytes = 0;

  /** Calls `is_large` whenever it grows beyond `large_bytes`. */
  constructor(
    number: number,
    arena: Arena,
    record_max_bytes: number,
    large_bytes: number,
    is_large: () => void,
  ) {
    this.number = number;
    this.arena = arena;
    this.record_max_bytes = record_max_bytes;
    this.#large_bytes = large_bytes;
    this.#is_large = is_large;
  }

  /** Nobody has asked anything of it. */
  get is_idle(): boolean {
    return (
      this.#opened.length === 0 &&
      this.#drafts.length === 0 &&
      this.#state_bytes === 0 &&
      this.callbacks.length === 0
    );
  }

  grant(bytes: number): void {
    this.granted_bytes += bytes;
    if (this.granted_bytes >= this.#large_bytes) this.#is_large();
  }

  /** The tag's record with this codec and these attributes; another one that was open is sealed. */
  open(tag: Tag, codec: number, attrs: number): OpenRecord {
    const record = this.#renewed(tag, codec, attrs) ?? new OpenRecord(this, tag, codec, attrs);
    tag.open = record;
    this.#opened.push(record);
    this.grant(RECORD_OVERHEAD_BYTES);
    return record;
  }

  reopen(record: OpenRecord): void {
    this.#sealOpen(record.owner);
    record.owner.open = record;
    this.grant(RECORD_OVERHEAD_BYTES);
  }

  /** Appends a record that is whole already, behind what is open for its tag. */
  append(tag: Tag, draft: Draft): void {
    this.#sealOpen(tag);
    this.#drafts.push(draft);
    this.grant(RECORD_OVERHEAD_BYTES);
    for (const piece of draft.pieces) this.grant(piece.end - piece.start);
  }

  noteState(space: number, entry: Buffer): void {
    const at = this.#state_bytes;
    const end = at + STATE_HEADER_BYTES + entry.length;
    if (end > this.#state.length) this.#growState(end);
    encodeStateHeader(this.#state, at, space, STATE_WHAT.entry, entry.length);
    entry.copy(this.#state, at + STATE_HEADER_BYTES);
    this.#state_bytes = end;
  }

  /** Ends the filling: all records, the state record last, and the memory they lie in. */
  finish(): { drafts: readonly Draft[]; state: Buffer; slabs: Slab[] } {
    this.filling = false;
    for (const record of this.#opened) this.#seal(record);
    const state = this.#state.subarray(0, this.#state_bytes);
    if (state.length > 0) this.#drafts.push(stateDraft(state));
    return { drafts: this.#drafts, state, slabs: this.arena.rotate() };
  }

  /** The tag's record of an earlier commit, if it can serve again; if it is of this commit, it is sealed. */
  #renewed(tag: Tag, codec: number, attrs: number): OpenRecord | undefined {
    const { open } = tag;
    if (open === undefined) return undefined;
    if (open.commit === this.number) {
      this.#seal(open);
      return undefined;
    }
    // Who still holds it expects this codec and these attributes of it.
    if (open.codec !== codec || open.attrs !== attrs) return undefined;
    open.renew(this);
    return open;
  }

  #sealOpen(tag: Tag): void {
    const open = tag.open;
    if (open !== undefined && open.commit === this.number) this.#seal(open);
  }

  #seal(record: OpenRecord): void {
    record.close();
    if (record.pieces.length === 0 && record.count === 0) return;
    this.#drafts.push({
      kind: RECORD_KIND.events,
      tag: record.tag,
      codec: record.codec,
      attrs: record.attrs,
      count: record.count,
      time_min_s: record.time_min_s,
      time_max_s: record.time_max_s,
      pieces: record.pieces,
    });
    record.owner.last_bytes = record.body_bytes;
    record.reset();
  }

  #growState(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(
      Math.max(bytes, this.#state.length * 2, STATE_FIRST_BYTES),
    );
    this.#state.copy(grown, 0, 0, this.#state_bytes);
    this.grant(grown.length - this.#state.length);
    this.#state = grown;
  }
}

/** The record that carries a commit's state entries. */
export function stateDraft(body: Buffer): Draft {
  return internalDraft(RECORD_KIND.state, body);
}

/** The record that a segment begins with. */
export function snapshotDraft(body: Buffer): Draft {
  return internalDraft(RECORD_KIND.snapshot, body);
}

function internalDraft(kind: Draft['kind'], body: Buffer): Draft {
  return {
    kind,
    tag: NO_TAG,
    codec: 0,
    attrs: 0,
    count: 0,
    time_min_s: 0,
    time_max_s: 0,
    pieces: body.length === 0 ? [] : [foreignPiece(body)],
  };
}
