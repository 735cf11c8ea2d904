import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { inspectLog } from '../../src/journal/inspect.ts';
import { Journal } from '../../src/journal/journal.ts';
import { CODEC } from '../../src/protocol/codec.ts';
import { entry, eventTime } from '../support/entries.ts';
import { committed } from '../support/journal-events.ts';

/** 2026-11-23T10:00:00Z: the time of event 0; each is a second later than the one before. */
export const BEGIN_S = 1_795_428_000;

/** Opens a journal whose segments hold a few commits each. */
export function openJournal(directory: string): Promise<Journal> {
  return Journal.open({ directory, segment_max_bytes: 2000 });
}

/** Appends `{n}` for each of `numbers`, as one commit. */
export async function append(
  journal: Journal,
  tag: string,
  numbers: readonly number[],
): Promise<void> {
  const tag_bytes = Buffer.from(tag);
  for (const n of numbers) {
    const bytes = entryOf(n);
    const builder = journal.builder(tag_bytes, 0, tag_bytes.length, CODEC.none, 0);
    const at = builder.reserve(bytes.length);
    bytes.copy(builder.buffer, at);
    builder.note(1, BEGIN_S + n, BEGIN_S + n);
  }
  await committed(journal);
}

/** The same as one gzip chunk, as a client sends it: without a time range of its own. */
export async function appendGzip(
  journal: Journal,
  tag: string,
  numbers: readonly number[],
): Promise<void> {
  const body = gzipSync(Buffer.concat(numbers.map(entryOf)));
  journal.appendBody(Buffer.from(tag), CODEC.gzip, 0, [body], numbers.length, 0, 0);
  await committed(journal);
}

const entryOf = (n: number): Buffer =>
  entry({ n, padding: 'x'.repeat(100) }, eventTime(BEGIN_S + n, 500_000_000));

/** Changes one byte in the body of the record `seq`. Returns where it stands. */
export async function damage(
  directory: string,
  seq: number,
): Promise<{ path: string; offset: number }> {
  for await (const item of inspectLog(directory)) {
    if (item.type !== 'record' || item.record.seq !== seq) continue;
    const { path, offset } = item;
    const bytes = await readFile(path);
    const at = offset + 80;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    return { path, offset };
  }
  throw new Error(`there is no record ${seq}`);
}

/** Adds bytes behind the last commit, as a write leaves them that was cut short. */
export async function tear(directory: string, segment: string): Promise<void> {
  const path = join(directory, segment);
  await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(100, 7)]));
}

/** The numbers in lines of NDJSON. */
export function numbersIn(ndjson: string): number[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { record: { n: number } }).record.n);
}

export function range(from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, i) => from + i);
}
