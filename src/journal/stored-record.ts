import { RECORD_KIND, type RecordHeader, type RecordKind } from './format.ts';
import type { JournalRecord } from './types.ts';

/** What the records of one commit share. */
export interface CommitImage {
  readonly committed_ms: number;
  /** Headers, tags and small pieces, as they stand in the file. */
  readonly image: Buffer;
}

const NO_PIECES: readonly Buffer[] = [];

/**
 * A record of a commit that was laid out: what is written as its header, and
 * what readers in memory get. One object serves both, and buffers for its body
 * are made when asked for, since a commit may hold thousands of small records.
 */
export class StoredRecord implements JournalRecord, RecordHeader {
  readonly kind: RecordKind;
  readonly tag: Buffer;
  readonly codec: number;
  readonly attrs: number;
  readonly count: number;
  readonly time_min_s: number;
  readonly time_max_s: number;
  readonly seq: number;
  readonly events_before: number;
  readonly bytes_before: number;
  /** Where its header is in the image. */
  readonly image_at: number;
  /** Where its header is in the file, relative to the commit. */
  readonly commit_offset: number;
  readonly body_bytes: number;
  readonly checksum: number;
  readonly #commit: CommitImage;
  /** Large pieces and the image's runs between them; empty if all of the body is in the image. */
  readonly #pieces: readonly Buffer[];
  readonly #image_start: number;

  constructor(
    commit: CommitImage,
    about: Pick<
      StoredRecord,
      'kind' | 'tag' | 'codec' | 'attrs' | 'count' | 'time_min_s' | 'time_max_s'
    >,
    place: Pick<StoredRecord, 'seq' | 'events_before' | 'bytes_before'>,
    image_at: number,
    commit_offset: number,
    body: StoredBody,
  ) {
    this.#commit = commit;
    this.kind = about.kind;
    this.tag = about.tag;
    this.codec = about.codec;
    this.attrs = about.attrs;
    this.count = about.count;
    this.time_min_s = about.time_min_s;
    this.time_max_s = about.time_max_s;
    this.seq = place.seq;
    this.events_before = place.events_before;
    this.bytes_before = place.bytes_before;
    this.image_at = image_at;
    this.commit_offset = commit_offset;
    this.body_bytes = body.bytes;
    this.checksum = body.crc;
    this.#pieces = body.pieces ?? NO_PIECES;
    this.#image_start = body.image_start;
  }

  get tag_bytes(): number {
    return this.tag.length;
  }

  get body_crc(): number {
    return this.checksum;
  }

  get committed_ms(): number {
    return this.#commit.committed_ms;
  }

  get is_events(): boolean {
    return this.kind === RECORD_KIND.events;
  }

  get body(): readonly Buffer[] {
    if (this.#pieces.length > 0 || this.body_bytes === 0) return this.#pieces;
    const start = this.#image_start;
    return [this.#commit.image.subarray(start, start + this.body_bytes)];
  }
}

/** A body that was laid out: in the image, or in pieces. */
export interface StoredBody {
  readonly bytes: number;
  readonly crc: number;
  readonly image_start: number;
  readonly pieces: readonly Buffer[] | undefined;
}
