import { crc32 } from 'node:zlib';
import type { Piece, Slab } from './arena.ts';
import {
  CHAIN_START,
  COMMIT_FRAME_BYTES,
  COMMIT_HEADER_MAGIC,
  COMMIT_TRAILER_MAGIC,
  type CommitFrame,
  chainWith,
  encodeCommitFrame,
  encodeRecordHeader,
  type Place,
  RECORD_HEADER_BYTES,
  type RecordKind,
} from './format.ts';
import { type CommitImage, type StoredBody, StoredRecord } from './stored-record.ts';

/** A record as it was gathered, before it has a place. */
export interface Draft {
  readonly kind: RecordKind;
  readonly tag: Buffer;
  readonly codec: number;
  readonly attrs: number;
  readonly count: number;
  readonly time_min_s: number;
  readonly time_max_s: number;
  readonly pieces: readonly Piece[];
}

/** Smaller pieces are copied together; for larger ones an iovec of their own is cheaper. */
const LARGE_PIECE_BYTES = 4096;
/** Memory for a larger image is used again; a smaller one is not worth a slab. */
const OWN_IMAGE_MAX_BYTES = 128 * 1024;

/** Gives memory of at least `bytes`. */
export type TakeSlab = (bytes: number) => Slab;

const newMemory: TakeSlab = (bytes) => ({
  buffer: Buffer.allocUnsafeSlow(bytes),
  large_bytes: 0,
  lent: false,
});

/** A body's buffer that does not come from the arena: its owner never writes to it again. */
export function foreignPiece(buffer: Buffer): Piece {
  const slab: Slab = { buffer, large_bytes: 0, lent: true };
  return { slab, start: 0, end: buffer.length };
}

/**
 * A commit laid out for writing: headers, tags and small pieces lie in one
 * `image`; large pieces are written from where they are.
 *
 *     iovecs   image[0..a)   large   image[a..b)   large   image[b..)
 *
 * A slab of which large pieces fill less than half is copied whole, so that a few
 * bytes never keep a slab alive: the memory that a commit holds is at most twice
 * its `total_bytes`.
 */
export class SealedCommit implements CommitImage {
  readonly image: Buffer;
  readonly first: Place;
  readonly after: Place;
  readonly committed_ms: number;
  readonly total_bytes: number;
  /** Those that take a seq, in order. */
  readonly records: readonly StoredRecord[];
  /** The slab of a large image; it is lent as long as the records are. */
  readonly image_slab: Slab | undefined;
  readonly #all: readonly StoredRecord[];
  readonly #iovecs: readonly Buffer[];

  constructor(
    drafts: readonly Draft[],
    first: Place,
    committed_ms: number,
    takeSlab: TakeSlab = newMemory,
  ) {
    const image_bytes = imageBytes(drafts);
    if (image_bytes > OWN_IMAGE_MAX_BYTES) this.image_slab = takeSlab(image_bytes);
    this.image =
      this.image_slab?.buffer.subarray(0, image_bytes) ?? Buffer.allocUnsafeSlow(image_bytes);
    this.first = first;
    this.committed_ms = committed_ms;
    const layout = new Layout(this, drafts, first);
    this.after = layout.place;
    this.total_bytes = layout.total_bytes;
    this.#all = layout.records;
    this.records = layout.records.filter((record) => record.is_events);
    this.#iovecs = layout.iovecs;
  }

  /** Its bytes as they stand at `offset` of a segment. May be asked for again, for another segment. */
  encodeAt(segment_seed: number, offset: number): readonly Buffer[] {
    const { image } = this;
    let chain = CHAIN_START;
    for (const record of this.#all) {
      const at = offset + record.commit_offset;
      const crc = encodeRecordHeader(image, record.image_at, record, segment_seed, at);
      chain = chainWith(chain, crc);
    }
    const frame: CommitFrame = {
      total_bytes: this.total_bytes,
      first: this.first,
      committed_ms: this.committed_ms,
      record_count: this.#all.length,
      event_records: this.records.length,
      chain,
    };
    const trailer_at = image.length - COMMIT_FRAME_BYTES;
    const trailer_offset = offset + this.total_bytes - COMMIT_FRAME_BYTES;
    encodeCommitFrame(image, 0, COMMIT_HEADER_MAGIC, frame, segment_seed, offset);
    encodeCommitFrame(image, trailer_at, COMMIT_TRAILER_MAGIC, frame, segment_seed, trailer_offset);
    return this.#iovecs;
  }
}

/** Lays out a commit, record by record: fills its image and gathers the iovecs. */
class Layout {
  readonly records: StoredRecord[] = [];
  readonly iovecs: Buffer[] = [];
  place: Place;
  total_bytes: number = COMMIT_FRAME_BYTES;
  readonly #commit: CommitImage;
  #image_at: number = COMMIT_FRAME_BYTES;
  /** Where the part of the image begins that no iovec covers yet. */
  #uncovered_at = 0;

  constructor(commit: CommitImage, drafts: readonly Draft[], first: Place) {
    this.#commit = commit;
    this.place = first;
    for (const draft of drafts) this.#add(draft);
    this.#image_at += COMMIT_FRAME_BYTES;
    this.total_bytes += COMMIT_FRAME_BYTES;
    this.#cover();
  }

  #add(draft: Draft): void {
    const image_at = this.#image_at;
    const commit_offset = this.total_bytes;
    const head_bytes = RECORD_HEADER_BYTES + draft.tag.length;
    draft.tag.copy(this.#commit.image, image_at + RECORD_HEADER_BYTES);
    this.#image_at += head_bytes;
    const body = this.#addBody(draft.pieces);
    this.total_bytes += head_bytes + body.bytes;
    const { place } = this;
    const record = new StoredRecord(this.#commit, draft, place, image_at, commit_offset, body);
    this.records.push(record);
    if (!record.is_events) return;
    this.place = {
      seq: place.seq + 1,
      events_before: place.events_before + draft.count,
      bytes_before: place.bytes_before + body.bytes,
    };
  }

  #addBody(pieces: readonly Piece[]): StoredBody {
    const { image } = this.#commit;
    const image_start = this.#image_at;
    let run_at = image_start;
    let large: Buffer[] | undefined;
    for (const { slab, start, end } of pieces) {
      if (!isWrittenInPlace(slab, start, end)) {
        slab.buffer.copy(image, this.#image_at, start, end);
        this.#image_at += end - start;
        continue;
      }
      large ??= [];
      if (this.#image_at > run_at) large.push(image.subarray(run_at, this.#image_at));
      this.#cover();
      const piece = slab.buffer.subarray(start, end);
      slab.lent = true;
      large.push(piece);
      this.iovecs.push(piece);
      run_at = this.#image_at;
    }
    const rest = image.subarray(run_at, this.#image_at);
    if (large === undefined) {
      return { bytes: rest.length, crc: crc32(rest), image_start, pieces: undefined };
    }
    if (rest.length > 0) large.push(rest);
    const bytes = large.reduce((sum, piece) => sum + piece.length, 0);
    const crc = large.reduce((sum, piece) => crc32(piece, sum), 0);
    return { bytes, crc, image_start, pieces: large };
  }

  #cover(): void {
    if (this.#image_at > this.#uncovered_at) {
      this.iovecs.push(this.#commit.image.subarray(this.#uncovered_at, this.#image_at));
    }
    this.#uncovered_at = this.#image_at;
  }
}

/** What headers, tags and small pieces take. Notes in each slab how much of it is large pieces. */
function imageBytes(drafts: readonly Draft[]): number {
  for (const { pieces } of drafts) {
    for (const { slab, start, end } of pieces) {
      if (end - start >= LARGE_PIECE_BYTES) slab.large_bytes += end - start;
    }
  }
  let image_bytes = 2 * COMMIT_FRAME_BYTES;
  for (const { tag, pieces } of drafts) {
    image_bytes += RECORD_HEADER_BYTES + tag.length;
    for (const { slab, start, end } of pieces) {
      if (!isWrittenInPlace(slab, start, end)) image_bytes += end - start;
    }
  }
  return image_bytes;
}

/** Large, and in a slab that is at least half large pieces. */
function isWrittenInPlace(slab: Slab, start: number, end: number): boolean {
  return end - start >= LARGE_PIECE_BYTES && slab.large_bytes * 2 >= slab.buffer.length;
}
