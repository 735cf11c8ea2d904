import { hash } from 'node:crypto';

/** Stands in `end_event` for "to the end of the record", whatever its count says. */
export const RECORD_END = 0xffff_ffff;

/** What part of the journal a chunk covers: for its tag, everything from the first place up to the last. */
export interface ChunkRange {
  readonly first_seq: number;
  /** The first event's index in its record. */
  readonly first_event: number;
  readonly last_seq: number;
  /** Behind the last event's index in the last record, or RECORD_END. */
  readonly end_event: number;
}

/** What every id of one output has in common. */
export interface ChunkIdScope {
  readonly journal_id: Buffer;
  readonly epoch: number;
  readonly output_name: string;
}

/** An id is base64 of so many bytes: 24 characters without padding, which tells it from Fluent Bit's digests. */
export const CHUNK_ID_BYTES = 18;
const CHUNK_ID_CHARS = 24;

/**
 * Makes chunk ids that stay the same across restarts and never name two bodies:
 * base64 of the first 18 bytes of the SHA-256 over
 *
 *     ┌────────────┬────────┬──────────┬──────┬─────────┬─────┬───────────┬─────────────┬──────────┬───────────┐
 *     │ journal id │ epoch  │ name     │ name │ tag     │ tag │ first_seq │ first_event │ last_seq │ end_event │
 *     │ 16 bytes   │ u64    │ length   │      │ length  │     │ u64       │ u32         │ u64      │ u32       │
 *     └────────────┴────────┴── u16 ───┴──────┴── u16 ──┴─────┴───────────┴─────────────┴──────────┴───────────┘
 *     then the CRC-32 of each record that the chunk covers, u32 each (all big-endian)
 *
 * The rewrite on the way out is not part of it: a recorded chunk keeps its rewrite.
 */
export class ChunkIds {
  #scratch = Buffer.allocUnsafe(1024);
  readonly #prefix_bytes: number;

  constructor(scope: ChunkIdScope) {
    const name = Buffer.from(scope.output_name);
    let at = scope.journal_id.copy(this.#reserve(scope.journal_id.length + name.length + 10), 0);
    at = writeU64(this.#scratch, scope.epoch, at);
    at = this.#scratch.writeUInt16BE(name.length, at);
    this.#prefix_bytes = at + name.copy(this.#scratch, at);
  }

  /** `checksums`: of every covered record, in order. */
  make(tag: Buffer, range: ChunkRange, checksums: readonly number[]): string {
    const scratch = this.#reserve(this.#prefix_bytes + 26 + tag.length + 4 * checksums.length);
    let at = scratch.writeUInt16BE(tag.length, this.#prefix_bytes);
    at += tag.copy(scratch, at);
    at = writeU64(scratch, range.first_seq, at);
    at = scratch.writeUInt32BE(range.first_event, at);
    at = writeU64(scratch, range.last_seq, at);
    at = scratch.writeUInt32BE(range.end_event, at);
    for (const checksum of checksums) at = scratch.writeUInt32BE(checksum, at);
    return hash('sha256', scratch.subarray(0, at), 'base64').slice(0, CHUNK_ID_CHARS);
  }

  #reserve(bytes: number): Buffer {
    if (bytes > this.#scratch.length) {
      const larger = Buffer.allocUnsafe(2 * bytes);
      this.#scratch.copy(larger);
      this.#scratch = larger;
    }
    return this.#scratch;
  }
}

/** Seqs stay below 2^53. */
function writeU64(target: Buffer, value: number, at: number): number {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  return target.writeUInt32BE(value % 2 ** 32, at + 4);
}
