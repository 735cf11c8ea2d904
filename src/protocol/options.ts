/**
 * The option map that may end a message (formats.md 1.4). Keys in any order,
 * unknown ones are skipped; the last one of the same name wins.
 */
import { CODEC, type Codec } from './codec.ts';
import { integerAt } from './event-time.ts';
import type { FrameLimits } from './frame.ts';
import {
  equalsAscii,
  headerBytes,
  INCOMPLETE,
  isBytes,
  isMap,
  lengthAt,
  NIL,
  skipItems,
} from './msgpack.ts';
import { hexByte, limitError, syntaxError } from './protocol-error.ts';

const SIGNAL_MAX = 0xff;
const SIZE_MAX = 0xffffffff;

/** What an option map says; reused between messages. Offsets are -1 where a key is absent. */
export class Options {
  /** `compressed`; undefined when absent. */
  codec: Codec | undefined;
  signal = 0;
  /** `size`: a claim of the sender that nothing relies on. */
  size = 0;
  chunk_start = -1;
  chunk_end = -1;
  metadata_start = -1;
  metadata_end = -1;

  clear(): void {
    this.codec = undefined;
    this.signal = 0;
    this.size = 0;
    this.chunk_start = -1;
    this.chunk_end = -1;
    this.metadata_start = -1;
    this.metadata_end = -1;
  }

  /**
   * Reads the map or nil at `pos`. Returns the offset behind it or INCOMPLETE.
   *
   * @throws LB_PROTOCOL_SYNTAX for another type, or a value that cannot be honoured
   */
  read(buf: Buffer, pos: number, end: number, limits: FrameLimits): number {
    this.clear();
    if (pos >= end) return INCOMPLETE;
    const lead = buf[pos] as number;
    if (lead !== NIL && !isMap(lead)) {
      throw syntaxError('a map or nil as option', `an object that begins with ${hexByte(lead)}`);
    }
    const next = skipItems(buf, pos, end, 1, limits.nesting_max_levels - 1);
    if (next === INCOMPLETE) return INCOMPLETE;
    if (next - pos > limits.option_max_bytes) {
      const arithmetic = `${next - pos} > ${limits.option_max_bytes} bytes`;
      throw limitError('the option map is too large', arithmetic, 'option_max_bytes');
    }
    if (lead !== NIL) this.#readPairs(buf, pos, next, limits);
    return next;
  }

  #readPairs(buf: Buffer, pos: number, end: number, limits: FrameLimits): void {
    let at = pos + headerBytes(buf[pos] as number);
    for (let pairs = lengthAt(buf, pos); pairs > 0; pairs -= 1) {
      const value = skipItems(buf, at, end, 1, limits.nesting_max_levels);
      const value_end = skipItems(buf, value, end, 1, limits.nesting_max_levels);
      if (isBytes(buf[at] as number)) this.#readPair(buf, at, value, value_end, limits);
      at = value_end;
    }
  }

  #readPair(buf: Buffer, key: number, value: number, end: number, limits: FrameLimits): void {
    const name = key + headerBytes(buf[key] as number);
    switch (value - name) {
      case 4:
        if (equalsAscii(buf, name, 'size')) this.size = readSize(buf, value);
        break;
      case 5:
        if (equalsAscii(buf, name, 'chunk')) this.#readChunk(buf, value, end, limits);
        break;
      case 8:
        if (equalsAscii(buf, name, 'metadata')) this.#readMetadata(buf, value, end);
        break;
      case 10:
        if (equalsAscii(buf, name, 'compressed')) this.codec = readCodec(buf, value, end);
        break;
      case 13:
        if (equalsAscii(buf, name, 'fluent_signal')) this.signal = readSignal(buf, value);
        break;
      default:
    }
  }

  /** nil asks for no ack, as in Ruby, where it is false. */
  #readChunk(buf: Buffer, value: number, end: number, limits: FrameLimits): void {
    const lead = buf[value] as number;
    if (lead === NIL) {
      this.chunk_start = -1;
      this.chunk_end = -1;
      return;
    }
    if (!isBytes(lead))
      throw syntaxError('a str as option chunk', `an object that begins with ${hexByte(lead)}`);
    this.chunk_start = value + headerBytes(lead);
    this.chunk_end = end;
    const bytes = end - this.chunk_start;
    if (bytes > limits.chunk_id_max_bytes) {
      const arithmetic = `${bytes} > ${limits.chunk_id_max_bytes} bytes`;
      throw limitError('the chunk id is too long', arithmetic, 'chunk_id_max_bytes');
    }
  }

  /** Metadata that says something: a map with at least one pair. */
  #readMetadata(buf: Buffer, value: number, end: number): void {
    const says_something = isMap(buf[value] as number) && lengthAt(buf, value) > 0;
    this.metadata_start = says_something ? value : -1;
    this.metadata_end = says_something ? end : -1;
  }
}

/** A hint only: anything that is no count is 0. */
function readSize(buf: Buffer, value: number): number {
  const size = integerAt(buf, value) ?? 0;
  return size > 0 && size <= SIZE_MAX ? size : 0;
}

function readCodec(buf: Buffer, value: number, end: number): Codec | undefined {
  const lead = buf[value] as number;
  if (lead === NIL) return undefined;
  const start = value + headerBytes(lead);
  const bytes = isBytes(lead) ? end - start : -1;
  if (bytes === 4 && equalsAscii(buf, start, 'text')) return CODEC.none;
  if (bytes === 4 && equalsAscii(buf, start, 'gzip')) return CODEC.gzip;
  if (bytes === 4 && equalsAscii(buf, start, 'zstd')) return CODEC.zstd;
  const found =
    bytes < 0
      ? `an object that begins with ${hexByte(lead)}`
      : JSON.stringify(buf.toString('utf8', start, Math.min(end, start + 32)));
  throw syntaxError('text, gzip or zstd as option compressed', found);
}

function readSignal(buf: Buffer, value: number): number {
  const lead = buf[value] as number;
  if (lead === NIL) return 0;
  const signal = integerAt(buf, value);
  if (signal !== undefined && signal >= 0 && signal <= SIGNAL_MAX) return signal;
  throw syntaxError(
    `0 to ${SIGNAL_MAX} as option fluent_signal`,
    signal === undefined ? `an object that begins with ${hexByte(lead)}` : String(signal),
  );
}
