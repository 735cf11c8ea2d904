import { crc32 } from 'node:zlib';
import { LogboomError } from '../../errors.ts';
import type { ChunkPlan } from './chunk.ts';
import { CHUNK_ID_BYTES, type ChunkRange, RECORD_END } from './chunk-id.ts';
import { type Rewrite, rewriteFromText, rewriteToText } from './rewrite-spec.ts';

/**
 * The window as it is recorded in the output's cursor before anything of it is sent:
 * the chunks that are not acked, in journal order. What lies between the cursor and
 * `end_seq` and is not listed was acked, or was never meant for this output.
 *
 *     ┌─────────┬────────┬───────┬─────────┬──────────┬──────────┬────────┬────────┐
 *     │ version │ crc32  │ epoch │ end_seq │ rewrites │ rewrites │ chunks │ chunks │
 *     │ u8 = 1  │ u32    │ u64   │ u64     │ u8 count │          │ u32    │        │
 *     └─────────┴────────┴───────┴─────────┴──────────┴──────────┴────────┴────────┘
 *       crc32 covers everything behind itself; all numbers big-endian
 *
 *     rewrite   ┌────────┬──────┐
 *               │ u32    │ JSON │
 *               └────────┴──────┘
 *     chunk     ┌──────────┬─────────┬───────────┬─────────────┬───────────┬───────────┬──────────┬────────┬─────┐
 *               │ id       │ rewrite │ first_seq │ first_event │ last_seq  │ end_event │ checksum │ tag    │ tag │
 *               │ 18 bytes │ u8      │ varint    │ varint      │ varint    │ varint    │ u32      │ varint │     │
 *               └──────────┴─────────┴───────────┴─────────────┴───────────┴───────────┴──────────┴────────┴─────┘
 *                            index                               less        0: RECORD_  of the record  length
 *                                                                first_seq   END         checksums
 *     varint: 7 bits a byte, the lowest first, bit 7 set on all but the last
 */
const VERSION = 1;
const HEADER_BYTES = 5;
/** Of a chunk without its tag, when all varints are as long as they can get. */
const CHUNK_FIXED_MAX_BYTES = CHUNK_ID_BYTES + 1 + 8 + 5 + 8 + 5 + 4 + 2;
/** The same for nearly all. */
const CHUNK_FIXED_USUAL_BYTES = CHUNK_ID_BYTES + 1 + 5 + 1 + 2 + 1 + 4 + 1;

/** Rewrites only differ across configurations, of which few meet in one window. */
const REWRITES_MAX_COUNT = 255;

/** What is recorded of a chunk. */
export interface RecordedChunk {
  readonly id: string;
  readonly tag: Buffer;
  readonly range: ChunkRange;
  readonly checksum: number;
  readonly rewrite: Rewrite;
}

export interface RecordedWindow {
  /** Of the journal: with another epoch the same seqs may name other records. */
  readonly epoch: number;
  /** Everything from here on was not planned. */
  readonly end_seq: number;
  readonly chunks: readonly RecordedChunk[];
}

/** How much one chunk takes in the recorded window, about. */
export const recordedBytes = (tag: Buffer): number => CHUNK_FIXED_USUAL_BYTES + tag.length;

export function encodeWindow(epoch: number, end_seq: number, chunks: readonly ChunkPlan[]): Buffer {
  const texts: string[] = [];
  const index_by_rewrite = new Map<Rewrite, number>();
  for (const { rewrite } of chunks) {
    if (!index_by_rewrite.has(rewrite)) index_by_rewrite.set(rewrite, indexOfText(texts, rewrite));
  }
  const rewrites = texts.map((text) => Buffer.from(text));
  const rewrites_bytes = rewrites.reduce((sum, text) => sum + 4 + text.length, 0);
  const chunks_max_bytes = chunks.reduce(
    (sum, { tag }) => sum + CHUNK_FIXED_MAX_BYTES + tag.length,
    0,
  );
  const writer = new Writer(HEADER_BYTES + 21 + rewrites_bytes + chunks_max_bytes);
  writer.u64(epoch);
  writer.u64(end_seq);
  writer.u8(rewrites.length);
  for (const text of rewrites) {
    writer.u32(text.length);
    writer.bytes(text);
  }
  writer.u32(chunks.length);
  for (const chunk of chunks) writer.chunk(chunk, index_by_rewrite.get(chunk.rewrite) ?? 0);
  return writer.finish();
}

function indexOfText(texts: string[], rewrite: Rewrite): number {
  const text = rewriteToText(rewrite);
  const known = texts.indexOf(text);
  if (known >= 0) return known;
  if (texts.length === REWRITES_MAX_COUNT) {
    throw new RangeError(`more than ${REWRITES_MAX_COUNT} rewrites in one window`);
  }
  return texts.push(text) - 1;
}

/**
 * Undefined for an empty buffer: nothing was ever recorded.
 *
 * @throws LB_JOURNAL_CORRUPT when the bytes are damaged, LB_JOURNAL_VERSION when a newer logboom wrote them
 */
export function decodeWindow(bytes: Buffer): RecordedWindow | undefined {
  if (bytes.length === 0) return undefined;
  const version = bytes.readUInt8(0);
  if (version > VERSION) {
    throw new LogboomError(
      'LB_JOURNAL_VERSION',
      `the recorded window has version ${version}, this logboom knows ${VERSION}`,
      { hint: 'Run the newer logboom, or let it drain this output first.' },
    );
  }
  const is_header_whole = version === VERSION && bytes.length >= HEADER_BYTES;
  if (!is_header_whole || crc32(bytes.subarray(HEADER_BYTES)) !== bytes.readUInt32BE(1)) {
    throw new LogboomError(
      'LB_JOURNAL_CORRUPT',
      `the recorded window of ${bytes.length} bytes does not match its checksum`,
    );
  }
  return new Reader(bytes, HEADER_BYTES).window();
}

class Writer {
  readonly #buffer: Buffer;
  #at = HEADER_BYTES;

  constructor(max_bytes: number) {
    this.#buffer = Buffer.allocUnsafe(max_bytes);
  }

  u8(value: number): void {
    this.#at = this.#buffer.writeUInt8(value, this.#at);
  }

  u32(value: number): void {
    this.#at = this.#buffer.writeUInt32BE(value, this.#at);
  }

  u64(value: number): void {
    this.u32(Math.floor(value / 2 ** 32));
    this.u32(value % 2 ** 32);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
    }
    this.#buffer[this.#at++] = rest;
  }

  bytes(value: Buffer): void {
    this.#at += value.copy(this.#buffer, this.#at);
  }

  chunk({ id, range, checksum, tag }: ChunkPlan, rewrite_index: number): void {
    this.#at += this.#buffer.write(id, this.#at, CHUNK_ID_BYTES, 'base64');
    this.u8(rewrite_index);
    this.varint(range.first_seq);
    this.varint(range.first_event);
    this.varint(range.last_seq - range.first_seq);
    this.varint(range.end_event === RECORD_END ? 0 : range.end_event);
    this.u32(checksum);
    this.varint(tag.length);
    this.bytes(tag);
  }

  finish(): Buffer {
    const whole = this.#buffer.subarray(0, this.#at);
    whole.writeUInt8(VERSION, 0);
    whole.writeUInt32BE(crc32(whole.subarray(HEADER_BYTES)), 1);
    return whole;
  }
}

/** Reads bytes whose checksum was right. */
class Reader {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  window(): RecordedWindow {
    const epoch = this.#u64();
    const end_seq = this.#u64();
    const rewrites: Rewrite[] = [];
    for (let left = this.#uint(1); left > 0; left--) {
      rewrites.push(rewriteFromText(this.#bytes(this.#uint(4)).toString()));
    }
    const chunks: RecordedChunk[] = [];
    for (let left = this.#uint(4); left > 0; left--) chunks.push(this.#chunk(rewrites));
    return { epoch, end_seq, chunks };
  }

  #chunk(rewrites: readonly Rewrite[]): RecordedChunk {
    const id = this.#bytes(CHUNK_ID_BYTES).toString('base64');
    const rewrite = rewrites[this.#uint(1)];
    if (rewrite === undefined) {
      throw new LogboomError(
        'LB_JOURNAL_CORRUPT',
        `chunk ${id} names a rewrite beyond ${rewrites.length}`,
      );
    }
    const first_seq = this.#varint();
    const first_event = this.#varint();
    const last_seq = first_seq + this.#varint();
    const end_event = this.#varint();
    const range = {
      first_seq,
      first_event,
      last_seq,
      end_event: end_event === 0 ? RECORD_END : end_event,
    };
    const checksum = this.#uint(4);
    return { id, rewrite, range, checksum, tag: this.#bytes(this.#varint()) };
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#uint(1);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #uint(bytes: number): number {
    this.#at += bytes;
    return this.#buffer.readUIntBE(this.#at - bytes, bytes);
  }

  #u64(): number {
    return this.#uint(4) * 2 ** 32 + this.#uint(4);
  }

  #bytes(length: number): Buffer {
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }
}
