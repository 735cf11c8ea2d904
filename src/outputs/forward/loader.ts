import { messageOf } from '../../errors.ts';
import type { JournalRecord } from '../../journal/types.ts';
import { CODEC, signalOf } from '../../protocol/codec.ts';
import type { Chunk, Piece } from './chunk.ts';
import { RECORD_END } from './chunk-id.ts';
import type { ForwardContext } from './context.ts';
import {
  cutPiece,
  inspectedPiece,
  isDivisible,
  mustInspect,
  slicePiece,
  storedPiece,
} from './pieces.ts';
import { prepareChunk, storedWire } from './prepare.ts';
import type { Cover } from './replay.ts';
import { growthPerEvent, type Rewrite } from './rewrite-spec.ts';

/**
 * Makes pieces of records and wire bodies of chunks. What cannot be made, because it cannot be
 * inflated or read, is put into the dead letter first, durably and counted. Rejects only when the
 * output stops.
 */
export class Loader {
  readonly #context: ForwardContext;
  readonly #rewrite: Rewrite;
  readonly #growth_bytes: number;

  /** `rewrite` is for records that were not recorded yet. */
  constructor(context: ForwardContext, rewrite: Rewrite) {
    this.#context = context;
    this.#rewrite = rewrite;
    this.#growth_bytes = growthPerEvent(rewrite);
  }

  /** A record that is sent in one piece as it is stored, which nearly all are; for others see `pieces`. */
  plainPiece(record: JournalRecord): Piece | undefined {
    if (record.codec !== CODEC.none || signalOf(record.attrs) !== 0) return undefined;
    const piece = storedPiece(record);
    return this.#grownBytes(piece) <= this.#context.options.chunk_max_bytes ? piece : undefined;
  }

  /** What of a record is to be sent: no piece for what the upstream does not know, several for what is too large. */
  async pieces(record: JournalRecord): Promise<Piece[]> {
    const { profile, ledger, options } = this.#context;
    if (signalOf(record.attrs) !== 0 && !profile.takes_signals) {
      ledger.count('signal_unsupported', options.name, Math.max(1, record.count));
      return [];
    }
    const piece = await this.#piece(record, this.#rewrite);
    if (piece === undefined) return [];
    const grown_bytes = this.#grownBytes(piece);
    const is_kept = piece.codec !== CODEC.none || !isDivisible(piece);
    if (is_kept || grown_bytes <= options.chunk_max_bytes) return [piece];
    return cutPiece(piece, Math.floor((options.chunk_max_bytes * piece.bytes) / grown_bytes));
  }

  /** The part of a record that a recorded chunk covers. */
  async covered(
    record: JournalRecord,
    { recorded, first_event, end_event }: Cover,
  ): Promise<Piece | undefined> {
    const piece = await this.#piece(record, recorded.rewrite);
    if (piece === undefined || (first_event === 0 && end_event === RECORD_END)) return piece;
    return slicePiece(piece, first_event, end_event);
  }

  /** The chunks that are ready to be sent: those of which the rewrite leaves something. */
  async prepared(chunks: readonly Chunk[]): Promise<Chunk[]> {
    const changed: Promise<void>[] = [];
    for (const chunk of chunks) {
      chunk.wire = storedWire(chunk);
      if (chunk.wire === undefined) changed.push(this.#prepare(chunk));
    }
    await Promise.all(changed);
    return chunks.filter((chunk) => chunk.wire !== undefined && chunk.wire.bytes > 0);
  }

  #grownBytes(piece: Piece): number {
    return piece.bytes + piece.events * this.#growth_bytes;
  }

  async #piece(record: JournalRecord, rewrite: Rewrite): Promise<Piece | undefined> {
    const { inflated_max_bytes } = this.#context.profile;
    if (!mustInspect(record, rewrite, inflated_max_bytes)) return storedPiece(record);
    try {
      return await inspectedPiece(record, rewrite, inflated_max_bytes);
    } catch (error) {
      await this.#bury([storedPiece(record)], error);
      return undefined;
    }
  }

  async #prepare(chunk: Chunk): Promise<void> {
    const { counters, ledger, options } = this.#context;
    try {
      const { wire, metadata_dropped, markers_dropped, invalid_dropped } =
        await prepareChunk(chunk);
      counters.metadata_dropped += metadata_dropped;
      counters.markers_dropped += markers_dropped;
      if (invalid_dropped > 0) ledger.count('invalid_event', options.name, invalid_dropped);
      chunk.wire = wire;
    } catch (error) {
      await this.#bury(chunk.pieces, error);
    }
  }

  async #bury(pieces: readonly Piece[], error: unknown): Promise<void> {
    const { dead_letters, ledger, options, retrier, stopping } = this.#context;
    await retrier.run('the dead letter cannot be written', stopping, () =>
      dead_letters.append(pieces, 'unreadable', messageOf(error)),
    );
    const events = pieces.reduce((sum, piece) => sum + Math.max(1, piece.events), 0);
    ledger.count('dead_letter', options.name, events);
  }
}
