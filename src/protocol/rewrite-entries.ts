/**
 * Fitting entries to what an upstream takes (DESIGN: forward output): metadata
 * left out or moved into the record, group markers left out, static fields added.
 *
 *     [[time, metadata], record]   ─►   [time, record]
 *     [time, {a: 1}]               ─►   [time, {a: 1, host: "web-1"}]
 */
import { EntryParts, readEntry } from './entries.ts';
import { TIME_FORM } from './event-time.ts';
import { headerBytes, INCOMPLETE, lengthAt, skipItems } from './msgpack.ts';
import { mapHeader, str } from './msgpack-write.ts';

const LEVELS_MAX = 512;
const PAIR = Buffer.of(0x92);

export interface EntryRewrite {
  /**
   * `keep`: entries as they are; `drop`: the classic form; a key: the record gets it under that
   * key.
   */
  readonly metadata: 'keep' | 'drop' | { readonly key: string };
  readonly markers: 'keep' | 'drop';
  /**
   * Key and value of each field to add, both as msgpack. A record that has the key keeps its own.
   */
  readonly add?: ReadonlyArray<readonly [key: string, value: Uint8Array]>;
}

export interface RewrittenEntries {
  readonly body: Buffer;
  readonly count: number;
  /** Entries whose metadata, other than an empty map, was left out. */
  readonly metadata_dropped: number;
  readonly markers_dropped: number;
}

/** Rewrites the valid entries of a body. */
export function rewriteEntries(body: readonly Buffer[], rewrite: EntryRewrite): RewrittenEntries {
  const [first = Buffer.alloc(0)] = body;
  const buf = body.length <= 1 ? first : Buffer.concat(body);
  const fields = (rewrite.add ?? []).map(([key, value]) => new Field(key, value));
  const out: Buffer[] = [];
  const parts = new EntryParts();
  const counts = { count: 0, metadata_dropped: 0, markers_dropped: 0 };
  let at = 0;
  while (at < buf.length) {
    const next = readEntry(buf, at, buf.length, LEVELS_MAX, parts);
    if (next === INCOMPLETE) break;
    at = next;
    if (!parts.valid) continue;
    if (parts.time.form === TIME_FORM.marker && rewrite.markers === 'drop') {
      counts.markers_dropped += 1;
      continue;
    }
    counts.count += 1;
    if (rewrite.metadata === 'drop' && hasMetadata(buf, parts)) counts.metadata_dropped += 1;
    writeEntry(out, buf, parts, rewrite, fields);
  }
  return { body: Buffer.concat(out), ...counts };
}

class Field {
  readonly key: Buffer;
  readonly pair: Buffer;

  constructor(key: string, value: Uint8Array) {
    this.key = str(key);
    this.pair = Buffer.concat([this.key, value]);
  }
}

const hasMetadata = (buf: Buffer, parts: EntryParts): boolean =>
  parts.metadata_start >= 0 && lengthAt(buf, parts.metadata_start) > 0;

function writeEntry(
  out: Buffer[],
  buf: Buffer,
  parts: EntryParts,
  rewrite: EntryRewrite,
  fields: readonly Field[],
): void {
  const time = buf.subarray(parts.time_start, parts.time_end);
  const metadata = buf.subarray(parts.metadata_start, parts.metadata_end);
  const added = [...fields];
  if (typeof rewrite.metadata === 'object' && hasMetadata(buf, parts)) {
    added.push(new Field(rewrite.metadata.key, metadata));
  }
  const nested = rewrite.metadata === 'keep' && parts.metadata_start >= 0;
  if (nested) out.push(PAIR, PAIR, time, metadata);
  else out.push(PAIR, time);
  writeRecord(out, buf, parts, added);
}

function writeRecord(out: Buffer[], buf: Buffer, parts: EntryParts, added: readonly Field[]): void {
  const { record_start, record_end } = parts;
  const missing = added.filter((field) => !hasKey(buf, record_start, record_end, field.key));
  if (missing.length === 0) {
    out.push(buf.subarray(record_start, record_end));
    return;
  }
  const pairs = record_start + headerBytes(buf[record_start] as number);
  out.push(mapHeader(lengthAt(buf, record_start) + missing.length));
  out.push(buf.subarray(pairs, record_end));
  for (const field of missing) out.push(field.pair);
}

/**
 * Does the map have this key? A key that was not written in its shortest form is not recognized.
 */
function hasKey(buf: Buffer, start: number, end: number, key: Buffer): boolean {
  let at = start + headerBytes(buf[start] as number);
  for (let pairs = lengthAt(buf, start); pairs > 0; pairs -= 1) {
    const value = skipItems(buf, at, end, 1, LEVELS_MAX);
    if (key.equals(buf.subarray(at, value))) return true;
    at = skipItems(buf, value, end, 1, LEVELS_MAX);
  }
  return false;
}
