import type { JournalRecord } from '../../journal/types.ts';
import type { Codec } from '../../protocol/codec.ts';
import type { ChunkRange } from './chunk-id.ts';
import type { Rewrite } from './rewrite-spec.ts';

/**
 * What of one record goes into one chunk: all of it, in its stored bytes, or a run
 * of its events, uncompressed.
 */
export interface Piece {
  /** Its body is not looked at once there is a piece. */
  readonly record: Omit<JournalRecord, 'body'>;
  readonly first_event: number;
  /** Behind the last event, or RECORD_END. */
  readonly end_event: number;
  readonly events: number;
  /** Of the record; more is known once a compressed body was seen. */
  readonly attrs: number;
  /** How `body` is compressed. */
  readonly codec: Codec;
  readonly body: readonly Buffer[];
  readonly bytes: number;
}

/** What goes over the wire for a chunk: the rewritten body between header and options. */
export interface WireBody {
  readonly tag: Buffer;
  readonly codec: Codec;
  readonly body: readonly Buffer[];
  readonly bytes: number;
  readonly events: number;
}

/**
 * - `pending`: to be sent, for the first time or again
 * - `aside`: pending, but others may overtake it while it is found out whether it is poison
 * - `in_flight`: handed to a connection, not acked
 * - `settled`: acked, given up or dropped by the journal; never sent again
 */
export type ChunkState = 'pending' | 'aside' | 'in_flight' | 'settled';

/** What a planner makes; nothing of it changes any more. */
export interface ChunkPlan {
  readonly id: string;
  readonly tag: Buffer;
  /** The tag as latin1: a key for maps. */
  readonly tag_key: string;
  readonly range: ChunkRange;
  /** CRC-32 over the checksums of the covered records, as recorded beside the id. */
  readonly checksum: number;
  readonly codec: Codec;
  readonly attrs: number;
  readonly rewrite: Rewrite;
  readonly pieces: readonly Piece[];
  readonly events: number;
  /** As stored in `pieces`. */
  readonly bytes: number;
  /** When the newest of its records was committed. */
  readonly committed_ms: number;
}

/** A planned chunk on its way. Only `AckWindow` changes `state` and what is below it, but for `taken`. */
export class Chunk implements ChunkPlan {
  readonly id: string;
  readonly tag: Buffer;
  readonly tag_key: string;
  readonly range: ChunkRange;
  readonly checksum: number;
  readonly codec: Codec;
  readonly attrs: number;
  readonly rewrite: Rewrite;
  readonly events: number;
  readonly bytes: number;
  readonly committed_ms: number;
  /** Emptied once settled, so that the journal's buffers are let go. */
  pieces: readonly Piece[];
  /** Made before the chunk may be sent; let go once settled. */
  wire: WireBody | undefined;
  state: ChunkState = 'pending';
  /** Nothing else is in flight beside it: it is suspected to be poison. */
  alone = false;
  /** Not to be sent for the moment: it is being split or put away. */
  held = false;
  /** When it was last handed to a connection. */
  sent_ms = 0;
  /** The kernel has all of the message that it was last sent in: no socket looks into `wire` any more. */
  taken = false;
  /** Since when it is unknown whether the server that it was sent to has it. */
  unknown_since_ms: number | undefined = undefined;
  /** Failures that were this chunk's own as far as can be told (see poison.ts). */
  blames_count = 0;
  #stands_alone = false;
  blamed_since_ms: number | undefined = undefined;

  constructor(plan: ChunkPlan) {
    this.id = plan.id;
    this.tag = plan.tag;
    this.tag_key = plan.tag_key;
    this.range = plan.range;
    this.checksum = plan.checksum;
    this.codec = plan.codec;
    this.attrs = plan.attrs;
    this.rewrite = plan.rewrite;
    this.events = plan.events;
    this.bytes = plan.bytes;
    this.committed_ms = plan.committed_ms;
    this.pieces = plan.pieces;
    this.wire = undefined;
  }

  /** Copies its bytes out of the memory that they share with what was read with them. Once is enough. */
  standAlone(): void {
    if (this.#stands_alone) return;
    this.#stands_alone = true;
    const copies = new Map<Buffer, Buffer>();
    this.pieces = this.pieces.map((piece) => {
      const body = piece.body.map((part) => Buffer.from(part));
      for (const [index, part] of piece.body.entries()) copies.set(part, body[index] ?? part);
      return { ...piece, record: withoutBody(piece.record), body };
    });
    if (this.wire === undefined) return;
    this.wire = { ...this.wire, body: this.wire.body.map((part) => copies.get(part) ?? part) };
  }

  /** A new chunk of the same pieces under the id and range that were recorded for it. */
  as(id: string, range: ChunkRange): Chunk {
    const { tag, tag_key, checksum, codec, attrs, rewrite, pieces } = this;
    const { events, bytes, committed_ms } = this;
    const content = { tag, tag_key, checksum, codec, attrs, rewrite, pieces };
    return new Chunk({ ...content, id, range, events, bytes, committed_ms });
  }
}

/** What is known of a record, without the memory that it lies in. */
function withoutBody(record: Piece['record']): Piece['record'] {
  const { seq, tag, codec, attrs, count, time_min_s, time_max_s, checksum } = record;
  const { body_bytes, events_before, bytes_before, committed_ms } = record;
  const content = { tag, codec, attrs, count, time_min_s, time_max_s, checksum, body_bytes };
  return { seq, ...content, events_before, bytes_before, committed_ms };
}

/** Order in the journal: negative when `a` begins before `b`. */
export function compareChunks(a: ChunkPlan, b: ChunkPlan): number {
  return a.range.first_seq - b.range.first_seq || a.range.first_event - b.range.first_event;
}
