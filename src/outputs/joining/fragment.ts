/**
 * Fragments of long lines, as Docker's fluentd driver sends them and logboom's own log-file
 * inputs make them (formats.md 3.4). An event is a fragment if its record has
 *
 *     partial_message "true" · partial_id · partial_ordinal "1", "2" ... · partial_last "true" | "false" · log
 *
 * as str or bin. What lacks one of these is an event like any other.
 *
 * `buf[i] as number` stands for reads inside an entry that was walked before.
 */
import { EntryParts, readEntry } from '../../protocol/entries.ts';
import {
  equalsAscii,
  headerBytes,
  INCOMPLETE,
  isBytes,
  lengthAt,
  skipItems,
} from '../../protocol/msgpack.ts';
import { mapHeader, str, strHeader } from '../../protocol/msgpack-write.ts';

/** Its buffers are views of the body that it was found in. */
export interface Fragment {
  /** The same for all fragments of a line, and for no other: container, source and partial id. */
  readonly line: string;
  /** From 1. */
  readonly ordinal: number;
  readonly is_last: boolean;
  readonly log: Buffer;
  readonly entry: Buffer;
  /** Where the record begins in `entry`. */
  readonly record_offset: number;
  /** Index of the event in the body. */
  readonly event: number;
  /** Where the entry begins in the body. */
  readonly offset: number;
}

/** What stands in every body that has a fragment. */
const MARK = Buffer.from('partial_message');

const LEVELS_MAX = 512;
const ORDINAL_MAX_DIGITS = 9;

/** Without a fragment in it, a body costs one search for a few bytes. */
export const mayHaveFragments = (body: Buffer): boolean => body.includes(MARK);

/** The fragments among the entries of a body, in order. */
export function* fragmentsIn(body: Buffer): Generator<Fragment> {
  const parts = new EntryParts();
  let next: number;
  for (let at = 0, event = 0; at < body.length; at = next, event += 1) {
    next = readEntry(body, at, body.length, LEVELS_MAX, parts);
    if (next === INCOMPLETE) return;
    if (!parts.valid) continue;
    const fragment = fragmentOf(body.subarray(at, next), parts.record_start - at, event, at);
    if (fragment !== undefined) yield fragment;
  }
}

/**
 * One entry of several fragments: the first one's, with the logs of all. A whole line has no
 * `partial_` fields left. A part of one keeps those of its first fragment, with `partial_last` of
 * its last: it looks like one large fragment, and whoever joins further can.
 */
export function joinedEntry(
  first: { readonly entry: Buffer; readonly record_offset: number },
  logs: readonly Buffer[],
  form: 'whole' | { readonly is_last: boolean },
): Buffer {
  const { entry, record_offset } = first;
  if (form !== 'whole' && logs.length === 1) return entry;
  const pairs = pairsOf(entry, record_offset).filter(
    ({ name }) => form !== 'whole' || name === undefined || !PARTIAL_NAMES.has(name),
  );
  const out: Buffer[] = [entry.subarray(0, record_offset), mapHeader(pairs.length)];
  for (const { name, key_start, value_start, value_end } of pairs) {
    out.push(entry.subarray(key_start, value_start));
    if (name === 'log') {
      out.push(strHeader(logs.reduce((sum, log) => sum + log.length, 0)), ...logs);
    } else if (name === 'partial_last' && form !== 'whole') {
      out.push(str(String(form.is_last)));
    } else {
      out.push(entry.subarray(value_start, value_end));
    }
  }
  return Buffer.concat(out);
}

const NAMES = [
  'log',
  'container_id',
  'source',
  'partial_message',
  'partial_id',
  'partial_ordinal',
  'partial_last',
] as const;
type Name = (typeof NAMES)[number];
const PARTIAL_NAMES: ReadonlySet<Name> = new Set(
  NAMES.filter((name) => name.startsWith('partial_')),
);

interface Pair {
  /** Undefined for a key that means nothing here. */
  readonly name: Name | undefined;
  readonly key_start: number;
  readonly value_start: number;
  readonly value_end: number;
}

function fragmentOf(
  entry: Buffer,
  record_offset: number,
  event: number,
  offset: number,
): Fragment | undefined {
  const values = new Map<Name, Buffer>();
  for (const { name, value_start, value_end } of pairsOf(entry, record_offset)) {
    const lead = entry[value_start] as number;
    if (name === undefined || !isBytes(lead)) continue;
    values.set(name, entry.subarray(value_start + headerBytes(lead), value_end));
  }
  const text = (name: Name): string => values.get(name)?.toString('latin1') ?? '';
  const log = values.get('log');
  const id = text('partial_id');
  const ordinal = ordinalOf(text('partial_ordinal'));
  const last = text('partial_last');
  const is_marked = text('partial_message') === 'true' && (last === 'true' || last === 'false');
  if (!is_marked || id === '' || ordinal === 0 || log === undefined) return undefined;
  const line = `${text('container_id')}\0${text('source')}\0${id}`;
  return { line, ordinal, is_last: last === 'true', log, entry, record_offset, event, offset };
}

function pairsOf(buf: Buffer, record_start: number): Pair[] {
  const pairs: Pair[] = [];
  let at = record_start + headerBytes(buf[record_start] as number);
  for (let left = lengthAt(buf, record_start); left > 0; left -= 1) {
    const value_start = skipItems(buf, at, buf.length, 1, LEVELS_MAX);
    const value_end = skipItems(buf, value_start, buf.length, 1, LEVELS_MAX);
    pairs.push({ name: nameAt(buf, at, value_start), key_start: at, value_start, value_end });
    at = value_end;
  }
  return pairs;
}

function nameAt(buf: Buffer, start: number, end: number): Name | undefined {
  const lead = buf[start] as number;
  if (!isBytes(lead)) return undefined;
  const text_start = start + headerBytes(lead);
  return NAMES.find(
    (name) => name.length === end - text_start && equalsAscii(buf, text_start, name),
  );
}

/** 0 for what is no ordinal. */
function ordinalOf(text: string): number {
  return text.length <= ORDINAL_MAX_DIGITS && /^\d+$/.test(text) ? Number(text) : 0;
}
