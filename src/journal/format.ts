/**
 * The bytes of a segment. Everything that is written to one is laid out here, and
 * the bodies of state and snapshot records in state-items.ts; a cursor file is laid
 * out in cursor-slot.ts. Numbers are little-endian; a u64 holds at most 2^53 - 1;
 * a crc is CRC-32 (IEEE), as zlib.crc32 computes it.
 *
 *     segment file  NNNNNNNNNNNNNNNN.seg, N = first seq
 *     ┌────────────────┬──────────────────────┬────────┬────────┬───
 *     │ segment header │ commit with snapshot │ commit │ commit │ ...
 *     └────────────────┴──────────────────────┴────────┴────────┴───
 *
 *     commit
 *     ┌────────┬────────┬────────┬─────┬─────────────────┬─────────┐
 *     │ header │ record │ record │ ... │ state or        │ trailer │
 *     │        │        │        │     │ snapshot record │         │
 *     └────────┴────────┴────────┴─────┴─────────────────┴─────────┘
 *
 * A crc inside a commit starts from a **seed** made of the journal's id, the
 * segment's first seq and the offset in the file: bytes that look like a header
 * but stand anywhere else (inside a body, say) are not taken for one, so a
 * reader can search for the next header after damage.
 */
import { crc32 } from 'node:zlib';
import { getU64, putU64, TWO_TO_32 } from './u64.ts';

/** Rises only with a stated reason; a newer version than this is refused, an older one is read. */
export const FORMAT_VERSION = 1;

export const RECORD_KIND = { events: 0, state: 1, snapshot: 2 } as const;
export type RecordKind = (typeof RECORD_KIND)[keyof typeof RECORD_KIND];

/** A place in the log, between two records, with all that came before it since the journal's creation. */
export interface Place {
  /** The seq of the record that follows. */
  readonly seq: number;
  readonly events_before: number;
  readonly bytes_before: number;
}

/** What crcs inside this segment start from; see `seedAt`. */
export function segmentSeed(journal_id: Buffer, first_seq: number): number {
  const own = Buffer.alloc(8);
  putU64(own, first_seq, 0);
  return crc32(own, crc32(journal_id));
}

const seedAt = (segment_seed: number, offset: number): number =>
  (segment_seed + offset) % TWO_TO_32;

// ── Segment header ──────────────────────────────────────────────────────────

/**
 *      0          8         10         12      16           32
 *     ┌──────────┬─────────┬──────────┬───────┬────────────┬───────────┐
 *     │ LBSEGMNT │ version │ reserved │ epoch │ journal id │ first seq │
 *     │ 8 B      │ u16     │ u16      │ u32   │ 16 B       │ u64       │
 *     └──────────┴─────────┴──────────┴───────┴────────────┴───────────┘
 *      40              48             56           64       68
 *     ┌───────────────┬──────────────┬────────────┬────────┐
 *     │ events before │ bytes before │ created ms │ crc of │
 *     │ u64           │ u64          │ u64        │ [0,64) │
 *     └───────────────┴──────────────┴────────────┴────────┘
 *
 * Every later version keeps these 68 bytes, so that an older logboom can tell
 * "newer" from "damaged".
 */
export interface SegmentHeader {
  readonly version: number;
  readonly epoch: number;
  readonly journal_id: Buffer;
  readonly first: Place;
  readonly created_ms: number;
}

export const SEGMENT_HEADER_BYTES = 68;
const SEGMENT_MAGIC = Buffer.from('LBSEGMNT', 'latin1');

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const buf = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(buf, 0);
  buf.writeUInt16LE(header.version, 8);
  buf.writeUInt32LE(header.epoch, 12);
  header.journal_id.copy(buf, 16);
  putU64(buf, header.first.seq, 32);
  putU64(buf, header.first.events_before, 40);
  putU64(buf, header.first.bytes_before, 48);
  putU64(buf, header.created_ms, 56);
  buf.writeUInt32LE(crc32(buf.subarray(0, 64)), 64);
  return buf;
}

/** Undefined if these are not the first bytes of a segment, or are damaged. */
export function decodeSegmentHeader(buf: Buffer): SegmentHeader | undefined {
  if (buf.length < SEGMENT_HEADER_BYTES || !buf.subarray(0, 8).equals(SEGMENT_MAGIC)) {
    return undefined;
  }
  if (crc32(buf.subarray(0, 64)) !== buf.readUInt32LE(64)) return undefined;
  return {
    version: buf.readUInt16LE(8),
    epoch: buf.readUInt32LE(12),
    journal_id: Buffer.from(buf.subarray(16, 32)),
    first: {
      seq: getU64(buf, 32),
      events_before: getU64(buf, 40),
      bytes_before: getU64(buf, 48),
    },
    created_ms: getU64(buf, 56),
  };
}

// ── Commit header and trailer ───────────────────────────────────────────────

/**
 *      0       4             12          20              28             36
 *     ┌───────┬─────────────┬───────────┬───────────────┬──────────────┬──────────────┐
 *     │ magic │ total bytes │ first seq │ events before │ bytes before │ committed ms │
 *     │ 4 B   │ u64         │ u64       │ u64           │ u64          │ u64          │
 *     └───────┴─────────────┴───────────┴───────────────┴──────────────┴──────────────┘
 *      44             48              52      56       60
 *     ┌──────────────┬───────────────┬───────┬────────┐
 *     │ record count │ event records │ chain │ crc of │
 *     │ u32          │ u32           │ u32   │ [0,56) │
 *     └──────────────┴───────────────┴───────┴────────┘
 *
 * The header and the trailer of a commit differ in their magic (`LBCH`, `LBCT`)
 * and the seed of their crc only: either can be read without the other. `total
 * bytes` includes both. Only event records take a seq. `chain` folds the crcs of
 * all record headers, in order.
 */
export interface CommitFrame {
  readonly total_bytes: number;
  readonly first: Place;
  readonly committed_ms: number;
  readonly record_count: number;
  readonly event_records: number;
  readonly chain: number;
}

export const COMMIT_FRAME_BYTES = 60;
export const COMMIT_HEADER_MAGIC = Buffer.from('LBCH', 'latin1');
export const COMMIT_TRAILER_MAGIC = Buffer.from('LBCT', 'latin1');

/** Writes a header or trailer at `at`, which will stand at `offset` of its segment file. */
export function encodeCommitFrame(
  buf: Buffer,
  at: number,
  magic: Buffer,
  frame: CommitFrame,
  segment_seed: number,
  offset: number,
): void {
  magic.copy(buf, at);
  putU64(buf, frame.total_bytes, at + 4);
  putU64(buf, frame.first.seq, at + 12);
  putU64(buf, frame.first.events_before, at + 20);
  putU64(buf, frame.first.bytes_before, at + 28);
  putU64(buf, frame.committed_ms, at + 36);
  buf.writeUInt32LE(frame.record_count, at + 44);
  buf.writeUInt32LE(frame.event_records, at + 48);
  buf.writeUInt32LE(frame.chain, at + 52);
  buf.writeUInt32LE(crc32(buf.subarray(at, at + 56), seedAt(segment_seed, offset)), at + 56);
}

/** Undefined if the 60 bytes at `at` are not a header or trailer (by `magic`) for this place. */
export function decodeCommitFrame(
  buf: Buffer,
  at: number,
  magic: Buffer,
  segment_seed: number,
  offset: number,
): CommitFrame | undefined {
  if (buf.readUInt32LE(at) !== magic.readUInt32LE(0)) return undefined;
  const crc = crc32(buf.subarray(at, at + 56), seedAt(segment_seed, offset));
  if (crc !== buf.readUInt32LE(at + 56)) return undefined;
  return {
    total_bytes: getU64(buf, at + 4),
    first: {
      seq: getU64(buf, at + 12),
      events_before: getU64(buf, at + 20),
      bytes_before: getU64(buf, at + 28),
    },
    committed_ms: getU64(buf, at + 36),
    record_count: buf.readUInt32LE(at + 44),
    event_records: buf.readUInt32LE(at + 48),
    chain: buf.readUInt32LE(at + 52),
  };
}

export const CHAIN_START = 0x811c9dc5;

/** Folds the crc of the next record header into a commit's chain (FNV-1a over 32-bit words). */
export const chainWith = (chain: number, header_crc: number): number =>
  Math.imul(chain ^ header_crc, 0x01000193) >>> 0;

// ── Record ──────────────────────────────────────────────────────────────────

/**
 *      0             4      5       6       8           10         12           16
 *     ┌─────────────┬──────┬───────┬───────┬───────────┬──────────┬────────────┬───────┐
 *     │ crc of      │ kind │ codec │ attrs │ tag bytes │ reserved │ body bytes │ count │
 *     │ [4,40) +tag │ u8   │ u8    │ u16   │ u16       │ u16      │ u32        │ u32   │
 *     └─────────────┴──────┴───────┴───────┴───────────┴──────────┴────────────┴───────┘
 *      20         24           32           40
 *     ┌──────────┬────────────┬────────────┬─────┬──────┐
 *     │ body crc │ time min s │ time max s │ tag │ body │
 *     │ u32      │ f64        │ f64        │     │      │
 *     └──────────┴────────────┴────────────┴─────┴──────┘
 *
 * The header's crc protects the lengths, so a damaged body is stepped over. The
 * body's crc starts from 0: the same body has the same crc wherever it stands.
 */
export interface RecordHeader {
  readonly kind: RecordKind;
  readonly codec: number;
  readonly attrs: number;
  readonly tag_bytes: number;
  readonly body_bytes: number;
  readonly count: number;
  readonly body_crc: number;
  readonly time_min_s: number;
  readonly time_max_s: number;
}

export const RECORD_HEADER_BYTES = 40;
export const TAG_MAX_BYTES = 0xffff;
export const BODY_MAX_BYTES = 0xffff_ffff;

/**
 * Writes a record's header at `at`, in front of its tag, which must be there
 * already. The header will stand at `offset` of its segment. Returns its crc.
 */
export function encodeRecordHeader(
  buf: Buffer,
  at: number,
  header: RecordHeader,
  segment_seed: number,
  offset: number,
): number {
  buf[at + 4] = header.kind;
  buf[at + 5] = header.codec;
  buf.writeUInt16LE(header.attrs, at + 6);
  buf.writeUInt32LE(header.tag_bytes, at + 8); // and two reserved bytes of 0
  buf.writeUInt32LE(header.body_bytes, at + 12);
  buf.writeUInt32LE(header.count, at + 16);
  buf.writeUInt32LE(header.body_crc, at + 20);
  buf.writeDoubleLE(header.time_min_s, at + 24);
  buf.writeDoubleLE(header.time_max_s, at + 32);
  const end = at + RECORD_HEADER_BYTES + header.tag_bytes;
  const crc = crc32(buf.subarray(at + 4, end), seedAt(segment_seed, offset));
  buf.writeUInt32LE(crc, at);
  return crc;
}

/** The header at `at`, its crc not checked: the lengths are what the bytes claim. */
export function peekRecordHeader(buf: Buffer, at: number): RecordHeader {
  return {
    kind: buf[at + 4] as RecordKind, // any byte; an unknown kind is stepped over
    codec: buf[at + 5] as number,
    attrs: buf.readUInt16LE(at + 6),
    tag_bytes: buf.readUInt16LE(at + 8),
    body_bytes: buf.readUInt32LE(at + 12),
    count: buf.readUInt32LE(at + 16),
    body_crc: buf.readUInt32LE(at + 20),
    time_min_s: buf.readDoubleLE(at + 24),
    time_max_s: buf.readDoubleLE(at + 32),
  };
}

/** The stored crc if it fits the header and the tag, which must be in `buf` too; else undefined. */
export function checkRecordHeader(
  buf: Buffer,
  at: number,
  tag_bytes: number,
  segment_seed: number,
  offset: number,
): number | undefined {
  const end = at + RECORD_HEADER_BYTES + tag_bytes;
  const crc = crc32(buf.subarray(at + 4, end), seedAt(segment_seed, offset));
  return crc === buf.readUInt32LE(at) ? crc : undefined;
}
