/** A disk that is full when logboom starts: everything waits, nothing refuses to begin. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { nodeFs } from '../../src/sys/fs.ts';
import { FaultFs, systemError } from '../support/fault-fs.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import { appendEvents, committed, idsOf, readAll } from '../support/journal-events.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

let dir: TempDir;
let log: RecordingLog;
const opened: Journal[] = [];

beforeEach(async () => {
  dir = await tempDir('full-at-start');
  log = new RecordingLog();
});
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close();
  await dir.remove();
});

async function open(fs = nodeFs): Promise<Journal> {
  const journal = await Journal.open({ directory: dir.path, fs, log });
  opened.push(journal);
  return journal;
}

describe('a new output on a full disk', () => {
  it('has its cursor, which is durable once there is room', async () => {
    const fs = new FaultyFs();
    fs.disk_bytes = 2048;
    const journal = await open(fs);
    const cursor = await journal.cursor('out', { start: 'oldest' });
    expect(log.said('warn').join('\n')).toContain('place of this output');
    appendEvents(journal, 't', [1], { filler_bytes: 4000 });
    const durable = committed(journal);
    await until('the journal says so', () => journal.state === 'disk_full');
    await expect(cursor.save(1, Buffer.from('plan'))).rejects.toMatchObject({
      code: 'LB_JOURNAL_IO',
    });
    fs.healAll();
    await durable;
    await cursor.save(2, Buffer.from('plan'));
    await journal.close();
    const again = await open();
    const found = await again.cursor('out', { start: 'newest' });
    expect([found.seq, found.window.toString()]).toEqual([2, 'plan']);
  });

  it('has a small cursor file where that is all there is room for, and a larger one for a larger window', async () => {
    const fs = new FaultyFs();
    fs.disk_bytes = 200_000;
    const journal = await open(fs);
    const cursor = await journal.cursor('out', { start: 'oldest' });
    await cursor.save(1, Buffer.from('plan'));
    fs.healAll();
    await cursor.save(1, Buffer.alloc(100_000, 'p'));
    await journal.close();
    const found = await (await open()).cursor('out', { start: 'newest' });
    expect(found.window.length).toBe(100_000);
  });
});

describe('a journal whose folders are gone from a full disk', () => {
  it('opens beside a segment that nothing can be read of, and leaves it where it is', async () => {
    const before = await open();
    appendEvents(before, 't', [1, 2, 3]);
    await committed(before);
    await before.close();
    const segments = (await readdir(dir.path)).filter((name) => name.endsWith('.seg'));
    const foreign = segments[0]?.replace(/\d(?=\.seg$)/, '0') ?? '';
    await writeFile(join(dir.path, foreign), 'nothing that a segment begins with');
    const fs = new FaultyFs();
    fs.fail({ operation: 'rename', path: /\.seg$/, code: 'ENOSPC' });
    const journal = await open(fs);
    expect(log.said('error').join('\n')).toContain('left out, and not moved aside');
    expect((await readAll(journal)).flatMap(idsOf)).toEqual([1, 2, 3]);
    expect(await readdir(dir.path)).toContain(foreign);
  });

  it('opens, reads, and makes them when there is room', async () => {
    const before = await open();
    appendEvents(before, 't', [1, 2, 3]);
    await committed(before);
    await before.close();
    for (const name of ['cursors', 'quarantine', 'spool']) {
      await rm(join(dir.path, name), { recursive: true, force: true });
    }
    const fs = new FaultFs();
    fs.fault = ({ operation, path }) =>
      operation === 'mkdir' && path !== dir.path ? systemError('ENOSPC') : undefined;
    const journal = await open(fs);
    const cursor = await journal.cursor('out', { start: 'oldest' });
    expect((await readAll(journal)).flatMap(idsOf)).toEqual([1, 2, 3]);
    await expect(cursor.save(1, Buffer.from('plan'))).rejects.toThrow('ENOSPC');
    fs.fault = () => undefined;
    await cursor.save(2, Buffer.from('plan'));
    await journal.close();
    expect((await (await open()).cursor('out', { start: 'newest' })).seq).toBe(2);
  });
});
