import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { LogboomError, messageOf, systemCode } from '../errors.ts';
import { CODEC, type Codec } from './codec.ts';
import { limitError, syntaxError } from './protocol-error.ts';
import { zstdFrames } from './zstd-frames.ts';

export interface InflateLimits {
  readonly inflated_max_bytes: number;
  /** zstd is inflated frame by frame, each in one piece. */
  readonly zstd_frame_max_bytes: number;
}

/** Bytes in pieces, cut anywhere. */
export type Pieces = AsyncIterable<Buffer> | Iterable<Buffer>;

const PIECE_BYTES = 64 * 1024;

/**
 * The inflated bytes of `source`, piece by piece, within `inflated_max_bytes`: gzip
 * of any number of members, zstd of any number of frames. A piece is valid until the
 * next one is asked for.
 *
 * @throws LB_PROTOCOL_SYNTAX for damaged data or bytes behind it, LB_PROTOCOL_LIMIT for a bomb
 */
export async function* inflate(
  codec: Codec,
  source: Pieces,
  limits: InflateLimits,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces = codec === CODEC.zstd ? unzstd(source, limits) : gunzip(source);
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > limits.inflated_max_bytes) {
      const arithmetic = `${bytes} > ${limits.inflated_max_bytes} bytes`;
      throw limitError('a payload inflates to too much', arithmetic, 'inflated_max_bytes');
    }
    yield piece;
  }
}

async function* gunzip(source: Pieces): AsyncGenerator<Buffer, void, undefined> {
  const engine = createGunzip({ chunkSize: PIECE_BYTES });
  let given_bytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of source) {
      given_bytes += piece.length;
      yield piece;
    }
  };
  pipeline(Readable.from(counted()), engine, () => {
    // What goes wrong destroys the engine, and so ends the loop below with the error.
  });
  try {
    for await (const piece of engine) yield piece as Buffer;
  } catch (error) {
    if (systemCode(error)?.startsWith('Z_') !== true) throw error;
    throw syntaxError('a gzip payload', messageOf(error));
  }
  if (engine.bytesWritten !== given_bytes) {
    const found = `${given_bytes - engine.bytesWritten} further bytes`;
    throw syntaxError(`a gzip payload of ${engine.bytesWritten} bytes`, found);
  }
}

async function* unzstd(
  source: Pieces,
  limits: InflateLimits,
): AsyncGenerator<Buffer, void, undefined> {
  // Loaded by the first who needs it: it takes longer than the rest of the start.
  const { default: zstd } = await import('@foxglove/wasm-zstd');
  await zstd.isLoaded;
  const max_bytes = limits.zstd_frame_max_bytes;
  const compressed = await gather(source, max_bytes);
  for (const { start, end, inflated_max_bytes } of zstdFrames(compressed)) {
    if (inflated_max_bytes > Math.min(max_bytes, limits.inflated_max_bytes)) {
      const arithmetic = `${inflated_max_bytes} > ${max_bytes} bytes`;
      throw limitError('a zstd frame inflates to too much', arithmetic, 'zstd_frame_max_bytes');
    }
    if (inflated_max_bytes === 0) continue;
    try {
      yield zstd.decompress(compressed.subarray(start, end), inflated_max_bytes);
    } catch (cause) {
      throw new LogboomError('LB_PROTOCOL_SYNTAX', 'expected a zstd payload, found damage', {
        cause,
      });
    }
  }
}

async function gather(source: Pieces, max_bytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.length;
    if (bytes > max_bytes) {
      const arithmetic = `at least ${bytes} > ${max_bytes} bytes`;
      throw limitError('a zstd payload is too large', arithmetic, 'zstd_frame_max_bytes');
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
