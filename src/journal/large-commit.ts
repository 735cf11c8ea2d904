import { crc32 } from 'node:zlib';
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
  RECORD_KIND,
  type RecordKind,
} from './format.ts';
import type { SegmentWriter } from './segment-writer.ts';
import type { LargeRecord } from './types.ts';

/** Gathered before each write. */
const WRITE_BYTES = 1024 * 1024;
const WRITE_IOVECS_MAX = 512;

/**
 * One commit that is written while its records are still coming, so it may
 * exceed memory. Its header is written last:
 *
 *     1. zeros | records ... | trailer     fdatasync
 *     2. header over the zeros             fdatasync
 *
 * A crash before the trailer is whole leaves a torn commit, which recovery cuts.
 */
export class LargeCommit {
  readonly #writer: SegmentWriter;
  readonly first: Place;
  readonly committed_ms: number;
  readonly #offset: number;
  #at: number;
  #place: Place;
  #chain = CHAIN_START;
  #record_count = 0;
  #pending: Buffer[] = [Buffer.alloc(COMMIT_FRAME_BYTES)];
  #pending_bytes = COMMIT_FRAME_BYTES;

  constructor(writer: SegmentWriter, first: Place, committed_ms: number) {
    this.#writer = writer;
    this.first = first;
    this.#place = first;
    this.committed_ms = committed_ms;
    this.#offset = writer.segment.end_bytes;
    this.#at = this.#offset;
  }

  /** The place behind the records so far. */
  get place(): Place {
    return this.#place;
  }

  async add(record: LargeRecord): Promise<void> {
    await this.#append(RECORD_KIND.events, record);
    this.#place = {
      seq: this.#place.seq + 1,
      events_before: this.#place.events_before + record.count,
      bytes_before: this.#place.bytes_before + bytesOf(record.body),
    };
  }

  /** Resolves with its length once the commit is durable as a whole. `state` is a state record's body. */
  async finish(state: Buffer): Promise<number> {
    if (state.length > 0) await this.#append(RECORD_KIND.state, stateRecord(state));
    const trailer_offset = this.#at + this.#pending_bytes;
    const frame: CommitFrame = {
      total_bytes: trailer_offset + COMMIT_FRAME_BYTES - this.#offset,
      first: this.first,
      committed_ms: this.committed_ms,
      record_count: this.#record_count,
      event_records: this.#place.seq - this.first.seq,
      chain: this.#chain,
    };
    this.#push(this.#frame(COMMIT_TRAILER_MAGIC, frame, trailer_offset));
    await this.#flush();
    await this.#writer.sync();
    await this.#writer.write([this.#frame(COMMIT_HEADER_MAGIC, frame, this.#offset)], this.#offset);
    await this.#writer.sync();
    return frame.total_bytes;
  }

  async #append(kind: RecordKind, record: LargeRecord): Promise<void> {
    const { tag, codec, attrs, count, time_min_s, time_max_s, body } = record;
    const head = Buffer.alloc(RECORD_HEADER_BYTES + tag.length);
    tag.copy(head, RECORD_HEADER_BYTES);
    let body_crc = 0;
    for (const piece of body) body_crc = crc32(piece, body_crc);
    const header = {
      kind,
      codec,
      attrs,
      tag_bytes: tag.length,
      body_bytes: bytesOf(body),
      count,
      body_crc,
      time_min_s,
      time_max_s,
    };
    const offset = this.#at + this.#pending_bytes;
    const crc = encodeRecordHeader(head, 0, header, this.#writer.segment.seed, offset);
    this.#chain = chainWith(this.#chain, crc);
    this.#record_count++;
    this.#push(head, ...body);
    const is_enough =
      this.#pending_bytes >= WRITE_BYTES || this.#pending.length >= WRITE_IOVECS_MAX;
    if (is_enough) await this.#flush();
  }

  #push(...buffers: Buffer[]): void {
    this.#pending.push(...buffers);
    this.#pending_bytes += bytesOf(buffers);
  }

  async #flush(): Promise<void> {
    await this.#writer.write(this.#pending, this.#at);
    this.#at += this.#pending_bytes;
    this.#pending = [];
    this.#pending_bytes = 0;
  }

  #frame(magic: Buffer, frame: CommitFrame, offset: number): Buffer {
    const buf = Buffer.alloc(COMMIT_FRAME_BYTES);
    encodeCommitFrame(buf, 0, magic, frame, this.#writer.segment.seed, offset);
    return buf;
  }
}

function stateRecord(body: Buffer): LargeRecord {
  return {
    tag: Buffer.alloc(0),
    codec: 0,
    attrs: 0,
    body: [body],
    count: 0,
    time_min_s: 0,
    time_max_s: 0,
  };
}

function bytesOf(buffers: readonly Buffer[]): number {
  let bytes = 0;
  for (const buffer of buffers) bytes += buffer.length;
  return bytes;
}
