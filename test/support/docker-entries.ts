/** Log entries as dockerd writes them (formats.md 4.1, 5) and sends them (3.2). */
import { mapHeader, str } from '../../src/protocol/msgpack-write.ts';

export interface Entry {
  readonly source: 'stdout' | 'stderr';
  /** Without its newline. */
  readonly log: Buffer;
  readonly time_s: number;
  readonly time_ns: number;
  readonly partial?: { readonly id: string; readonly ordinal: number; readonly last: boolean };
}

/** What stdout logged, always at the same moment; `fields` go over it. */
export const loggedEntry = (log: string | Buffer, fields: Partial<Entry> = {}): Entry => ({
  source: 'stdout',
  log: Buffer.from(log),
  time_s: 1795413617,
  time_ns: 952463603,
  ...fields,
});

/** RFC3339Nano of Go: UTC, and no zeros at the fraction's end. */
export function rfc3339Nano(time_s: number, time_ns: number): string {
  const seconds = new Date(time_s * 1000).toISOString().slice(0, 19);
  const fraction = String(time_ns).padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** The line of json-file; a piece but the last has no newline. */
export function jsonFileLine(entry: Entry, attrs = ''): Buffer {
  const ends = entry.partial === undefined || entry.partial.last;
  const log = ends ? Buffer.concat([entry.log, Buffer.from('\n')]) : entry.log;
  const time = rfc3339Nano(entry.time_s, entry.time_ns);
  const behind = attrs === '' ? '' : `"attrs":${attrs},`;
  return Buffer.from(
    `{"log":"${jsonText(log)}","stream":"${entry.source}",${behind}"time":"${time}"}\n`,
  );
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
};

/** jsonlogbytes.go: what is no UTF-8 becomes `\ufffd`, byte by byte. */
function jsonText(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const size = runeBytes(bytes, at);
    text += size === 0 ? '\\ufffd' : escaped(bytes.toString('utf8', at, at + size));
    at += Math.max(1, size);
  }
  return text;
}

function escaped(rune: string): string {
  const short = SHORT_ESCAPES[rune];
  if (short !== undefined) return short;
  if (rune >= ' ' && !'<>&\u2028\u2029'.includes(rune)) return rune;
  return `\\u${rune.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How many bytes the character at `at` has; 0: it is no UTF-8. */
function runeBytes(bytes: Buffer, at: number): number {
  if ((bytes[at] ?? 0) < 0x80) return 1;
  for (const size of [2, 3, 4]) {
    const rune = bytes.subarray(at, at + size);
    const text = rune.toString('utf8');
    if (Array.from(text).length === 1 && Buffer.from(text).equals(rune)) return size;
  }
  return 0;
}

/** What dockerd's json-file keeps of a log. */
export function keptByJson(log: Buffer): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at < log.length; ) {
    const size = runeBytes(log, at);
    kept.push(size === 0 ? Buffer.from('\ufffd') : log.subarray(at, at + size));
    at += Math.max(1, size);
  }
  return Buffer.concat(kept);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, value);
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}

const field = (key: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.of(key), varint(BigInt(bytes.length)), bytes]);

/** A frame of `local`; zero values are left out. */
export function localFrame(
  entry: Entry,
  attributes: Readonly<Record<string, string>> = {},
): Buffer {
  const time = BigInt(entry.time_s) * 1_000_000_000n + BigInt(entry.time_ns);
  const fields = [field(0x0a, Buffer.from(entry.source)), Buffer.of(0x10), varint(time)];
  if (entry.log.length > 0) fields.push(field(0x1a, entry.log));
  if (entry.partial !== undefined) {
    const { id, ordinal, last } = entry.partial;
    const metadata = [field(0x12, Buffer.from(id)), Buffer.of(0x18), varint(BigInt(ordinal))];
    if (last) metadata.unshift(Buffer.of(0x08, 1));
    fields.push(Buffer.of(0x20, 1), field(0x2a, Buffer.concat(metadata)));
  }
  for (const [key, value] of Object.entries(attributes)) {
    const pair = [field(0x0a, Buffer.from(key)), field(0x12, Buffer.from(value))];
    fields.push(field(0x32, Buffer.concat(pair)));
  }
  const message = Buffer.concat(fields);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message, length]);
}

export interface DriverOptions {
  readonly container_id: string;
  readonly container_name?: string;
  readonly sub_second?: boolean;
  readonly extra?: Readonly<Record<string, string>>;
  /** The order of the record's keys, which Go leaves to chance. */
  readonly order?: (keys: string[]) => string[];
}

/** `time record` of the driver's message: the body of a Frame in Message mode. */
export function driverBody(entry: Entry, options: DriverOptions): Buffer {
  const fields: Record<string, string | Buffer> = {
    container_id: options.container_id,
    container_name: options.container_name ?? '/app',
    source: entry.source,
    log: entry.log,
    ...options.extra,
  };
  if (entry.partial !== undefined) {
    fields['partial_message'] = 'true';
    fields['partial_id'] = entry.partial.id;
    fields['partial_ordinal'] = String(entry.partial.ordinal);
    fields['partial_last'] = String(entry.partial.last);
  }
  const keys = (options.order ?? ((all) => all))(Object.keys(fields));
  const pairs = keys.flatMap((key) => [str(key), str(fields[key] ?? '')]);
  return Buffer.concat([driverTime(entry, options.sub_second), mapHeader(keys.length), ...pairs]);
}

function driverTime({ time_s, time_ns }: Entry, sub_second = false): Buffer {
  const time = Buffer.alloc(sub_second ? 10 : 5);
  time[0] = sub_second ? 0xd7 : 0xd2;
  time.writeUInt32BE(time_s, sub_second ? 2 : 1);
  if (sub_second) time.writeUInt32BE(time_ns, 6);
  return time;
}
