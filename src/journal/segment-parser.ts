/**
 * From the bytes of one segment to its commits and records: pure, and the only
 * reader of segments that there is. Recovery, readers, `buffer ls|cat|verify`
 * all see a segment through it, so they agree about what is whole.
 *
 * There are several independent ways back to sound ground after damage:
 *
 * - a damaged **body**: its header's crc vouches for the lengths; the record is
 *   reported as not intact and the next one follows;
 * - a damaged **record header**: the commit header tells where the next commit
 *   begins; the rest of this commit is reported as damage;
 * - a damaged **commit header**: the records behind it vouch for themselves, up
 *   to the trailer; if they do not either, the next valid header is searched
 *   for (see "seed" in format.ts for why none is found inside a body).
 *
 * A length is compared with what is left in the file before anything waits for
 * so many bytes.
 */
import { crc32 } from 'node:zlib';
import {
  CHAIN_START,
  COMMIT_FRAME_BYTES,
  COMMIT_HEADER_MAGIC,
  COMMIT_TRAILER_MAGIC,
  type CommitFrame,
  chainWith,
  checkRecordHeader,
  decodeCommitFrame,
  type Place,
  peekRecordHeader,
  RECORD_HEADER_BYTES,
  RECORD_KIND,
} from './format.ts';
import type {
  CommitItem,
  DamageItem,
  OpenCommit,
  ParserMark,
  ParserPause,
  RecordItem,
  SegmentBounds,
  SegmentItem,
} from './segment-items.ts';

const NOTHING = Buffer.alloc(0);

export class SegmentParser {
  readonly #seed: number;
  readonly #stop_seq: number;
  #end_bytes: number;
  #state: 'commit' | 'records' | 'search' = 'commit';
  #offset: number;
  #place: Place;
  #commit: OpenCommit | undefined;
  #committed_ms = 0;
  #damage: { from: number; what: string } | undefined;
  #window: Buffer = NOTHING;
  #window_offset = 0;
  #wanted_bytes = 0;
  #skip_seq = 0;
  #bodies = true;

  /** Begins at `offset`, which must be where a commit begins. */
  constructor(bounds: SegmentBounds, offset: number) {
    this.#seed = bounds.seed;
    this.#stop_seq = bounds.stop_seq;
    this.#end_bytes = bounds.end_bytes;
    this.#place = bounds.first;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  /** The place of the next event record, as far as is known before it is read. */
  get place(): Place {
    return this.#place;
  }

  get end_bytes(): number {
    return this.#end_bytes;
  }

  /** The bytes that `next()` waits for: at `offset`, at least `bytes` of them. */
  get wanted(): { readonly offset: number; readonly bytes: number } {
    return { offset: this.#offset, bytes: this.#wanted_bytes };
  }

  /** Undefined where another parser could not go on: in a commit whose header is damaged. */
  mark(): ParserMark | undefined {
    if (this.#damage !== undefined || this.#state === 'search') return undefined;
    if (this.#commit === undefined) {
      return { offset: this.#offset, place: this.#place, commit: undefined };
    }
    if (this.#commit.frame === undefined) return undefined;
    return { offset: this.#offset, place: this.#place, commit: { ...this.#commit } };
  }

  resume(mark: ParserMark): void {
    this.#offset = mark.offset;
    this.#place = mark.place;
    this.#commit = mark.commit === undefined ? undefined : { ...mark.commit };
    this.#committed_ms = mark.commit?.committed_ms ?? 0;
    this.#state = mark.commit === undefined ? 'commit' : 'records';
    this.#damage = undefined;
  }

  /** The file has grown (`done` is taken back), or turned out to be shorter. */
  setEnd(end_bytes: number): void {
    this.#end_bytes = end_bytes;
  }

  /** Whole commits before `seq` are passed over, and bodies of records before it. */
  skipTo(seq: number): void {
    this.#skip_seq = seq;
  }

  /** From now on no body is read or checked. */
  skipBodies(): void {
    this.#bodies = false;
  }

  /** `window` holds the file's bytes from `offset` on. It is kept, and given out in slices. */
  feed(window: Buffer, offset: number): void {
    this.#window = window;
    this.#window_offset = offset;
  }

  next(): SegmentItem | ParserPause {
    for (;;) {
      const step = this.#step();
      if (step !== undefined) return step;
    }
  }

  #step(): SegmentItem | ParserPause | undefined {
    switch (this.#state) {
      case 'commit':
        return this.#commitHeader();
      case 'records':
        return this.#recordOrTrailer();
      case 'search':
        return this.#search();
    }
  }

  #commitHeader(): SegmentItem | ParserPause | undefined {
    const left_bytes = this.#end_bytes - this.#offset;
    if (left_bytes <= 0) return this.#takeDamage(this.#end_bytes) ?? 'done';
    if (left_bytes < COMMIT_FRAME_BYTES) return this.#damaged('commit header', this.#end_bytes);
    if (!this.#has(COMMIT_FRAME_BYTES)) return 'starved';
    const frame = this.#frame(COMMIT_HEADER_MAGIC);
    if (this.#isSuperseded(frame)) {
      this.#end_bytes = this.#offset;
      return undefined;
    }
    if (frame === undefined) {
      this.#open(undefined);
      return this.#damaged('commit header', this.#offset + COMMIT_FRAME_BYTES);
    }
    const damage = this.#takeDamage(this.#offset);
    if (damage !== undefined) return damage;
    this.#place = frame.first;
    const end = this.#offset + frame.total_bytes;
    if (frame.first.seq + frame.event_records <= this.#skip_seq && end <= this.#end_bytes) {
      // The events within are not known without a look at the records; the next header tells.
      this.#place = { ...frame.first, seq: frame.first.seq + frame.event_records };
      this.#offset = end;
      return undefined;
    }
    const item: CommitItem = { type: 'commit', offset: this.#offset, frame };
    this.#open(frame);
    this.#offset += COMMIT_FRAME_BYTES;
    return item;
  }

  /**
   * A commit whose write failed was written again at the head of the next
   * segment. What is left of it here, whole or torn, does not count.
   */
  #isSuperseded(frame: CommitFrame | undefined): boolean {
    if (frame === undefined) return this.#place.seq >= this.#stop_seq;
    if (frame.first.seq > this.#stop_seq) return true;
    return frame.first.seq === this.#stop_seq && frame.event_records > 0;
  }

  #open(frame: CommitFrame | undefined): void {
    this.#committed_ms = frame?.committed_ms ?? this.#committed_ms;
    this.#commit = {
      offset: this.#offset,
      frame,
      committed_ms: this.#committed_ms,
      index: 0,
      chain: CHAIN_START,
      intact: true,
    };
    this.#state = 'records';
  }

  #recordOrTrailer(): SegmentItem | ParserPause | undefined {
    const commit = this.#commit as OpenCommit; // there is one in this state
    const expects_trailer = commit.frame?.record_count === commit.index;
    if (expects_trailer || commit.frame === undefined) {
      const left_bytes = this.#end_bytes - this.#offset;
      if (left_bytes < COMMIT_FRAME_BYTES) return this.#giveUpCommit(commit, 'commit trailer');
      if (!this.#has(COMMIT_FRAME_BYTES)) return 'starved';
      const trailer = this.#frame(COMMIT_TRAILER_MAGIC);
      if (trailer !== undefined) return this.#close(commit, trailer);
      if (expects_trailer) return this.#giveUpCommit(commit, 'commit trailer');
    }
    return this.#record(commit);
  }

  #close(commit: OpenCommit, trailer: CommitFrame): SegmentItem {
    const damage = this.#takeDamage(this.#offset);
    if (damage !== undefined) return damage;
    this.#offset += COMMIT_FRAME_BYTES;
    this.#leaveCommit();
    return {
      type: 'end',
      offset: commit.offset,
      end_offset: this.#offset,
      whole:
        commit.intact &&
        trailer.chain === commit.chain &&
        trailer.record_count === commit.index &&
        trailer.total_bytes === this.#offset - commit.offset,
    };
  }

  #record(commit: OpenCommit): SegmentItem | ParserPause | undefined {
    const room_bytes = this.#commitEnd(commit) - this.#offset;
    if (room_bytes < RECORD_HEADER_BYTES) return this.#giveUpCommit(commit, 'record header');
    if (!this.#has(RECORD_HEADER_BYTES)) return 'starved';
    const header = peekRecordHeader(this.#window, this.#offset - this.#window_offset);
    const body_at = RECORD_HEADER_BYTES + header.tag_bytes;
    const total_bytes = body_at + header.body_bytes;
    if (total_bytes > room_bytes) return this.#giveUpCommit(commit, 'record header');
    if (!this.#has(body_at)) return 'starved';
    const at = this.#offset - this.#window_offset;
    const crc = checkRecordHeader(this.#window, at, header.tag_bytes, this.#seed, this.#offset);
    if (crc === undefined) return this.#giveUpCommit(commit, 'record header');
    const damage = this.#takeDamage(this.#offset);
    if (damage !== undefined) return damage;
    const wants_body =
      this.#bodies && (header.kind !== RECORD_KIND.events || this.#place.seq >= this.#skip_seq);
    if (wants_body && !this.#has(total_bytes)) return 'starved';

    const body = wants_body ? this.#window.subarray(at + body_at, at + total_bytes) : NOTHING;
    const intact = !wants_body || crc32(body) === header.body_crc;
    commit.index++;
    commit.chain = chainWith(commit.chain, crc);
    commit.intact &&= intact;
    const item: RecordItem = {
      type: 'record',
      offset: this.#offset,
      end_offset: this.#offset + total_bytes,
      header,
      tag: this.#window.subarray(at + RECORD_HEADER_BYTES, at + body_at),
      body,
      intact,
      place: this.#place,
      committed_ms: commit.committed_ms,
    };
    this.#offset = item.end_offset;
    if (header.kind === RECORD_KIND.events) {
      this.#place = {
        seq: item.place.seq + 1,
        events_before: item.place.events_before + header.count,
        bytes_before: item.place.bytes_before + header.body_bytes,
      };
    }
    return item;
  }

  #search(): SegmentItem | ParserPause | undefined {
    if (this.#end_bytes - this.#offset < COMMIT_FRAME_BYTES) {
      this.#offset = this.#end_bytes;
      this.#leaveCommit();
      return undefined;
    }
    if (!this.#has(COMMIT_FRAME_BYTES)) return 'starved';
    const found_at = this.#window.indexOf(COMMIT_HEADER_MAGIC, this.#offset - this.#window_offset);
    if (found_at === -1) {
      // The magic may begin in the last three bytes.
      this.#offset = this.#window_offset + this.#window.length - 3;
      return undefined;
    }
    this.#offset = this.#window_offset + found_at;
    if (this.#end_bytes - this.#offset < COMMIT_FRAME_BYTES) return undefined;
    if (!this.#has(COMMIT_FRAME_BYTES)) return 'starved';
    if (this.#frame(COMMIT_HEADER_MAGIC) === undefined) this.#offset++;
    else this.#leaveCommit();
    return undefined;
  }

  /** The rest of the commit makes no sense: go on behind it, or search if its end is not known. */
  #giveUpCommit(commit: OpenCommit, what: string): undefined {
    if (commit.frame === undefined) {
      this.#damaged(what, this.#offset);
      this.#state = 'search';
    } else {
      this.#leaveCommit();
      this.#damaged(what, this.#commitEnd(commit));
    }
    return undefined;
  }

  #leaveCommit(): void {
    this.#commit = undefined;
    this.#state = 'commit';
  }

  #commitEnd(commit: OpenCommit): number {
    if (commit.frame === undefined) return this.#end_bytes;
    return Math.min(commit.offset + commit.frame.total_bytes, this.#end_bytes);
  }

  /** Damage begins here, unless it has begun before; goes on at `to`. */
  #damaged(what: string, to: number): undefined {
    this.#damage ??= { from: this.#offset, what };
    this.#offset = to;
    return undefined;
  }

  /** The damage that ends where sound bytes begin again. */
  #takeDamage(to: number): DamageItem | undefined {
    const damage = this.#damage;
    if (damage === undefined) return undefined;
    this.#damage = undefined;
    return { type: 'damage', from: damage.from, to, what: damage.what };
  }

  #frame(magic: Buffer): CommitFrame | undefined {
    const at = this.#offset - this.#window_offset;
    return decodeCommitFrame(this.#window, at, magic, this.#seed, this.#offset);
  }

  #has(bytes: number): boolean {
    this.#wanted_bytes = bytes;
    const from = this.#offset - this.#window_offset;
    return from >= 0 && from + bytes <= this.#window.length;
  }
}
