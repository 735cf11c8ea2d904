import { crc32 } from 'node:zlib';
import { CODEC, signalOf } from '../../protocol/codec.ts';
import { Chunk, compareChunks, type Piece } from './chunk.ts';
import type { ChunkIds, ChunkRange } from './chunk-id.ts';
import { growthPerEvent, type Rewrite } from './rewrite-spec.ts';
import { recordedBytes } from './window-format.ts';

export interface PlanLimits {
  /** Of one chunk, as it goes out; a single event may exceed it. */
  readonly chunk_max_bytes: number;
  /** Of one batch. */
  readonly window_max_bytes: number;
  /** Of what has to be recorded for one batch. */
  readonly plan_max_bytes: number;
}

/** A chunk that is still growing. */
interface Draft {
  readonly pieces: Piece[];
  readonly tag_key: string;
  /** Compressed bodies and other signals are chunks of their own. */
  readonly closed: boolean;
  attrs: number;
  grown_bytes: number;
}

/**
 * Groups pieces by tag into chunks. Pure. Pieces come in journal order; `seal()` ends the batch.
 *
 * - A chunk holds one tag's pieces, contiguous among those of its tag, in journal order.
 * - Uncompressed logs are merged up to `chunk_max_bytes`; nothing else is merged.
 */
export class ChunkPlanner {
  readonly #limits: PlanLimits;
  readonly #rewrite: Rewrite;
  readonly #ids: ChunkIds;
  readonly #growth_bytes: number;
  readonly #open = new Map<string, Draft>();
  #drafts: Draft[] = [];
  #bytes = 0;
  #plan_bytes = 0;

  constructor(limits: PlanLimits, rewrite: Rewrite, ids: ChunkIds) {
    this.#limits = limits;
    this.#rewrite = rewrite;
    this.#ids = ids;
    this.#growth_bytes = growthPerEvent(rewrite);
  }

  /** The batch should be sealed at the next record. */
  get full(): boolean {
    return (
      this.#bytes >= this.#limits.window_max_bytes ||
      this.#plan_bytes >= this.#limits.plan_max_bytes
    );
  }

  /** A piece may not be larger than a chunk unless it cannot be cut: see `cutPiece`. */
  add(piece: Piece): void {
    const tag_key = piece.record.tag.toString('latin1');
    const grown_bytes = piece.bytes + piece.events * this.#growth_bytes;
    const closed = piece.codec !== CODEC.none || signalOf(piece.attrs) !== 0;
    const draft = this.#open.get(tag_key);
    const fits =
      draft !== undefined &&
      !draft.closed &&
      !closed &&
      draft.grown_bytes + grown_bytes <= this.#limits.chunk_max_bytes;
    if (fits) {
      draft.pieces.push(piece);
      draft.attrs |= piece.attrs;
      draft.grown_bytes += grown_bytes;
    } else {
      const fresh: Draft = { pieces: [piece], tag_key, closed, attrs: piece.attrs, grown_bytes };
      this.#open.set(tag_key, fresh);
      this.#drafts.push(fresh);
      this.#plan_bytes += recordedBytes(piece.record.tag);
    }
    this.#bytes += grown_bytes;
  }

  /** The batch's chunks in journal order. The planner is empty again. */
  seal(): Chunk[] {
    const chunks = this.#drafts.map(({ pieces, tag_key, attrs }) =>
      makeChunk(pieces, tag_key, attrs, this.#rewrite, this.#ids),
    );
    this.#open.clear();
    this.#drafts = [];
    this.#bytes = 0;
    this.#plan_bytes = 0;
    return chunks.toSorted(compareChunks);
  }
}

/** A chunk of exactly these pieces, with the id that follows from them. */
export function makeChunk(
  pieces: readonly Piece[],
  tag_key: string,
  attrs: number,
  rewrite: Rewrite,
  ids: ChunkIds,
): Chunk {
  const [first] = pieces;
  if (first === undefined) throw new RangeError('a chunk has at least one piece');
  const { tag } = first.record;
  const range = rangeOf(pieces);
  const checksums = checksumsOf(pieces);
  let events = 0;
  let bytes = 0;
  let committed_ms = 0;
  for (const piece of pieces) {
    events += piece.events;
    bytes += piece.bytes;
    committed_ms = Math.max(committed_ms, piece.record.committed_ms);
  }
  return new Chunk({
    id: ids.make(tag, range, checksums),
    tag,
    tag_key,
    range,
    checksum: checksumOf(checksums),
    codec: first.codec,
    attrs,
    rewrite,
    pieces,
    events,
    bytes,
    committed_ms,
  });
}

function rangeOf(pieces: readonly Piece[]): ChunkRange {
  const first = pieces[0] as Piece; // makeChunk has looked
  const last = pieces[pieces.length - 1] as Piece;
  return {
    first_seq: first.record.seq,
    first_event: first.first_event,
    last_seq: last.record.seq,
    end_event: last.end_event,
  };
}

/** Of the covered records; a record in several pieces counts once. */
function checksumsOf(pieces: readonly Piece[]): number[] {
  const checksums: number[] = [];
  let seq = -1;
  for (const { record } of pieces) {
    if (record.seq !== seq) checksums.push(record.checksum);
    seq = record.seq;
  }
  return checksums;
}

function checksumOf(checksums: readonly number[]): number {
  const bytes = Buffer.allocUnsafe(4 * checksums.length);
  for (const [index, checksum] of checksums.entries()) bytes.writeUInt32BE(checksum, 4 * index);
  return crc32(bytes);
}
