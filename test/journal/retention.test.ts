/** What happens to segments that are done with, and to those that are in the way. */
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import type { JournalOptions } from '../../src/journal/options.ts';
import type { JournalReader } from '../../src/journal/types.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { appendEvents, committed, idsOf, readAll } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

let dir: TempDir;
let ledger: DropLedger;
let opened: Journal[];

beforeEach(async () => {
  dir = await tempDir('retention');
  ledger = new DropLedger();
  opened = [];
});

afterEach(async () => {
  for (const journal of opened) await journal.close();
  await dir.remove();
});

async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ directory: dir.path, ledger, ...options });
  opened.push(journal);
  return journal;
}

const NO_WINDOW = Buffer.alloc(0);

/** A commit of `events` events of 1000 B in one record. */
async function append(journal: Journal, first_id: number, events = 1): Promise<void> {
  const ids = Array.from({ length: events }, (_, index) => first_id + index);
  appendEvents(journal, 't', ids, { filler_bytes: 992 });
  await committed(journal);
}

const segmentFiles = async (): Promise<string[]> =>
  (await readdir(dir.path)).filter((name) => name.endsWith('.seg')).toSorted();

describe('segments behind every cursor', () => {
  it('are deleted, the last one never, and state and numbers go on', async () => {
    const journal = await open({ segment_max_bytes: 5000 });
    const slow = await journal.cursor('slow', { start: 'oldest' });
    const fast = await journal.cursor('fast', { start: 'oldest' });
    for (let id = 0; id < 40; id++) await append(journal, id);
    const before = await segmentFiles();
    expect(before.length).toBeGreaterThan(5);
    await fast.save(journal.durable_seq + 1, NO_WINDOW);
    expect(await segmentFiles()).toEqual(before);
    await slow.save(20, NO_WINDOW);
    await until('some are deleted', async () => (await segmentFiles()).length < before.length);
    expect(journal.oldest_seq).toBeLessThanOrEqual(20);
    expect((await readAll(journal, { from_seq: 20 })).flatMap(idsOf)[0]).toBe(19);
    await slow.save(journal.durable_seq + 1, NO_WINDOW);
    await fast.save(journal.durable_seq + 1, NO_WINDOW);
    await until('one is left', async () => (await segmentFiles()).length === 1);
    await journal.close();
    const again = await open();
    expect(again.durable_seq).toBe(41);
    expect(again.totals()).toMatchObject({ events: 41 });
  });

  it('stay as long as there is no cursor at all, or one that nobody has asked for', async () => {
    const journal = await open({ segment_max_bytes: 2000 });
    for (let id = 0; id < 10; id++) await append(journal, id);
    const before = (await segmentFiles()).length;
    const dead = await journal.cursor('dead', { start: 'oldest' });
    await journal.close();
    const again = await open({ segment_max_bytes: 2000 });
    const live = await again.cursor('live', { start: 'oldest' });
    await live.save(again.durable_seq + 1, NO_WINDOW);
    expect((await segmentFiles()).length).toBeGreaterThanOrEqual(before);
    expect(again.cursors().map(({ name, seq }) => [name, seq])).toEqual([
      ['dead', dead.seq],
      ['live', 11],
    ]);
    await again.dropCursor('dead');
    await until('they are gone', async () => (await segmentFiles()).length === 1);
    expect(again.cursors()).toHaveLength(1);
  });
});

describe('a journal that only readers without a place look at', () => {
  const drain = async (reader: JournalReader, journal: Journal): Promise<number> => {
    let events = 0;
    while (reader.next_seq <= journal.durable_seq) {
      const records = await reader.read(10_000, AbortSignal.timeout(10_000));
      for (const record of records) events += record.count;
    }
    return events;
  };

  it('gives back what all of them have passed, and takes events for ever', async () => {
    const journal = await open({ segment_max_bytes: 5000, max_bytes: 300_000 });
    const fast = journal.reader(1, 'fast');
    const slow = journal.reader(1, 'slow');
    for (let id = 0; id < 60; id++) await append(journal, id);
    expect(await drain(fast, journal)).toBe(60);
    const before = (await segmentFiles()).length;
    expect(before).toBeGreaterThan(10);
    expect(await drain(slow, journal)).toBe(60);
    for (let id = 60; id < 70; id++) await append(journal, id);
    await until('segments are gone', async () => (await segmentFiles()).length < 5);
    expect(ledger.toJSON()).toEqual({});
  });

  it('never blocks at its size limit; what a reader was too slow for is counted, exactly', async () => {
    const options = { segment_max_bytes: 5000, max_bytes: 70_000, tail_max_bytes: 5000 };
    const journal = await open(options);
    const quick = journal.reader(1, 'quick');
    const stalled = journal.reader(1, 'stalled');
    let seen = 0;
    for (let id = 0; id < 200; id++) {
      await append(journal, id);
      seen += await drain(quick, journal);
      expect(journal.totals().disk_bytes).toBeLessThanOrEqual(70_000);
    }
    expect(seen).toBe(200);
    const late = await drain(stalled, journal);
    expect(late).toBeLessThan(100);
    expect(ledger.toJSON()).toEqual({ not_kept: { stalled: 200 - late } });
  });

  it('deletes behind a cursor without regard to them, and counts what they missed', async () => {
    const journal = await open({ segment_max_bytes: 5000, tail_max_bytes: 1000 });
    const cursor = await journal.cursor('out', { start: 'oldest' });
    const shown = journal.reader(1, 'shown');
    const own = journal.reader(1, 'out');
    for (let id = 0; id < 40; id++) await append(journal, id);
    await cursor.save(journal.durable_seq + 1, NO_WINDOW);
    await until('one is left', async () => (await segmentFiles()).length === 1);
    await append(journal, 40);
    const missed = 41 - (await drain(shown, journal));
    await drain(own, journal);
    expect(missed).toBeGreaterThan(30);
    expect(ledger.toJSON()).toEqual({ not_kept: { shown: missed } });
  });
});

describe('a cursor', () => {
  it('survives with its window, and starts where it is told only once', async () => {
    const journal = await open();
    await append(journal, 0);
    const cursor = await journal.cursor('out', { start: 'newest' });
    expect(cursor.seq).toBe(2);
    await append(journal, 1);
    await cursor.save(2, Buffer.from('sending 2'));
    await journal.close();
    const again = await open();
    const same = await again.cursor('out', { start: 'oldest' });
    expect([same.seq, same.window.toString()]).toEqual([2, 'sending 2']);
    expect(again.cursors()).toMatchObject([{ events_behind: 1, bytes_behind: 1000 }]);
  });

  it('never moves backwards, nor beyond the end', async () => {
    const journal = await open();
    await append(journal, 0);
    await append(journal, 1);
    const cursor = await journal.cursor('out', { start: 'oldest' });
    await cursor.save(3, NO_WINDOW);
    await cursor.save(2, Buffer.from('late'));
    expect([cursor.seq, cursor.window.length]).toEqual([3, 0]);
    await expect(cursor.save(4, NO_WINDOW)).rejects.toThrow(/beyond the end/);
  });

  it('knows exactly how many events lie behind it, also when they are only on disk', async () => {
    const options = { segment_max_bytes: 7000, tail_max_bytes: 1, read_chunk_bytes: 512 };
    const journal = await open(options);
    const cursor = await journal.cursor('out', { start: 'oldest' });
    for (let id = 0; id < 60; id += 3) await append(journal, id, 3);
    await journal.close();
    const again = await open(options);
    const found = await again.cursor('out', { start: 'oldest' });
    for (const seq of [1, 2, 5, 11, 20, 21]) {
      await found.save(seq, NO_WINDOW);
      expect(found.at).toEqual({
        seq,
        events_before: (seq - 1) * 3,
        bytes_before: (seq - 1) * 3000,
      });
    }
    expect(cursor.seq).toBe(1);
  });
});

describe('the size limit', () => {
  it('with block takes nothing until segments are freed, and then goes on', async () => {
    const journal = await open({ max_bytes: 300_000 });
    const cursor = await journal.cursor('out', { start: 'oldest' });
    const done: Promise<void>[] = [];
    for (let id = 0; journal.writable; id++) {
      appendEvents(journal, 't', [id], { filler_bytes: 9_992 });
      done.push(committed(journal));
      await Promise.race([done.at(-1), until('it blocks', () => journal.state === 'size_limit')]);
    }
    expect(journal.totals().disk_bytes).toBeLessThanOrEqual(300_000);
    let resumed = false;
    journal.onceWritable(() => {
      resumed = true;
    });
    // No matter how little is freed: the last segment, too, can be left behind.
    await cursor.save(journal.durable_seq + 1, NO_WINDOW);
    await Promise.all(done);
    expect(resumed).toBe(true);
    expect((await readAll(journal, { from_seq: cursor.seq })).flatMap(idsOf)).toEqual([
      done.length - 1,
    ]);
    expect(ledger.toJSON()).toEqual({});
  });

  it('lets a commit through that is larger than the limit, once it is alone', async () => {
    const journal = await open({ max_bytes: 70_000 });
    const cursor = await journal.cursor('out', { start: 'oldest' });
    for (const id of [0, 1]) {
      appendEvents(journal, 't', [id], { filler_bytes: 100_000 });
      const done = committed(journal);
      if (id === 1) {
        await until('it blocks', () => journal.state === 'size_limit');
        await cursor.save(2, NO_WINDOW);
      }
      await done;
    }
    const records = await journal.reader(2).read(1, AbortSignal.timeout(10_000));
    expect(records.flatMap(idsOf)).toEqual([1]);
  });

  it('with drop_oldest drops whole segments and counts for each output what it had not done, exactly', async () => {
    const journal = await open({ max_bytes: 400_000, on_full: 'drop_oldest' });
    const slow = await journal.cursor('slow', { start: 'oldest' });
    const half = await journal.cursor('half', { start: 'oldest' });
    const moves: [string, number, number][] = [];
    slow.onMoved((seq) => moves.push(['slow', seq, journal.oldest_seq]));
    half.onMoved((seq) => moves.push(['half', seq, journal.oldest_seq]));
    const count = 900;
    for (let id = 0; id < count; id += 3) {
      await append(journal, id, 3);
      if (id === 99) await half.save(20, Buffer.from('window'));
      expect(journal.totals().disk_bytes).toBeLessThanOrEqual(400_000);
    }
    const seen = (await readAll(journal, { from_seq: 1 })).flatMap(idsOf);
    const dropped = count - seen.length;
    expect(dropped).toBeGreaterThan(0);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => dropped + index));
    const done_by_half = 19 * 3;
    expect(ledger.toJSON()).toEqual({
      drop_oldest: { slow: dropped, half: dropped - done_by_half },
    });
    expect([slow.seq, half.seq, half.window.length]).toEqual([
      journal.oldest_seq,
      journal.oldest_seq,
      0,
    ]);
    // Each output heard of it before the segment was gone.
    expect(moves.length).toBeGreaterThan(1);
    for (const [, seq, oldest_seq] of moves) expect(seq).toBeGreaterThan(oldest_seq);
    expect(ledger.total('corrupt')).toBe(0);
  });

  it('with drop_oldest counts also what no output had asked for', async () => {
    const journal = await open({ max_bytes: 70_000, on_full: 'drop_oldest' });
    for (let id = 0; id < 200; id++) await append(journal, id);
    const left = (await readAll(journal)).length;
    expect(ledger.toJSON()).toEqual({ drop_oldest: { '(no output)': 200 - left } });
  });

  it('ignores a save that comes after the journal has moved the cursor', async () => {
    const journal = await open({ max_bytes: 70_000, on_full: 'drop_oldest' });
    const cursor = await journal.cursor('out', { start: 'oldest' });
    for (let id = 0; id < 200; id++) await append(journal, id);
    const { seq } = cursor;
    expect(seq).toBeGreaterThan(2);
    await cursor.save(2, Buffer.from('old window'));
    expect([cursor.seq, cursor.window.length]).toEqual([seq, 0]);
    await journal.close();
    const again = await open();
    expect((await again.cursor('out', { start: 'oldest' })).seq).toBe(seq);
  });
});

describe('max_lag', () => {
  it('tells of a move that is being written also who begins to listen meanwhile', async () => {
    const journal = await open();
    const cursor = await journal.cursor('out', { start: 'oldest' });
    cursor.limitLag(1500);
    for (let id = 0; id < 2; id++) await append(journal, id);
    const seen: number[] = [];
    // The next commit begins a move; its write takes a while.
    appendEvents(journal, 't', [2], { filler_bytes: 992 });
    await committed(journal);
    expect(cursor.is_skipping).toBe(true);
    cursor.onMoved((seq) => seen.push(seq));
    await until('the move is done', () => !cursor.is_skipping);
    expect(seen).toEqual([cursor.seq]);
  });

  it('moves only the cursor that has it, counted, never farther than needed', async () => {
    const journal = await open({ segment_max_bytes: 20_000 });
    const limited = await journal.cursor('limited', { start: 'oldest' });
    const patient = await journal.cursor('patient', { start: 'oldest' });
    limited.limitLag(30_000);
    let moved = 0;
    limited.onMoved(() => moved++);
    for (let id = 0; id < 100; id++) {
      await append(journal, id);
      await until('the move is done', () => !limited.is_skipping);
    }
    expect(moved).toBeGreaterThan(0);
    expect(patient.seq).toBe(1);
    expect(limited.seq).toBe(71);
    expect(ledger.toJSON()).toEqual({ max_lag: { limited: 70 } });
    expect((await readAll(journal, { from_seq: limited.seq })).flatMap(idsOf)).toHaveLength(30);
    expect((await readAll(journal, { from_seq: patient.seq })).flatMap(idsOf)).toHaveLength(100);
  });
});
