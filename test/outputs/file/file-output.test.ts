import { mkdir, readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FileOutputOptions, fileOutput } from '../../../src/outputs/file/file-output.ts';
import type { Output } from '../../../src/outputs/output.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { nodeFs } from '../../../src/sys/fs.ts';
import { silentLog } from '../../../src/sys/log.ts';
import { numbered } from '../../support/entries.ts';
import { FaultFs, systemError } from '../../support/fault-fs.ts';
import { fileOptions } from '../../support/file-output-options.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordSource } from '../../support/record-source.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

let dir: TempDir;
let journal: RecordSource;
let outputs: Output[];

beforeEach(async () => {
  dir = await tempDir('file-output');
  journal = new RecordSource();
  outputs = [];
});

afterEach(async () => {
  for (const output of outputs) await output.stop(0);
  await dir.remove();
});

const at = (...names: string[]): string => join(dir.path, ...names);

async function begin(
  options: Partial<FileOutputOptions> = {},
  { fs = nodeFs, clock = systemClock, matches = (_tag: Buffer): boolean => true } = {},
): Promise<Output> {
  const output = fileOutput(fileOptions(at('events.ndjson'), options), journal.source(matches), {
    clock,
    log: silentLog,
    fs,
  });
  await output.start();
  outputs.push(output);
  return output;
}

const drained = (): Promise<unknown> => until('the output has caught up', () => journal.drained);

/** The numbers in all files of the folder, in the order of file and line, and that every line is whole. */
async function numbers(folder = dir.path): Promise<number[]> {
  const found: number[] = [];
  for (const name of (await readdir(folder)).toSorted(rotatedFirst)) {
    const bytes = await readFile(join(folder, name));
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    expect(text === '' || text.endsWith('\n')).toBe(true);
    for (const line of text.split('\n').slice(0, -1)) {
      found.push((JSON.parse(line) as { record: { n: number } }).record.n);
    }
  }
  return found;
}

const rotatedFirst = (a: string, b: string): number =>
  Number(b.includes('@')) - Number(a.includes('@')) || (a < b ? -1 : 1);

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Appends records of ten events each, numbered on. */
function appendTens(from: number, to: number, tag = 'app'): void {
  for (let n = from; n < to; n += 10) journal.append({ tag, body: numbered(n, 10), count: 10 });
}

describe('one file', () => {
  test('takes every event in order, and the counters say so', async () => {
    const output = await begin();
    appendTens(0, 200);
    await drained();
    appendTens(200, 300);
    await drained();
    expect(await numbers()).toEqual(range(300));
    expect(output.stats()).toMatchObject({
      state: 'running',
      events_out: 300,
      bytes_out: (await stat(at('events.ndjson'))).size,
      retries: 0,
      cursor_seq: 31,
      cursor_events: 300,
    });
  });

  test('is made with its folder and the mode that is asked for', async () => {
    await begin({ path: at('a', 'b', 'events.ndjson'), mode: 0o600 });
    appendTens(0, 10);
    await drained();
    expect((await stat(at('a', 'b', 'events.ndjson'))).mode & 0o777).toBe(0o600);
  });

  test('gets only tags that match; the cursor moves over the others', async () => {
    await begin({}, { matches: (tag) => tag.toString() === 'app' });
    appendTens(0, 20);
    appendTens(1000, 1020, 'other');
    await drained();
    expect(await numbers()).toEqual(range(20));
    appendTens(1020, 1030, 'other');
    await drained();
    expect(await numbers()).toEqual(range(20));
  });

  test('is continued after a stop, also behind what somebody else left unfinished', async () => {
    const first = await begin();
    appendTens(0, 50);
    await drained();
    await first.stop(1000);
    appendTens(50, 100);
    await begin();
    await drained();
    expect(await numbers()).toEqual(range(100));
  });

  test('of somebody else, cut off within a line, is appended to from a new line on', async () => {
    await writeFile(at('events.ndjson'), '{"record":{"n":-1}}');
    await begin();
    appendTens(0, 10);
    await drained();
    expect(await numbers()).toEqual([-1, ...range(10)]);
  });

  test('events are durable before the cursor moves', async () => {
    const fs = new FaultFs();
    const order: string[] = [];
    fs.fault = ({ operation }) => {
      if (operation === 'writev' || operation === 'datasync') order.push(operation);
      return undefined;
    };
    journal.beforeSave = (seq) => {
      order.push(`cursor ${seq}`);
    };
    await begin({}, { fs });
    appendTens(0, 10);
    await drained();
    expect(order).toEqual(['cursor 1', 'writev', 'datasync', 'cursor 2']);
  });
});

describe('faults', () => {
  test('short writes are gone on with', async () => {
    const fs = new FaultFs();
    fs.fault = ({ operation }) => (operation === 'writev' ? { write_max_bytes: 7 } : undefined);
    await begin({}, { fs });
    appendTens(0, 20);
    await drained();
    expect(await numbers()).toEqual(range(20));
  });

  test('a full disk holds the output up, is counted and named, and loses and doubles nothing', async () => {
    const fs = new FaultFs();
    let writes = 0;
    let full = true;
    // Every other write fails, the others are torn: so each attempt leaves something behind.
    fs.fault = ({ operation }) => {
      if (!full || operation !== 'writev') return undefined;
      writes += 1;
      return writes % 2 === 0 ? systemError('ENOSPC') : { write_max_bytes: 100 };
    };
    const output = await begin({}, { fs });
    appendTens(0, 100);
    await until('five attempts', () => output.stats().retries >= 5);
    expect(output.stats()).toMatchObject({ state: 'retrying', events_out: 0, cursor_seq: 1 });
    expect(output.stats().last_error).toContain('ENOSPC');
    expect(output.stats().last_error).toContain('Make room on the disk');
    full = false;
    await drained();
    expect(await numbers()).toEqual(range(100));
    expect(output.stats().state).toBe('running');
  });

  test.each(['datasync', 'open', 'mkdir', 'syncDirectory', 'stat'] as const)(
    'a %s that fails is made good by the next attempt',
    async (operation) => {
      const fs = new FaultFs();
      let failures = 3;
      fs.fault = (call) => {
        if (call.operation !== operation || failures === 0) return undefined;
        failures -= 1;
        return systemError('EIO');
      };
      await begin({}, { fs });
      appendTens(0, 30);
      await drained();
      appendTens(30, 60);
      await drained();
      expect(await numbers()).toEqual(range(60));
      // A stat of the path that fails only has the file opened anew.
      expect(failures).toBeLessThan(3);
    },
  );

  test('a cursor that cannot be saved leaves each event in the file once', async () => {
    let failures = 4;
    journal.beforeSave = () => {
      if (failures-- > 0) throw systemError('EIO');
    };
    await begin();
    appendTens(0, 50);
    await drained();
    expect(await numbers()).toEqual(range(50));
  });

  test('events that the journal gave up while the disk was full are not written any more', async () => {
    const fs = new FaultFs();
    let full = true;
    fs.fault = ({ operation }) =>
      full && operation === 'datasync' ? systemError('ENOSPC') : undefined;
    const output = await begin({}, { fs });
    appendTens(0, 50);
    await until('an attempt', () => output.stats().retries > 0);
    journal.moveCursor(3);
    const { retries } = output.stats();
    await until(
      'an attempt that began behind the move',
      () => output.stats().retries > retries + 1,
    );
    full = false;
    await drained();
    expect(await numbers()).toEqual(range(50).slice(20));
  });

  test('a stop ends the attempts; the next start delivers', async () => {
    const fs = new FaultFs();
    fs.fault = ({ operation }) => (operation === 'writev' ? systemError('ENOSPC') : undefined);
    const output = await begin({ retry_max_ms: 60_000, retry_min_ms: 60_000 }, { fs });
    appendTens(0, 50);
    await until('an attempt', () => output.stats().retries > 0);
    await output.stop(10_000);
    expect(output.stats().state).toBe('stopped');
    await begin();
    await drained();
    expect(await numbers()).toEqual(range(50));
  });

  test('a window that another type of output wrote is an error that says what to do', async () => {
    journal.saved.window = Buffer.from([1, 2, 3]);
    const output = await begin();
    appendTens(0, 10);
    await until('an attempt', () => output.stats().retries > 0);
    expect(output.stats().last_error).toContain('no file output wrote');
  });
});

describe('killed at any call to the file system or the cursor', () => {
  async function runKilledAt(
    call_number: number,
    options: Partial<FileOutputOptions>,
  ): Promise<boolean> {
    const fs = new FaultFs();
    fs.killAt(call_number);
    journal.beforeSave = () => {
      fs.step('rename', 'cursor');
    };
    const output = await begin(options, { fs });
    appendTens(0, 40);
    await until('killed or done', () => fs.killed || journal.drained, { interval_ms: 1 });
    if (!fs.killed) {
      appendTens(40, 80);
      await until('killed or done', () => fs.killed || journal.drained, { interval_ms: 1 });
    }
    await output.stop(1000);
    if (!fs.killed) return false;
    journal.beforeSave = () => {};
    if (journal.records.length === 4) appendTens(40, 80);
    const next = await begin(options);
    await drained();
    await next.stop(1000);
    return true;
  }

  test.each<[string, Partial<FileOutputOptions>]>([
    ['one file', {}],
    ['rotation at each delivery', { rotate_max_bytes: 1 }],
    ['rotation and compression', { rotate_max_bytes: 1, compress: 'gzip' }],
  ])(
    'each event is there once, in order: %s',
    async (_name, options) => {
      for (let call_number = 1; ; call_number += 1) {
        const folder = at(String(call_number));
        journal = new RecordSource();
        const killed = await runKilledAt(call_number, {
          ...options,
          path: join(folder, 'e.ndjson'),
        });
        await waitForHousekeeping(folder);
        expect([call_number, await numbers(folder)]).toEqual([call_number, range(80)]);
        if (!killed) break;
      }
    },
    120_000,
  );

  /** What a killed process had not compressed yet may still be there as `.gz.tmp`, which is nobody's event. */
  async function waitForHousekeeping(folder: string): Promise<void> {
    for (const name of await readdir(folder)) {
      if (name.endsWith('.tmp')) await nodeFs.unlink(join(folder, name));
    }
    const names = await readdir(folder);
    for (const name of names) {
      if (names.includes(`${name}.gz`)) await nodeFs.unlink(join(folder, name));
    }
  }
});

describe('others who touch the file', () => {
  test('a file that logrotate moves away is written no more, and a new one begun', async () => {
    await begin();
    appendTens(0, 20);
    await drained();
    await rename(at('events.ndjson'), at('events@old'));
    appendTens(20, 40);
    await drained();
    expect(await numbers()).toEqual(range(40));
    expect((await readFile(at('events@old'), 'utf8')).trimEnd().split('\n')).toHaveLength(20);
  });

  test('a file that is truncated is gone on with, without a hole', async () => {
    await begin();
    appendTens(0, 20);
    await drained();
    await truncate(at('events.ndjson'), 0);
    appendTens(20, 40);
    await drained();
    expect(await numbers()).toEqual(range(40).slice(20));
  });

  test('a file that took another one’s place while we were down is not cut', async () => {
    const first = await begin();
    appendTens(0, 20);
    await drained();
    await first.stop(1000);
    await rename(at('events.ndjson'), at('events@old'));
    const foreign = `{"record":{"n":100},"padding":"${'x'.repeat(10_000)}"}\n`;
    await writeFile(at('events.ndjson'), foreign);
    appendTens(20, 30);
    await begin();
    await drained();
    expect(await numbers()).toEqual([...range(20), 100, ...range(30).slice(20)]);
  });
});

describe('rotation', () => {
  const rotated = async (): Promise<string[]> =>
    (await readdir(dir.path)).filter((name) => name.includes('@')).toSorted();

  test('begins a new file at the size, and compresses the old one', async () => {
    await begin({ rotate_max_bytes: 1, compress: 'gzip' });
    for (const n of [0, 10, 20, 30]) {
      appendTens(n, n + 10);
      await drained();
    }
    await until('all rotated files are compressed', async () => {
      const names = await rotated();
      return names.length === 3 && names.every((name) => name.endsWith('.ndjson.gz'));
    });
    expect(await numbers()).toEqual(range(40));
  });

  test('begins a new file at the age, also across a restart', async () => {
    const clock = new ManualClock();
    const first = await begin({ rotate_every_ms: 60_000 }, { clock });
    appendTens(0, 10);
    await drained();
    clock.advance(40_000);
    await first.stop(1000);
    await begin({ rotate_every_ms: 60_000 }, { clock });
    appendTens(10, 20);
    await drained();
    expect(await rotated()).toHaveLength(0);
    clock.advance(20_000);
    appendTens(20, 30);
    await drained();
    expect(await rotated()).toHaveLength(1);
    expect(await numbers()).toEqual(range(30));
  });

  test('keeps so many files and removes the oldest', async () => {
    await begin({ rotate_max_bytes: 1, rotate_keep_max: 2 });
    for (let n = 0; n < 60; n += 10) {
      appendTens(n, n + 10);
      await drained();
    }
    await until('two are left', async () => (await rotated()).length === 2);
    expect(await numbers()).toEqual(range(60).slice(30));
  });

  test('what a killed process left half compressed is tidied at the next start', async () => {
    const plain = 'events@20261123T100000Z-000001.ndjson';
    const both = 'events@20261123T100000Z-000002.ndjson';
    await writeFile(at(plain), '{"record":{"n":-2}}\n');
    await writeFile(at(`${plain}.gz.tmp`), 'torn');
    await writeFile(at(both), '{"record":{"n":-1}}\n');
    await writeFile(at(`${both}.gz`), 'stands for the whole');
    await begin({ compress: 'gzip' });
    appendTens(0, 10);
    await drained();
    await until('only compressed ones are left', async () => {
      const names = await rotated();
      return names.length === 2 && names.every((name) => name.endsWith('.gz'));
    });
    expect(gunzipSync(await readFile(at(`${plain}.gz`))).toString()).toContain('-2');
    expect(await readFile(at(`${both}.gz`), 'utf8')).toBe('stands for the whole');
  });

  test('a compression that fails is counted and holds nothing up', async () => {
    const fs = new FaultFs();
    fs.fault = ({ operation, path }) =>
      operation === 'open' && path.endsWith('.tmp') ? systemError('ENOSPC') : undefined;
    const output = await begin({ rotate_max_bytes: 1, compress: 'gzip' }, { fs });
    for (let n = 0; n < 30; n += 10) {
      appendTens(n, n + 10);
      await drained();
    }
    await until('it is counted', () => Number(output.stats().details['housekeeping_failures']) > 0);
    expect(await numbers()).toEqual(range(30));
  });
});

describe('a file for each tag', () => {
  test('keeps no more files open than it may, and loses nothing', async () => {
    await mkdir(at('tags'));
    const output = await begin({ path: at('tags', '{tag}.ndjson'), files_open_max: 3 });
    const tags = range(10).map((i) => `tag/${i}`);
    for (let round = 0; round < 3; round += 1) {
      for (const tag of tags) journal.append({ tag, body: numbered(round, 1) });
    }
    await drained();
    expect(output.stats().details['files_open']).toBe(3);
    const names = await readdir(at('tags'));
    expect(names.toSorted()).toEqual(range(10).map((i) => `tag%2F${i}.ndjson`));
    expect((await numbers(at('tags'))).toSorted((a, b) => a - b)).toEqual(
      range(30).map((i) => Math.floor(i / 10)),
    );
  });

  test('is cut back for each of them after a failure', async () => {
    const fs = new FaultFs();
    let syncs = 0;
    fs.fault = ({ operation }) => {
      if (operation !== 'datasync') return undefined;
      syncs += 1;
      return syncs % 3 === 0 && syncs < 20 ? systemError('EIO') : undefined;
    };
    await begin({ path: at('{tag}.ndjson') }, { fs });
    for (let n = 0; n < 40; n += 1) journal.append({ tag: `t${n % 4}`, body: numbered(n, 1) });
    await drained();
    expect((await numbers()).toSorted((a, b) => a - b)).toEqual(range(40));
  });
});

test('an unknown placeholder is an error at once', async () => {
  await expect(begin({ path: at('{host}.log') })).rejects.toThrow('unknown placeholder {host}');
});
