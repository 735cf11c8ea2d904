/** What the journal does when the disk fails under it. */
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Committer } from '../../src/journal/committer.ts';
import { CursorFile } from '../../src/journal/cursor-file.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { JournalOptions } from '../../src/journal/options.ts';
import type { LargeRecord } from '../../src/journal/types.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { FaultyFs, type Operation } from '../support/faulty-fs.ts';
import { appendEvents, committed, idsOf, largeRecord, readAll } from '../support/journal-events.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

let dir: TempDir;
let fs: FaultyFs;
let log: RecordingLog;
let opened: Journal[];

beforeEach(async () => {
  dir = await tempDir('faults');
  fs = new FaultyFs();
  log = new RecordingLog();
  opened = [];
});

afterEach(async () => {
  fs.healAll();
  for (const journal of opened) await journal.close();
  await dir.remove();
});

async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ directory: dir.path, fs, log, ...options });
  opened.push(journal);
  return journal;
}

async function readAfterReopening(journal: Journal): Promise<number[]> {
  await journal.close();
  const again = await open();
  const ids = (await readAll(again)).flatMap(idsOf);
  expect(again.totals()).toMatchObject({ quarantined: 0, cut: 0 });
  return ids;
}

describe('a write or fsync that fails', () => {
  const faults: readonly (readonly [string, Operation, string, 'io_error' | 'disk_full'])[] = [
    ['a write', 'writev', 'EIO', 'io_error'],
    ['an fsync', 'datasync', 'EIO', 'io_error'],
    ['a write for want of space', 'writev', 'ENOSPC', 'disk_full'],
    ['an fsync for want of quota', 'datasync', 'EDQUOT', 'disk_full'],
  ];
  for (const [what, operation, code, state] of faults) {
    it(`(${what}) shows as ${state}, and the commit is acked once it is durable elsewhere`, async () => {
      const journal = await open();
      appendEvents(journal, 't', [1]);
      await committed(journal);
      fs.fail({ operation, code, path: /\.seg/ });
      appendEvents(journal, 't', [2]);
      let acked = false;
      const done = committed(journal).finally(() => {
        acked = true;
      });
      await until('the state tells', () => journal.state === state);
      expect(journal.writable).toBe(false);
      let resumed = false;
      journal.onceWritable(() => {
        resumed = true;
      });
      appendEvents(journal, 't', [3]); // a little more is safe
      await until('several attempts have failed', () => (fs.calls.get(operation) ?? 0) > 6);
      expect(acked).toBe(false);
      expect(resumed).toBe(false);
      expect(journal.durable_seq).toBe(1);
      fs.healAll();
      await done;
      await committed(journal);
      expect(resumed).toBe(true);
      expect(journal.state).toBe('writable');
      expect((await readAll(journal)).flatMap(idsOf)).toEqual([1, 2, 3]);
      expect(await readAfterReopening(journal)).toEqual([1, 2, 3]);
      expect(log.said('warn').filter((line) => line.includes(state))).toHaveLength(1);
    });
  }

  it('never asks for the same fsync again: the commit goes to a new segment', async () => {
    const journal = await open();
    appendEvents(journal, 't', [1]);
    await committed(journal);
    fs.fail({ operation: 'datasync', code: 'EIO', path: /0001\.seg$/, times: 1 });
    appendEvents(journal, 't', [2]);
    await committed(journal);
    expect((await readdir(dir.path)).filter((name) => name.endsWith('.seg'))).toHaveLength(2);
    expect(await readAfterReopening(journal)).toEqual([1, 2]);
  });

  it('leaves no trace of the failed copy even if it cannot be cut off', async () => {
    const journal = await open();
    appendEvents(journal, 't', [1]);
    await committed(journal);
    fs.fail({ operation: 'datasync', code: 'EIO', path: /0001\.seg$/, times: 1 });
    fs.fail({ operation: 'truncate', code: 'EIO' });
    appendEvents(journal, 't', [2]);
    await committed(journal);
    appendEvents(journal, 't', [3]);
    await committed(journal);
    expect(await readAfterReopening(journal)).toEqual([1, 2, 3]);
  });

  it('does not matter if it is only short', async () => {
    const journal = await open();
    fs.write_max_bytes = 7;
    appendEvents(journal, 't', [1, 2, 3], { filler_bytes: 100 });
    await committed(journal);
    fs.write_max_bytes = Number.POSITIVE_INFINITY;
    expect(await readAfterReopening(journal)).toEqual([1, 2, 3]);
  });

  for (const operation of ['open', 'writev', 'datasync', 'rename', 'syncDirectory'] as const) {
    it(`(${operation}) while a segment is created is tried again`, async () => {
      const journal = await open({ segment_max_bytes: 500 });
      appendEvents(journal, 't', [1], { filler_bytes: 1000 });
      await committed(journal);
      fs.fail({
        operation,
        code: 'EIO',
        path: operation === 'syncDirectory' ? /./ : /\.seg\.new$/,
        times: 2,
      });
      appendEvents(journal, 't', [2]);
      await committed(journal);
      expect(await readAfterReopening(journal)).toEqual([1, 2]);
      expect((await readdir(dir.path)).filter((name) => name.endsWith('.new'))).toEqual([]);
    });
  }

  it('fails what is waiting once the journal is closed, and not before, and counts it', async () => {
    const ledger = new DropLedger();
    const journal = await open({ ledger });
    fs.fail({ operation: 'writev', code: 'EIO', path: /\.seg/ });
    appendEvents(journal, 't', [1]);
    const done = expect(committed(journal)).rejects.toMatchObject({ code: 'LB_JOURNAL_CLOSED' });
    await until('it has failed', () => journal.state === 'io_error');
    await journal.close();
    await done;
    expect(ledger.toJSON()).toEqual({ not_stored: { t: 1 } });
    fs.healAll();
    const again = await open();
    expect((await readAll(again)).flatMap(idsOf)).toEqual([]);
  });
});

describe('a large commit on a failing disk', () => {
  async function* many(count: number): AsyncGenerator<LargeRecord> {
    for (let id = 0; id < count; id++) yield largeRecord('l', [100 + id], 100_000);
  }

  for (const operation of ['writev', 'datasync'] as const) {
    it(`is rejected and leaves nothing (${operation}); what comes after it is not`, async () => {
      const journal = await open();
      appendEvents(journal, 't', [1]);
      await committed(journal);
      fs.fail({ operation, code: 'ENOSPC', path: /\.seg$/, after: 1, times: 1 });
      const large = expect(journal.appendLarge(many(30), [])).rejects.toMatchObject({
        code: 'LB_JOURNAL_IO',
      });
      appendEvents(journal, 't', [2]);
      await large;
      await committed(journal);
      expect(journal.state).toBe('writable');
      expect((await readAll(journal)).flatMap(idsOf)).toEqual([1, 2]);
      expect(await readAfterReopening(journal)).toEqual([1, 2]);
    });
  }

  it('is outdated by what comes after it if it cannot be cut off', async () => {
    const journal = await open();
    appendEvents(journal, 't', [1]);
    await committed(journal);
    // All of it is written, its header too; only the last fsync fails.
    fs.fail({ operation: 'datasync', code: 'EIO', path: /\.seg$/, after: 1, times: 1 });
    fs.fail({ operation: 'truncate', code: 'EIO' });
    await expect(journal.appendLarge(many(3), [])).rejects.toThrow('EIO');
    appendEvents(journal, 't', [2]);
    await committed(journal);
    expect(await readAfterReopening(journal)).toEqual([1, 2]);
  });

  it('is cut when the power fails before its trailer is durable, and whole when it fails after', async () => {
    for (const fsyncs of [0, 1]) {
      fs = new FaultyFs();
      const journal = await open();
      const before = (await readAll(journal)).flatMap(idsOf);
      // The first fsync covers the records and the trailer, the second the header.
      fs.fail({ operation: 'datasync', code: 'EIO', path: /\.seg$/, after: fsyncs });
      fs.fail({ operation: 'truncate', code: 'EIO' });
      await expect(journal.appendLarge(many(12), [])).rejects.toThrow();
      await fs.cutPower(0);
      await journal.close();
      fs = new FaultyFs();
      const again = await open();
      const after = (await readAll(again)).flatMap(idsOf);
      const whole = Array.from({ length: 12 }, (_, index) => 100 + index);
      expect(after).toEqual(fsyncs === 0 ? before : [...before, ...whole]);
      await again.close();
    }
  });
});

describe('a full disk', () => {
  it('is left as soon as there is room, by itself', async () => {
    const journal = await open();
    fs.disk_bytes = 3_000_000;
    const done: Promise<void>[] = [];
    for (let id = 0; journal.writable; id++) {
      appendEvents(journal, 't', [id], { filler_bytes: 50_000 });
      done.push(committed(journal));
      await Promise.race([done.at(-1), until('it is full', () => journal.state === 'disk_full')]);
    }
    fs.disk_bytes = 6_000_000;
    await Promise.all(done);
    expect(journal.state).toBe('writable');
    expect(await readAfterReopening(journal)).toEqual(done.map((_, index) => index));
  });

  it('that the last segment fills to the last byte is left when the cursors move on', async () => {
    const journal = await open();
    const cursor = await journal.cursor('out', { start: 'oldest' });
    for (let id = 0; id < 10; id++) {
      appendEvents(journal, 't', [id], { filler_bytes: 300_000 });
      await committed(journal);
    }
    fs.fillDisk();
    // More than the ballast takes: only the segment's own room can.
    appendEvents(journal, 't', [10], { filler_bytes: 2_000_000 });
    const done = committed(journal);
    await until('it is full', () => journal.state === 'disk_full');
    await cursor.save(11, Buffer.from('window'));
    await done;
    expect((await readAll(journal, { from_seq: cursor.seq })).flatMap(idsOf)).toEqual([10]);
    expect(await readdir(dir.path)).not.toContain('0000000000000001.seg');
  });

  it('does not keep the journal from opening, reading and freeing what it can', async () => {
    const before = await open();
    const cursor = await before.cursor('out', { start: 'oldest' });
    for (let id = 0; id < 10; id++) {
      appendEvents(before, 't', [id], { filler_bytes: 300_000 });
      await committed(before);
    }
    await before.close();
    fs.fillDisk();
    fs.disk_bytes -= 1024 * 1024; // somebody else has taken the room of the ballast, too
    const journal = await open();
    expect(log.said('warn').join()).toContain('the disk is full');
    appendEvents(journal, 't', [10], { filler_bytes: 300_000 });
    const done = committed(journal);
    await until('it has noticed', () => journal.state === 'disk_full');
    const reader = journal.reader(cursor.seq);
    const ids: number[] = [];
    while (ids.length < 10) {
      const records = await reader.read(1_000_000, AbortSignal.timeout(10_000));
      ids.push(...records.flatMap(idsOf));
    }
    reader.close();
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await (await journal.cursor('out', { start: 'oldest' })).save(11, Buffer.from('window'));
    fs.disk_bytes += 100_000; // just enough for a new segment: then the old one goes
    await done;
    expect(journal.writable).toBe(true);
  });

  it('with drop_oldest loses the oldest segments, counted, and takes on', async () => {
    const journal = await open({ on_full: 'drop_oldest', segment_max_bytes: 500_000 });
    const cursor = await journal.cursor('out', { start: 'oldest' });
    fs.disk_bytes = 3_500_000;
    const count = 200;
    for (let id = 0; id < count; id++) {
      appendEvents(journal, 't', [id], { filler_bytes: 40_000 });
      await committed(journal);
    }
    const records = await readAll(journal, { from_seq: cursor.seq });
    expect(records.flatMap(idsOf).at(-1)).toBe(count - 1);
    expect(cursor.at.events_before).toBeGreaterThan(0);
    expect(records).toHaveLength(count - cursor.at.events_before);
  });
});

describe('a directory that cannot be written', () => {
  it('is refused at open, and left unlocked', async () => {
    fs.fail({ operation: 'writev', code: 'EROFS', path: /\.seg\.new$/, times: 1 });
    await expect(open()).rejects.toMatchObject({
      code: 'LB_JOURNAL_IO',
      message: expect.stringContaining('EROFS') as unknown,
    });
    await open();
  });
});

describe('closing', () => {
  it('frees the directory also if the last commit or a cursor cannot be closed', async () => {
    for (const broken of [Committer.prototype, CursorFile.prototype]) {
      const journal = await open();
      await journal.cursor('out', { start: 'newest' });
      const close = vi.spyOn(broken, 'close').mockRejectedValueOnce(new Error('injected'));
      await expect(journal.close()).rejects.toThrow('injected');
      close.mockRestore();
      opened = [];
    }
    await expect(open()).resolves.toBeInstanceOf(Journal);
  });
});
