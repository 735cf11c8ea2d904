/**
 * Docker's `local` driver, and the cache of drivers that cannot be read back (formats.md 5).
 *
 *     | N u32be | LogEntry, N bytes of protobuf | N u32be |
 *
 *     1 source string | 2 time_nano int64 | 3 line bytes | 4 partial bool
 *     5 { 1 last bool | 2 id string | 3 ordinal int32 } | 6 attrs { 1 key | 2 value } ...
 *
 * There is no checksum: an entry is whole when both N agree and its fields fill it.
 *
 * `buf[i] as number` stands for reads that were checked against `end`.
 */
import { u32 } from '../../../protocol/msgpack.ts';
import { type LineFormat, type LogLine, PIECE } from '../types.ts';
import { ProtobufReader } from './protobuf.ts';
import { readSource, SOURCE_NAME_BYTES } from './source-name.ts';

/** Docker's own reader refuses more. */
const FRAME_MAX_BYTES = 1_000_000;
const LENGTH_BYTES = 4;

/** Field number and wire type in one byte. */
const KEY = {
  source: 0x0a,
  time: 0x10,
  line: 0x1a,
  partial: 0x20,
  partial_metadata: 0x2a,
  attribute: 0x32,
} as const;
const METADATA_KEY = { last: 0x08, id: 0x12, ordinal: 0x18 } as const;
const ATTRIBUTE_KEY = { key: 0x0a, value: 0x12 } as const;

/** `source` comes first, and is one of two. */
const BEGINNING = Buffer.from('\x0a\x06std', 'latin1');

export class LocalFormat implements LineFormat {
  readonly name = 'local';
  readonly #fields = new ProtobufReader();

  entryEnd(buf: Buffer, start: number, end: number): number {
    if (start + LENGTH_BYTES > end) return -1;
    const bytes = u32(buf, start);
    if (bytes === 0 || bytes > FRAME_MAX_BYTES) return Number.NaN;
    const next = start + LENGTH_BYTES + bytes + LENGTH_BYTES;
    if (next > end) return -1;
    return u32(buf, next - LENGTH_BYTES) === bytes ? next : Number.NaN;
  }

  resync(buf: Buffer, start: number, end: number): number {
    for (let at = start + 1; at < end; at += 1) {
      // FRAME_MAX_BYTES leaves the first byte of a length 0.
      if (buf[at] === 0 && this.#mayBegin(buf, at, end)) return at;
    }
    return end;
  }

  parse(buf: Buffer, start: number, end: number, line: LogLine): boolean {
    const fields = this.#fields;
    fields.open(buf, start + LENGTH_BYTES, end - LENGTH_BYTES);
    line.buf = buf;
    line.log_start = start + LENGTH_BYTES;
    line.log_end = start + LENGTH_BYTES;
    line.piece = PIECE.whole;
    line.partial_id = undefined;
    line.partial_ordinal = 0;
    line.torn_bytes = 0;
    let timed = false;
    let sourced = false;
    while (fields.at < fields.end) {
      const key = fields.small();
      if (key === KEY.source) sourced = readSourceField(fields, line);
      else if (key === KEY.time) timed = fields.time(line);
      else if (key === KEY.line) readLine(fields, line);
      else if (key === KEY.partial) readPartial(fields, line);
      else if (key === KEY.partial_metadata) readPartialMetadata(fields, line);
      else fields.skip(key);
    }
    return timed && sourced && fields.at === fields.end;
  }

  /** True as well when what would show it lies behind `end`. */
  #mayBegin(buf: Buffer, at: number, end: number): boolean {
    const entry = at + LENGTH_BYTES;
    const seen = Math.min(BEGINNING.length, end - entry);
    for (let i = 0; i < seen; i += 1) {
      if (buf[entry + i] !== BEGINNING[i]) return false;
    }
    return !Number.isNaN(this.entryEnd(buf, at, end));
  }
}

/** The attributes that Docker 29.5 and later store with an entry (formats.md 5); empty if there are none. */
export function readLocalAttributes(
  buf: Buffer,
  start: number,
  end: number,
): Readonly<Record<string, string>> {
  const attributes = new Map<string, string>();
  const fields = new ProtobufReader();
  fields.open(buf, start + LENGTH_BYTES, end - LENGTH_BYTES);
  while (fields.at < fields.end) {
    const key = fields.small();
    if (key === KEY.attribute) readAttribute(fields, attributes);
    else fields.skip(key);
  }
  return Object.fromEntries(attributes);
}

function readSourceField(fields: ProtobufReader, line: LogLine): boolean {
  const bytes = fields.length();
  const name = fields.at;
  fields.at += bytes;
  return bytes === SOURCE_NAME_BYTES && readSource(fields.buf, name, line);
}

function readLine(fields: ProtobufReader, line: LogLine): void {
  const bytes = fields.length();
  line.log_start = fields.at;
  fields.at += bytes;
  line.log_end = fields.at;
}

function readPartial(fields: ProtobufReader, line: LogLine): void {
  const partial = fields.small() !== 0;
  if (partial && line.piece === PIECE.whole) line.piece = PIECE.part;
}

function readPartialMetadata(fields: ProtobufReader, line: LogLine): void {
  const bytes = fields.length();
  const stop = fields.at + bytes;
  line.piece = PIECE.part;
  while (fields.at < stop) {
    const key = fields.small();
    if (key === METADATA_KEY.last) {
      if (fields.small() !== 0) line.piece = PIECE.last;
    } else if (key === METADATA_KEY.id) {
      const id_bytes = fields.length();
      line.partial_id = fields.buf.subarray(fields.at, fields.at + id_bytes);
      fields.at += id_bytes;
    } else if (key === METADATA_KEY.ordinal) {
      line.partial_ordinal = fields.small();
    } else {
      fields.skip(key);
    }
  }
  fields.close(stop);
}

function readAttribute(fields: ProtobufReader, attributes: Map<string, string>): void {
  const bytes = fields.length();
  const stop = fields.at + bytes;
  let name = '';
  let value = '';
  while (fields.at < stop) {
    const key = fields.small();
    if (key !== ATTRIBUTE_KEY.key && key !== ATTRIBUTE_KEY.value) {
      fields.skip(key);
      continue;
    }
    const text_bytes = fields.length();
    const text = fields.buf.toString('utf8', fields.at, fields.at + text_bytes);
    fields.at += text_bytes;
    if (key === ATTRIBUTE_KEY.key) name = text;
    else value = text;
  }
  fields.close(stop);
  if (fields.at === stop) attributes.set(name, value);
}
