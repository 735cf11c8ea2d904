/**
 * A cursor whose fsync failed may be in its file all the same: a process that is killed then
 * leaves it for the next to find.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Journal } from '../../../src/journal/journal.ts';
import { fileOutput } from '../../../src/outputs/file/file-output.ts';
import type { Output } from '../../../src/outputs/output.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { type FileSystem, nodeFs } from '../../../src/sys/fs.ts';
import { silentLog } from '../../../src/sys/log.ts';
import { numbered } from '../../support/entries.ts';
import { FaultFs, systemError } from '../../support/fault-fs.ts';
import { fileOptions } from '../../support/file-output-options.ts';
import { addEvents, committed } from '../../support/journal-events.ts';
import { journalSource } from '../../support/journal-source.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

const EVENTS = 40;

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('failed-cursor');
});
afterEach(async () => {
  await dir.remove();
});

const openJournal = (path: string, fs: FileSystem): Promise<Journal> =>
  Journal.open({ directory: join(path, 'journal'), fs, log: silentLog });

async function append(journal: Journal, from: number): Promise<void> {
  addEvents(journal, 'app', numbered(from, EVENTS), { count: EVENTS });
  await committed(journal);
}

async function startOutput(
  journal: Journal,
  path: string,
  { fs, rotates }: { fs: FileSystem; rotates: boolean },
): Promise<Output> {
  const options = fileOptions(join(path, 'out', 'events.ndjson'), {
    rotate_max_bytes: rotates ? 1 : undefined,
    rotate_keep_max: 10,
  });
  const source = await journalSource(journal, 'archive');
  const output = fileOutput(options, source, { clock: systemClock, log: silentLog, fs });
  await output.start();
  return output;
}

const isDelivered = (journal: Journal): boolean => journal.cursors()[0]?.events_behind === 0;

/** Of all files, in ascending order: what is lost or doubled shows. */
async function numbers(path: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir(join(path, 'out'))) {
    const lines = (await readFile(join(path, 'out', name), 'utf8')).split('\n').slice(0, -1);
    for (const line of lines) found.push((JSON.parse(line) as { record: { n: number } }).record.n);
  }
  return found.toSorted((a, b) => a - b);
}

const isCursorSync = ({ operation, path }: { operation: string; path: string }): boolean =>
  operation === 'datasync' && path.includes('.cursor');

interface Faults {
  /** The first cursor fsync that fails, counted from 1. */
  readonly failing: number;
  /** How many more fail behind it. */
  readonly others: number;
  /** Each delivery begins a file, and so notes it first. */
  readonly rotates: boolean;
}

/**
 * Delivers events, then more with a disk on which the cursor fsync numbered `failing` from
 * there fails, and so do the next `others`; killed `calls` calls to the file system after the
 * first. Returns what the file has once the next process is done; undefined: nothing was left to kill.
 */
async function killedAfter(
  calls: number,
  { failing, others, rotates }: Faults,
): Promise<number[] | undefined> {
  const path = join(dir.path, `${rotates}-${failing}-${others}-${calls}`);
  const fs = new FaultFs();
  const journal = await openJournal(path, fs);
  await append(journal, 0);
  const output = await startOutput(journal, path, { fs, rotates });
  await until('the first are delivered', () => isDelivered(journal));
  let syncs = 0;
  fs.fault = (call) => {
    if (!isCursorSync(call)) return undefined;
    syncs++;
    if (syncs < failing || syncs > failing + others) return undefined;
    if (syncs === failing) fs.killAt(fs.calls.length + calls);
    return systemError('EIO');
  };
  await append(journal, EVENTS);
  await until('killed or done', () => fs.killed || isDelivered(journal), { interval_ms: 1 });
  const was_killed = fs.killed;
  await output.stop(0);
  await journal.close().catch(() => {});
  if (!was_killed) return undefined;

  const next = await openJournal(path, nodeFs);
  const rest = await startOutput(next, path, { fs: nodeFs, rotates });
  await until('the next process is done', () => isDelivered(next));
  await rest.stop(1000);
  await next.close();
  return numbers(path);
}

describe('a file output that is killed after its cursor could not be made durable', () => {
  test.each<[string, Faults]>([
    ['once', { failing: 1, others: 0, rotates: false }],
    ['twice', { failing: 1, others: 1, rotates: false }],
    ['again and again', { failing: 1, others: 4, rotates: false }],
    ['once, at the note of a new file', { failing: 1, others: 0, rotates: true }],
    ['once, behind a new file', { failing: 2, others: 0, rotates: true }],
  ])('loses and doubles nothing, wherever it is killed: %s', async (_name, faults) => {
    const all = Array.from({ length: 2 * EVENTS }, (_, n) => n);
    let killed = 0;
    for (let calls = 0; calls < 30; calls++) {
      const found = await killedAfter(calls, faults);
      if (found === undefined) break;
      killed++;
      expect(found, `killed ${calls} calls behind the failure`).toEqual(all);
    }
    expect(killed).toBeGreaterThan(5);
  });
});
