import { crc32 } from 'node:zlib';
import type { JournalRecord } from '../../../src/journal/types.ts';
import { Chunk, type ChunkPlan, type Piece } from '../../../src/outputs/forward/chunk.ts';
import { RECORD_END } from '../../../src/outputs/forward/chunk-id.ts';
import { REWRITE_NONE } from '../../../src/outputs/forward/rewrite-spec.ts';
import { CODEC } from '../../../src/protocol/codec.ts';

/** A record as the journal would return it. */
export function recordOf(
  seq: number,
  tag: string,
  body: Buffer,
  more: Partial<JournalRecord> = {},
): JournalRecord {
  return {
    seq,
    tag: Buffer.from(tag),
    codec: CODEC.none,
    attrs: 0,
    count: 1,
    time_min_s: 1,
    time_max_s: 1,
    checksum: crc32(body),
    body: [body],
    body_bytes: body.length,
    events_before: seq - 1,
    bytes_before: 0,
    committed_ms: 0,
    ...more,
  };
}

function pieceOf(record: JournalRecord): Piece {
  return {
    record,
    first_event: 0,
    end_event: RECORD_END,
    events: record.count,
    attrs: record.attrs,
    codec: CODEC.none,
    body: record.body,
    bytes: record.body_bytes,
  };
}

/** The id of the n-th chunk: base64 of 18 bytes, as all are. */
export const idOf = (n: number): string => Buffer.from(`chunk ${n}`.padEnd(18)).toString('base64');

/** A planned chunk of one record; its id is its place. */
export function chunkOf(
  seq: number,
  tag: string,
  events = 1,
  more: Partial<ChunkPlan> = {},
): Chunk {
  const record = recordOf(seq, tag, Buffer.alloc(events, seq), { count: events });
  return new Chunk({
    id: idOf(seq),
    tag: record.tag,
    tag_key: tag,
    range: { first_seq: seq, first_event: 0, last_seq: seq, end_event: RECORD_END },
    checksum: record.checksum,
    codec: CODEC.none,
    attrs: 0,
    rewrite: REWRITE_NONE,
    pieces: [pieceOf(record)],
    events,
    bytes: events,
    committed_ms: 0,
    ...more,
  });
}
