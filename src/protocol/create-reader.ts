import type { FrameLimits, FrameSink } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { JsonReader } from './json-reader.ts';
import type { MessageFormat, MessageReader } from './message-reader.ts';
import type { ScratchPool } from './scratch-pool.ts';

/**
 * What a client speaks, by the first byte of its connection: `[` and `{` begin JSON (formats.md
 * 1.1).
 */
function sniffFormat(first_byte: number): MessageFormat {
  return first_byte === 0x5b || first_byte === 0x7b ? 'json' : 'msgpack';
}

/**
 * A reader for a connection whose first byte is `first_byte`; feed it that byte too. Acks go out
 * in its `format`. `pool` is shared by all connections.
 */
export function createReader(
  first_byte: number,
  sink: FrameSink,
  limits: FrameLimits,
  pool?: ScratchPool,
): MessageReader {
  return sniffFormat(first_byte) === 'json'
    ? new JsonReader(sink, limits)
    : new FrameReader(sink, limits, pool);
}
