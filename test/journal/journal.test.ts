import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import type { JournalOptions } from '../../src/journal/options.ts';
import type { LargeRecord, StateSpace } from '../../src/journal/types.ts';
import {
  appendEvents,
  committed,
  encodeEvent,
  idsByTag,
  idsOf,
  largeRecord,
  readAll,
} from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let opened: Journal[];

beforeEach(async () => {
  dir = await tempDir('journal');
  opened = [];
});

afterEach(async () => {
  for (const journal of opened) await journal.close();
  await dir.remove();
});

async function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({ directory: dir.path, ...options });
  opened.push(journal);
  return journal;
}

async function reopen(journal: Journal, options: Partial<JournalOptions> = {}): Promise<Journal> {
  await journal.close();
  return open(options);
}

/** A space that remembers its entries as text. */
class TextSpace implements StateSpace {
  entries: string[] = [];
  restored = 0;
  snapshot(): Buffer {
    return Buffer.from(JSON.stringify(this.entries));
  }
  restore(snapshot: Buffer | undefined): void {
    this.restored++;
    this.entries = snapshot === undefined ? [] : (JSON.parse(snapshot.toString()) as string[]);
  }
  apply(entry: Buffer): void {
    this.entries.push(entry.toString());
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

async function* each(records: readonly LargeRecord[]): AsyncGenerator<LargeRecord> {
  for (const record of records) yield record;
}

describe('appending and reading', () => {
  it('gives back what was appended, by tag and in order, from memory and from disk', async () => {
    const journal = await open();
    appendEvents(journal, 'a', range(0, 100), { filler_bytes: 100 });
    appendEvents(journal, 'b', range(100, 200));
    appendEvents(journal, 'a', range(200, 300));
    await committed(journal);
    const expected = { a: [...range(0, 100), ...range(200, 300)], b: range(100, 200) };

    expect(idsByTag(await readAll(journal))).toEqual(expected);
    expect(idsByTag(await readAll(await reopen(journal, { read_chunk_bytes: 64 })))).toEqual(
      expected,
    );
  });

  it('makes one record of all events of a tag in a commit, however they alternate', async () => {
    const journal = await open();
    for (const id of range(0, 3000)) appendEvents(journal, `tag${id % 1000}`, [id]);
    await committed(journal);
    expect(journal.durable_seq).toBe(1000);
    const records = await readAll(journal);
    expect(records.map((record) => record.count)).toEqual(range(0, 1000).map(() => 3));
  });

  it('keeps the order of a tag when the codec changes and changes back', async () => {
    const journal = await open();
    const tag = Buffer.from('t');
    const plain = journal.builder(tag, 0, 1, 0, 0);
    appendEvents(journal, 't', [1]);
    appendEvents(journal, 't', [2], { codec: 1 });
    // A builder that was sealed meanwhile goes on behind what sealed it.
    const event = encodeEvent({ id: 3, filler_bytes: 0 });
    const at = plain.reserve(event.length);
    event.copy(plain.buffer, at);
    plain.note(1, 0, 0);
    journal.appendBody(tag, 2, 7, [encodeEvent({ id: 4, filler_bytes: 0 })], 1, 5, 6);
    appendEvents(journal, 't', [5]);
    await committed(journal);

    const records = await readAll(journal);
    expect(records.map((record) => [record.codec, record.attrs, idsOf(record)])).toEqual([
      [0, 0, [1]],
      [1, 0, [2]],
      [0, 0, [3]],
      [2, 7, [4]],
      [0, 0, [5]],
    ]);
  });

  it('seals a record before it exceeds record_max_bytes, and gives a larger event one of its own', async () => {
    const journal = await open({ record_max_bytes: 4096 });
    appendEvents(journal, 't', range(0, 20), { filler_bytes: 1000 });
    appendEvents(journal, 't', [20], { filler_bytes: 10_000 });
    appendEvents(journal, 't', [21]);
    await committed(journal);
    const records = await readAll(journal);
    for (const record of records.slice(0, -2)) expect(record.body_bytes).toBeLessThanOrEqual(4096);
    expect(records.slice(-2).map(idsOf)).toEqual([[20], [21]]);
    expect(records.flatMap(idsOf)).toEqual(range(0, 22));
  });

  it('tells for each record how many events and bytes came before it, across reopening', async () => {
    let journal = await open();
    for (const round of range(0, 4)) {
      appendEvents(journal, 'a', range(0, round + 1), { filler_bytes: 10 });
      appendEvents(journal, 'b', range(0, 2), { filler_bytes: 5000 });
      await committed(journal);
      if (round % 2 === 1) journal = await reopen(journal);
    }
    let events = 0;
    let bytes = 0;
    for (const [index, record] of (await readAll(journal)).entries()) {
      expect(record).toMatchObject({ seq: index + 1, events_before: events, bytes_before: bytes });
      events += record.count;
      bytes += record.body_bytes;
    }
    expect(journal.totals()).toMatchObject({ events: events + 1, body_bytes: bytes + 8 });
  });

  it('keeps times, counts and checksums, with and without times', async () => {
    const journal = await open();
    const tag = Buffer.from('t');
    journal.appendBody(tag, 1, 0x0102, [Buffer.from('one'), Buffer.from('two')], 9, -5, 2 ** 40);
    journal.appendBody(Buffer.from('u'), 0, 0, [Buffer.from('x')], 1, 0, 0);
    await committed(journal);
    const check = async (current: Journal): Promise<void> => {
      const [first, second] = await readAll(current);
      expect(first).toMatchObject({ codec: 1, attrs: 0x0102, count: 9, committed_ms: now_ms });
      expect(first).toMatchObject({ time_min_s: -5, time_max_s: 2 ** 40 });
      expect(first?.checksum).toBe(crc32('onetwo'));
      expect(Buffer.concat(first?.body ?? []).toString()).toBe('onetwo');
      expect(second).toMatchObject({ time_min_s: 0, time_max_s: 0 });
    };
    const now_ms = (await readAll(journal))[0]?.committed_ms;
    await check(journal);
    await check(await reopen(journal));
  });

  it('refuses a builder whose commit is being written', async () => {
    const journal = await open();
    const tag = Buffer.from('t');
    const builder = journal.builder(tag, 0, 1, 0, 0);
    builder.reserve(4);
    builder.note(1, 0, 0);
    const filling = journal.filling;
    await committed(journal);
    expect(journal.filling).not.toBe(filling);
    expect(builder.commit).toBe(filling);
    expect(() => builder.reserve(100_000)).toThrow(/LB_JOURNAL_CLOSED|after that commit/);
  });

  it('commits what nobody waits for after the linger', async () => {
    const journal = await open({ linger_ms: 1 });
    appendEvents(journal, 't', [1]);
    const reader = journal.reader(1);
    const records = await reader.read(1000, AbortSignal.timeout(10_000));
    expect(records.flatMap(idsOf)).toEqual([1]);
  });

  it('calls back in commit order, and for a commit without events once those before it are durable', async () => {
    const journal = await open();
    const order: string[] = [];
    journal.onCommit(() => order.push('empty'));
    appendEvents(journal, 't', [1]);
    journal.onCommit(() => order.push(`first at ${journal.durable_seq}`));
    const large = journal.appendLarge(each([largeRecord('l', [2])]), []);
    void large.then(() => order.push('large'));
    appendEvents(journal, 't', [3]);
    journal.onCommit(() => order.push(`last at ${journal.durable_seq}`));
    await large;
    await committed(journal);
    expect(order).toEqual(['empty', 'first at 1', 'large', 'last at 3']);
  });

  it('reports each durable commit, with its tags and counts, before readers get it', async () => {
    const journal = await open();
    const heard: string[] = [];
    journal.onAppended((counts) => {
      for (const { tag, count } of counts) heard.push(`${tag.toString()}:${count}`);
    });
    journal.onDurable((seq) => heard.push(`durable ${seq}`));
    appendEvents(journal, 'a', [1, 2]);
    appendEvents(journal, 'b', [3]);
    await committed(journal);
    await journal.appendLarge(each([largeRecord('l', [4, 5]), largeRecord('l', [6])]), []);
    expect(heard).toEqual(['a:2', 'b:1', 'durable 2', 'l:3', 'durable 4']);
  });
});

describe('a large commit', () => {
  it('is one commit among the others, in the order of the calls', async () => {
    const journal = await open();
    appendEvents(journal, 't', [1]);
    const large = journal.appendLarge(
      each(range(0, 40).map((index) => largeRecord('t', [100 + index], 100_000))),
      [],
    );
    appendEvents(journal, 't', [2]);
    await large;
    await committed(journal);
    const expected = [1, ...range(100, 140), 2];
    expect((await readAll(journal)).flatMap(idsOf)).toEqual(expected);
    expect((await readAll(await reopen(journal))).flatMap(idsOf)).toEqual(expected);
  });

  it('leaves nothing behind when its source fails', async () => {
    const journal = await open();
    appendEvents(journal, 't', [1]);
    async function* failing(): AsyncGenerator<LargeRecord> {
      for (const id of range(0, 30)) yield largeRecord('t', [id], 100_000);
      throw new Error('the client went away');
    }
    await expect(journal.appendLarge(failing(), [])).rejects.toThrow('the client went away');
    appendEvents(journal, 't', [2]);
    await committed(journal);
    expect((await readAll(journal)).flatMap(idsOf)).toEqual([1, 2]);
    const again = await reopen(journal);
    expect((await readAll(again)).flatMap(idsOf)).toEqual([1, 2]);
    expect(again.totals()).toMatchObject({ cut: 0, quarantined: 0 });
  });

  it('applies its state entries with it', async () => {
    const space = new TextSpace();
    const journal = await open({ spaces: new Map([[3, space]]) });
    const entries = [{ space: 3, entry: Buffer.from('chunk 1') }];
    await journal.appendLarge(each([largeRecord('t', [1])]), entries);
    expect(space.entries).toEqual(['chunk 1']);
    await reopen(journal, { spaces: new Map([[3, space]]) });
    expect(space.entries).toEqual(['chunk 1']);
  });
});

describe('state spaces', () => {
  it('are as new as the events around them, through segments and reopening', async () => {
    const spaces = () => new Map([[1, new TextSpace()]]);
    let live = spaces();
    let journal = await open({ spaces: live, segment_max_bytes: 2000 });
    for (const round of range(0, 30)) {
      appendEvents(journal, 't', [round], { filler_bytes: 200 });
      journal.note(1, Buffer.from(`event ${round}`));
      await committed(journal);
      expect(live.get(1)?.entries.at(-1)).toBe(`event ${round}`);
      if (round % 10 === 9) {
        live = spaces();
        journal = await reopen(journal, { spaces: live, segment_max_bytes: 2000 });
        expect(live.get(1)?.restored).toBe(1);
      }
    }
    expect(journal.totals().segments).toBeGreaterThan(3);
    expect(live.get(1)?.entries).toEqual(range(0, 30).map((round) => `event ${round}`));
  });

  it('of a newer version survive an older one that does not know them', async () => {
    const newer = () =>
      new Map([
        [1, new TextSpace()],
        [9, new TextSpace()],
      ]);
    const older = () => new Map([[1, new TextSpace()]]);
    let spaces = newer();
    let journal = await open({ spaces });
    journal.note(9, Buffer.from('from the future'));
    await committed(journal);
    for (const _ of range(0, 3)) {
      journal = await reopen(journal, { spaces: older(), segment_max_bytes: 1000 });
      journal.note(1, Buffer.from('old'));
      appendEvents(journal, 't', range(0, 100), { filler_bytes: 20 });
      await committed(journal);
      // The old segments go, and with them the entry itself.
      const cursor = await journal.cursor('o', { start: 'newest' });
      await cursor.save(journal.durable_seq + 1, Buffer.alloc(0));
    }
    spaces = newer();
    await reopen(journal, { spaces });
    expect(spaces.get(9)?.entries).toEqual(['from the future']);
    expect(spaces.get(1)?.entries).toEqual(['old', 'old', 'old']);
  });

  it('that are not registered cannot be noted', async () => {
    const journal = await open();
    expect(() => journal.note(4, Buffer.alloc(1))).toThrow(/state space 4/);
  });
});

describe('reading', () => {
  it('waits for the next commit, and stops waiting when told to or when the journal closes', async () => {
    const journal = await open();
    const reader = journal.reader(1);
    const stop = new AbortController();
    const waiting = reader.read(1000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');

    const next = reader.read(1000, AbortSignal.timeout(10_000));
    appendEvents(journal, 't', [1]);
    await committed(journal);
    expect((await next).flatMap(idsOf)).toEqual([1]);

    const last = reader.read(1000, AbortSignal.timeout(10_000));
    const closed = expect(last).rejects.toMatchObject({ code: 'LB_JOURNAL_CLOSED' });
    await journal.close();
    await closed;
  });

  it('gives the same records through the smallest memory and the smallest reads', async () => {
    const small = { tail_max_bytes: 2000, read_chunk_bytes: 100, segment_max_bytes: 5000 };
    const journal = await open(small);
    await journal.cursor('keeps everything', { start: 'oldest' });
    const reader = journal.reader(1);
    const seen: number[] = [];
    const take = async (): Promise<void> => {
      while (reader.next_seq <= journal.durable_seq) {
        for (const record of await reader.read(300, AbortSignal.timeout(10_000))) {
          expect(record.seq).toBeLessThanOrEqual(journal.durable_seq);
          seen.push(...idsOf(record));
        }
      }
    };
    for (const round of range(0, 60)) {
      appendEvents(journal, `tag${round % 7}`, [round], { filler_bytes: (round * 37) % 900 });
      if (round % 3 === 0) await committed(journal);
      if (round % 10 === 0) await take();
    }
    await committed(journal);
    await take();
    const all = (await readAll(journal)).flatMap(idsOf);
    expect(seen).toEqual(all);
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(0, 60));
    expect(journal.totals().segments).toBeGreaterThan(3);
  });

  it('begins anywhere', async () => {
    const journal = await open({ segment_max_bytes: 3000, read_chunk_bytes: 500 });
    for (const id of range(0, 50)) {
      appendEvents(journal, 'a', [id], { filler_bytes: 50 });
      appendEvents(journal, 'b', [id], { filler_bytes: 50 });
      await committed(journal);
    }
    const again = await reopen(journal, { read_chunk_bytes: 500 });
    const all = await readAll(again);
    for (const from_seq of [1, 2, 7, 50, 99, 100]) {
      const records = await readAll(again, { from_seq });
      expect(records[0]).toMatchObject({ seq: from_seq });
      expect(records[0]?.events_before).toBe(all[from_seq - 1]?.events_before);
    }
  });
});

describe('opening', () => {
  it('is refused while another process, or this one, has the journal open', async () => {
    const journal = await open();
    await expect(open()).rejects.toMatchObject({
      code: 'LB_JOURNAL_LOCKED',
      message: expect.stringContaining(String(process.pid)) as unknown,
    });
    await reopen(journal);
  });

  it('keeps id and epoch, and numbers on where it left off', async () => {
    const journal = await open();
    appendEvents(journal, 't', [1]);
    await committed(journal);
    const again = await reopen(journal);
    expect(again.id).toEqual(journal.id);
    expect(again.epoch).toBe(journal.epoch);
    expect(again.durable_seq).toBe(1);
    expect(again.oldest_seq).toBe(1);
  });

  it('does not pile up segments when nothing is written in between', async () => {
    let journal = await open();
    appendEvents(journal, 't', [1]);
    await committed(journal);
    for (const _ of range(0, 5)) journal = await reopen(journal);
    expect(journal.totals().segments).toBe(2);
  });

  it('writes what came in before close, and refuses what comes after', async () => {
    const journal = await open();
    appendEvents(journal, 't', [1]);
    const again = await reopen(journal);
    expect((await readAll(again)).flatMap(idsOf)).toEqual([1]);
    expect(journal.state).toBe('closed');
    expect(() => appendEvents(journal, 't', [2])).toThrow(/closed/);
    await expect(journal.appendLarge(each([]), [])).rejects.toThrow(/closed/);
  });
});

describe('backpressure', () => {
  it('says commit_full while too much waits, and resumes in the order of asking', async () => {
    const journal = await open({ commit_max_bytes: 100_000 });
    expect(journal.writable).toBe(true);
    appendEvents(journal, 't', range(0, 200), { filler_bytes: 1000 });
    expect(journal.state).toBe('commit_full');
    const resumed: string[] = [];
    journal.onceWritable(() => {
      resumed.push('first');
      appendEvents(journal, 't', range(200, 400), { filler_bytes: 1000 });
    });
    journal.onceWritable(() => resumed.push('second'));
    journal.onceWritable(() => resumed.push('cancelled'))();
    await committed(journal);
    await committed(journal);
    expect(resumed).toEqual(['first', 'second']);
    expect((await readAll(journal)).flatMap(idsOf)).toEqual(range(0, 400));
  });

  it('stores bodies of any size and split', async () => {
    const journal = await open();
    const body = [randomBytes(3), randomBytes(5000), randomBytes(100), randomBytes(300_000)];
    journal.appendBody(Buffer.from('t'), 0, 0, body, 1, 0, 0);
    await committed(journal);
    const inMemory = (await readAll(journal))[0];
    expect(Buffer.concat(inMemory?.body ?? []).equals(Buffer.concat(body))).toBe(true);
    const onDisk = (await readAll(await reopen(journal)))[0];
    expect(Buffer.concat(onDisk?.body ?? []).equals(Buffer.concat(body))).toBe(true);
  });
});
