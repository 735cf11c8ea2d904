/**
 * Building outgoing messages (formats.md 1.2, 1.4) around bodies that stay as
 * they are.
 *
 *     | 92, 93 | tag str | payload bin or str: header | body pieces ... | option map |
 */
import { CODEC, type Codec } from './codec.ts';
import { EVENT_TIME_BYTES, type EventTime, writeEventTime } from './event-time.ts';
import { arrayHeader, binHeader, mapHeader, str, strHeader, uint } from './msgpack-write.ts';

export interface MessageOptions {
  /** Asks for an ack, which echoes it. */
  readonly chunk?: Uint8Array;
  readonly size?: number;
  /** Default: not compressed. */
  readonly codec?: Codec;
  /** Default: 0, logs. */
  readonly signal?: number;
}

/** `str`: as fluentd sends its payloads; `bin`: as Fluent Bit does. Both take both. */
export type PayloadType = 'bin' | 'str';

/** The option map; `chunk` comes first, where Fluent Bit's own reader looks for it. */
export function encodeOptions(options: MessageOptions): Buffer {
  const pairs: Buffer[] = [];
  if (options.chunk !== undefined) pairs.push(str('chunk'), str(options.chunk));
  if (options.size !== undefined) pairs.push(str('size'), uint(options.size));
  if (options.codec !== undefined && options.codec !== CODEC.none) {
    pairs.push(str('compressed'), str(options.codec === CODEC.gzip ? 'gzip' : 'zstd'));
  }
  if (options.signal !== undefined && options.signal !== 0) {
    pairs.push(str('fluent_signal'), uint(options.signal));
  }
  return Buffer.concat([mapHeader(pairs.length / 2), ...pairs]);
}

/**
 * A PackedForward message as pieces to write: the body's own, with a head before and the option
 * map behind.
 */
export function encodePacked(
  tag: Uint8Array,
  body: readonly Buffer[],
  options: MessageOptions,
  payload: PayloadType = 'bin',
): Buffer[] {
  const body_bytes = body.reduce((sum, piece) => sum + piece.length, 0);
  const header = payload === 'bin' ? binHeader(body_bytes) : strHeader(body_bytes);
  const head = Buffer.concat([arrayHeader(3), str(tag), header]);
  return [head, ...body, encodeOptions(options)];
}

/** A Message mode message with four elements. `record` is a msgpack map. */
export function encodeMessage(
  tag: Uint8Array,
  time: EventTime,
  record: Uint8Array,
  options: MessageOptions = {},
): Buffer {
  return Buffer.concat([
    arrayHeader(4),
    str(tag),
    encodeEventTime(time),
    record,
    encodeOptions(options),
  ]);
}

/** The entry `[time, record]`. */
export function encodeEntry(time: EventTime, record: Uint8Array): Buffer {
  return Buffer.concat([arrayHeader(2), encodeEventTime(time), record]);
}

export function encodeEventTime(time: EventTime): Buffer {
  const out = Buffer.alloc(EVENT_TIME_BYTES);
  writeEventTime(out, 0, time);
  return out;
}
