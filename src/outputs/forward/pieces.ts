import type { JournalRecord } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
import { ATTR, CODEC, type Codec, signalOf } from '../../protocol/codec.ts';
import { EntryWalk, emptyTally } from '../../protocol/entries.ts';
import { inflate } from '../../protocol/inflate.ts';
import { INCOMPLETE, skipItems } from '../../protocol/msgpack.ts';
import type { Piece } from './chunk.ts';
import { RECORD_END } from './chunk-id.ts';
import type { Rewrite } from './rewrite-spec.ts';

/** Clients decide what compressed records inflate to; it is held in memory, within the window's budget or one at a time. */
const INFLATE_LIMITS = {
  inflated_max_bytes: 64 * 1024 * 1024,
  zstd_frame_max_bytes: LIMITS.zstd_frame_max_bytes,
};

/** What stored events were walked with when they came was no deeper. */
const LEVELS_MAX = 512;

/** A record as one piece, its stored bytes untouched. */
export function storedPiece(record: JournalRecord): Piece {
  return {
    record,
    first_event: 0,
    end_event: RECORD_END,
    events: record.count,
    attrs: record.attrs,
    codec: record.codec as Codec,
    body: record.body,
    bytes: record.body_bytes,
  };
}

/** Whether the entries of a compressed record must be seen before it can be sent. */
export function mustInspect(
  record: JournalRecord,
  rewrite: Rewrite,
  inflated_max_bytes: number,
): boolean {
  if (record.codec === CODEC.none || signalOf(record.attrs) !== 0) return false;
  return (
    !rewrite.codecs_kept.includes(record.codec as Codec) ||
    Object.keys(rewrite.add).length > 0 ||
    rewrite.metadata !== 'keep' ||
    rewrite.group_markers !== 'keep' ||
    Number.isFinite(inflated_max_bytes)
  );
}

/**
 * A compressed record as one piece: as it is stored if nothing of it has to change, else inflated.
 * What is in compressed records is not known before: they are stored unread.
 *
 * @throws LB_PROTOCOL_SYNTAX, LB_PROTOCOL_LIMIT for a payload that cannot be inflated
 */
export async function inspectedPiece(
  record: JournalRecord,
  rewrite: Rewrite,
  inflated_max_bytes: number,
): Promise<Piece> {
  const inflated = await inflatePiece(storedPiece(record));
  const keeps_codec =
    rewrite.codecs_kept.includes(record.codec as Codec) && inflated.bytes <= inflated_max_bytes;
  if (!keeps_codec || changesEntries(rewrite, inflated.attrs)) return inflated;
  return { ...storedPiece(record), events: inflated.events, attrs: inflated.attrs };
}

/** Whether entries with these attributes are changed by the rewrite. */
export function changesEntries(rewrite: Rewrite, attrs: number): boolean {
  if (signalOf(attrs) !== 0) return false;
  return (
    Object.keys(rewrite.add).length > 0 ||
    (rewrite.metadata !== 'keep' && (attrs & ATTR.metadata) !== 0) ||
    (rewrite.group_markers === 'drop' && (attrs & ATTR.group_markers) !== 0)
  );
}

/** The same piece, uncompressed, with its events counted. @throws as `inspectedPiece` */
export async function inflatePiece(piece: Piece): Promise<Piece> {
  if (piece.codec === CODEC.none) return piece;
  const parts: Buffer[] = [];
  for await (const part of inflate(piece.codec, piece.body, INFLATE_LIMITS)) {
    // A part is only valid until the next one is asked for.
    parts.push(Buffer.from(part));
  }
  const body = Buffer.concat(parts);
  const tally = emptyTally();
  new EntryWalk(LIMITS).walkAll(body, 0, body.length, tally);
  const attrs = piece.attrs | tally.attrs;
  const events = tally.count + tally.invalid;
  return { ...piece, codec: CODEC.none, attrs, body: [body], bytes: body.length, events };
}

/** Whether the events of a piece can be told apart. */
export const isDivisible = (piece: Piece): boolean => signalOf(piece.attrs) === 0;

/** The events of an uncompressed piece from the record's event `first_event` up to before `end_event`. */
export function slicePiece(piece: Piece, first_event: number, end_event: number): Piece {
  const body = wholeBody(piece);
  let at = 0;
  let event = piece.first_event;
  for (; event < first_event; event++) at = behindEvent(body, at);
  const start = at;
  for (; event < end_event && at < body.length; event++) at = behindEvent(body, at);
  const slice = body.subarray(start, at);
  return {
    ...piece,
    first_event,
    end_event: at === body.length ? piece.end_event : end_event,
    events: event - first_event,
    body: [slice],
    bytes: slice.length,
  };
}

/** Cuts a piece between events so that each part has at most `max_bytes`, or one event. */
export function cutPiece(piece: Piece, max_bytes: number): Piece[] {
  const body = wholeBody(piece);
  const parts: Piece[] = [];
  let first_event = piece.first_event;
  let start = 0;
  let event = first_event;
  const closePart = (end: number, is_last: boolean): void => {
    const part = body.subarray(start, end);
    const end_event = is_last ? piece.end_event : event;
    parts.push({
      ...piece,
      first_event,
      end_event,
      events: event - first_event,
      body: [part],
      bytes: part.length,
    });
    first_event = event;
    start = end;
  };
  for (let at = 0; at < body.length; event++) {
    const next = behindEvent(body, at);
    if (next - start > max_bytes && at > start) closePart(at, false);
    at = next;
  }
  closePart(body.length, true);
  return parts;
}

/** Two parts of about half the events; undefined for a single event or what cannot be divided. */
export function halvePiece(piece: Piece): [Piece, Piece] | undefined {
  if (!isDivisible(piece) || piece.events < 2) return undefined;
  const middle = piece.first_event + (piece.events >> 1);
  return [
    slicePiece(piece, piece.first_event, middle),
    slicePiece(piece, middle, Number.POSITIVE_INFINITY),
  ];
}

function wholeBody(piece: Piece): Buffer {
  if (piece.codec !== CODEC.none) throw new Error('a compressed piece has to be inflated first');
  const [first = Buffer.alloc(0)] = piece.body;
  return piece.body.length <= 1 ? first : Buffer.concat(piece.body);
}

function behindEvent(body: Buffer, at: number): number {
  const next = skipItems(body, at, body.length, 1, LEVELS_MAX);
  // Bytes behind the last whole event: what a client cut off in a compressed payload.
  return next === INCOMPLETE ? body.length : next;
}
