import { type Chunk, compareChunks, type Piece } from './chunk.ts';
import { type ChunkIds, RECORD_END } from './chunk-id.ts';
import { makeChunk } from './planner.ts';
import type { RecordedChunk, RecordedWindow } from './window-format.ts';

interface Found {
  readonly recorded: RecordedChunk;
  readonly pieces: Piece[];
}

/** What of a record a recorded chunk covers. */
export interface Cover {
  readonly recorded: RecordedChunk;
  readonly first_event: number;
  readonly end_event: number;
}

/**
 * Rebuilds the chunks of a recorded window from the journal: the same grouping, ids and
 * rewrites. Pure. Feed it every record from the cursor to `end_seq` that `covers` names.
 *
 * A chunk of which records were quarantined or dropped since is rebuilt from the rest,
 * under a new id: an id never names two bodies. One without any record left is gone.
 */
export class Replay {
  readonly #found_by_tag = new Map<string, Found[]>();
  readonly end_seq: number;

  constructor(window: RecordedWindow) {
    this.end_seq = window.end_seq;
    for (const recorded of window.chunks) {
      const tag_key = recorded.tag.toString('latin1');
      const found = this.#found_by_tag.get(tag_key);
      if (found === undefined) this.#found_by_tag.set(tag_key, [{ recorded, pieces: [] }]);
      else found.push({ recorded, pieces: [] });
    }
  }

  /** The chunks that cover some of a record; none if it was acked, or never for this output. */
  covers(tag: Buffer, seq: number): Cover[] {
    const all = this.#found_by_tag.get(tag.toString('latin1')) ?? [];
    const covering = all.filter(
      ({ recorded: { range } }) => range.first_seq <= seq && seq <= range.last_seq,
    );
    return covering.map(({ recorded }) => ({
      recorded,
      first_event: seq === recorded.range.first_seq ? recorded.range.first_event : 0,
      end_event: seq === recorded.range.last_seq ? recorded.range.end_event : RECORD_END,
    }));
  }

  add({ recorded }: Cover, piece: Piece): void {
    const all = this.#found_by_tag.get(recorded.tag.toString('latin1')) ?? [];
    all.find((found) => found.recorded === recorded)?.pieces.push(piece);
  }

  /** The rebuilt chunks in journal order. */
  finish(ids: ChunkIds): Chunk[] {
    const chunks: Chunk[] = [];
    for (const [tag_key, all] of this.#found_by_tag) {
      for (const { recorded, pieces } of all) {
        if (pieces.length > 0) chunks.push(rebuild(recorded, pieces, tag_key, ids));
      }
    }
    return chunks.toSorted(compareChunks);
  }
}

function rebuild(
  recorded: RecordedChunk,
  pieces: readonly Piece[],
  tag_key: string,
  ids: ChunkIds,
): Chunk {
  const attrs = pieces.reduce((all, piece) => all | piece.attrs, 0);
  const { id, range, checksum, rewrite } = recorded;
  const chunk = makeChunk(pieces, tag_key, attrs, rewrite, ids);
  // Compared by content, not by id: another version may make ids in another way.
  return chunk.checksum === checksum ? chunk.as(id, range) : chunk;
}
