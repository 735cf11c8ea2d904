import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { encode } from '@msgpack/msgpack';
import { CODEC, type Codec, signalOf } from '../../protocol/codec.ts';
import { type RewrittenEntries, rewriteEntries } from '../../protocol/rewrite-entries.ts';
import type { ChunkPlan, Piece, WireBody } from './chunk.ts';
import { changesEntries } from './pieces.ts';

const gzipAsync = promisify(gzip);

/** Log lines compress well at any level; this one costs half of the default's time. */
const GZIP_LEVEL = 3;
const ZSTD_LEVEL = 3;

/** What a rewrite left out of a chunk, in events. */
interface Losses {
  readonly metadata_dropped: number;
  readonly markers_dropped: number;
  readonly invalid_dropped: number;
}

export interface Prepared extends Losses {
  readonly wire: WireBody;
}

const NO_LOSSES: Losses = { metadata_dropped: 0, markers_dropped: 0, invalid_dropped: 0 };

/**
 * Makes what goes over the wire: entries rewritten and compressed as the chunk's rewrite
 * says. A chunk that needs neither keeps its stored bytes, uncopied.
 *
 * Called again for the same chunk it makes the same bytes, as far as zlib does.
 */
export async function prepareChunk(chunk: ChunkPlan): Promise<Prepared> {
  const stored = storedWire(chunk);
  if (stored !== undefined) return { wire: stored, ...NO_LOSSES };
  const { rewrite, attrs, events } = chunk;
  const tag = wireTag(chunk);
  const body = bodyOf(chunk.pieces);
  if (changesEntries(rewrite, attrs)) {
    const rewritten = rewriteEntries(body, {
      metadata: rewrite.metadata,
      markers: rewrite.group_markers,
      add: Object.entries(rewrite.add).map(([key, value]) => [key, encode(value)] as const),
    });
    const wire = await compressed(tag, [rewritten.body], rewritten.count, rewrite.compress);
    return { wire, ...lossesOf(rewritten, events) };
  }
  return { wire: await compressed(tag, body, events, rewrite.compress), ...NO_LOSSES };
}

/** The wire body of a chunk that goes out as it is stored; undefined if it has to be changed first. */
export function storedWire(chunk: ChunkPlan): WireBody | undefined {
  const { rewrite, attrs, codec, events, bytes, pieces } = chunk;
  const is_plain = codec === CODEC.none && signalOf(attrs) === 0;
  if (is_plain && (rewrite.compress !== CODEC.none || changesEntries(rewrite, attrs)))
    return undefined;
  return { tag: wireTag(chunk), codec, body: bodyOf(pieces), bytes, events };
}

function wireTag({ tag, rewrite: { tag_prefix } }: ChunkPlan): Buffer {
  return tag_prefix === '' ? tag : Buffer.concat([Buffer.from(tag_prefix), tag]);
}

function bodyOf(pieces: readonly Piece[]): readonly Buffer[] {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first.body;
  const body: Buffer[] = [];
  for (const piece of pieces) for (const part of piece.body) body.push(part);
  return body;
}

function lossesOf(
  { count, metadata_dropped, markers_dropped }: RewrittenEntries,
  events: number,
): Losses {
  return { metadata_dropped, markers_dropped, invalid_dropped: events - count - markers_dropped };
}

async function compressed(
  tag: Buffer,
  body: readonly Buffer[],
  events: number,
  codec: Codec,
): Promise<WireBody> {
  const wanted = events === 0 ? CODEC.none : codec;
  if (wanted === CODEC.none) return { tag, codec: wanted, body, bytes: bytesOf(body), events };
  const small = await compress(Buffer.concat(body), wanted);
  return { tag, codec: wanted, body: [small], bytes: small.length, events };
}

async function compress(body: Buffer, codec: Codec): Promise<Buffer> {
  if (codec === CODEC.gzip) return gzipAsync(body, { level: GZIP_LEVEL });
  // Loaded by the first who needs it: it takes longer than the rest of the start.
  const { default: zstd } = await import('@foxglove/wasm-zstd');
  await zstd.isLoaded;
  // A view of the module's memory, which the next call overwrites.
  return Buffer.from(zstd.compress(body, ZSTD_LEVEL));
}

function bytesOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
