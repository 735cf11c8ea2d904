/** A disk that works, but for some blocks. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { SalvagedFile } from '../../src/journal/salvaged-file.ts';
import type { JournalReader, StateSpace } from '../../src/journal/types.ts';
import { type File, type FileSystem, nodeFs, type OpenMode } from '../../src/sys/fs.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { silentLog } from '../../src/sys/log.ts';
import { appendEvents, committed, idsOf, readAll } from '../support/journal-events.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

type Range = readonly [from: number, to: number];

const eio = (): Error => Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });

const FIRST_SEGMENT = '0000000000000001.seg';

/** The real file system; reads of the first segment that touch a bad range fail. */
function diskWith(bad: () => readonly Range[], failed = (): void => {}): FileSystem {
  const open = async (path: string, mode: OpenMode): Promise<File> => {
    const file = await nodeFs.open(path, mode);
    if (mode !== 'read' || !path.endsWith(FIRST_SEGMENT)) return file;
    const read = file.read.bind(file);
    return Object.assign(file, {
      read: async (buffer: Buffer, position: number) => {
        const end = position + buffer.length;
        if (bad().some(([from, to]) => position < to && end > from)) {
          failed();
          throw eio();
        }
        return read(buffer, position);
      },
    });
  };
  return { ...nodeFs, open };
}

const EVENTS = 200;
const SECTOR_BYTES = 4096;

describe('a bad sector in a segment', () => {
  let dir: TempDir;
  let log: RecordingLog;
  let ledger: DropLedger;
  let journal: Journal | undefined;
  let bad: readonly Range[];

  beforeEach(async () => {
    dir = await tempDir('bad-sectors');
    log = new RecordingLog();
    ledger = new DropLedger();
    bad = [];
  });
  afterEach(async () => {
    await journal?.close();
    await dir.remove();
  });

  /** 200 events of 1 KiB, each in a commit of its own, in one segment and not in memory. */
  async function filled(): Promise<Journal> {
    const options = { directory: dir.path, log, ledger, tail_max_bytes: 1000 };
    journal = await Journal.open({ ...options, fs: diskWith(() => bad), read_chunk_bytes: 65_536 });
    for (let id = 0; id < EVENTS; id++) {
      appendEvents(journal, 't', [id], { filler_bytes: 1016 });
      await committed(journal);
    }
    return journal;
  }

  /** Reads to the end as outputs do: after a failure once more. Returns the ids and the failures. */
  async function readThrough(
    from: Journal,
    reader: JournalReader,
    attempts_max = 20,
  ): Promise<{ ids: number[]; failures: number }> {
    const ids: number[] = [];
    let failures = 0;
    while (reader.next_seq <= from.durable_seq && failures < attempts_max) {
      try {
        const records = await reader.read(10_000, AbortSignal.timeout(20_000));
        ids.push(...records.flatMap(idsOf));
      } catch (error) {
        expect(error).toMatchObject({ code: 'LB_JOURNAL_IO' });
        failures++;
      }
    }
    return { ids, failures };
  }

  it('costs what is in it: everything else is delivered, and the loss is counted and named', async () => {
    const from = await filled();
    const cursor = await from.cursor('out', { start: 'oldest' });
    const at = 25 * SECTOR_BYTES;
    bad = [[at, at + SECTOR_BYTES]];
    const { ids, failures } = await readThrough(from, from.reader(1, 'out'));
    expect(failures).toBeGreaterThan(2);
    const lost = EVENTS - ids.length;
    expect(lost).toBeGreaterThan(2);
    expect(lost).toBeLessThan(8);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect([ids[0], ids.at(-1)]).toEqual([0, EVENTS - 1]);
    expect(ledger.toJSON()).toEqual({ corrupt: { out: lost } });
    expect(log.said('error').join('\n')).toMatch(new RegExp(`\\.seg:${at}"`));
    // The cursor finds its place behind it too.
    await cursor.save(150, Buffer.alloc(0));
    expect(cursor.at.events_before).toBe(149);
  });

  it('is not taken for one if the disk reads it again in time', async () => {
    const from = await filled();
    const at = 25 * SECTOR_BYTES;
    bad = [[at, at + SECTOR_BYTES]];
    const reader = from.reader(1, 'out');
    const before = await readThrough(from, reader, 5);
    bad = [];
    const after = await readThrough(from, reader);
    expect(before.failures).toBe(5);
    expect([...before.ids, ...after.ids]).toHaveLength(EVENTS);
    expect(ledger.toJSON()).toEqual({});
  });

  it('is not what a disk has that reads nothing at all: it is waited for', async () => {
    const from = await filled();
    bad = [[0, Number.POSITIVE_INFINITY]];
    const reader = from.reader(1, 'out');
    expect(await readThrough(from, reader, 30)).toEqual({ ids: [], failures: 30 });
    bad = [];
    expect((await readThrough(from, reader)).ids).toHaveLength(EVENTS);
    expect(ledger.toJSON()).toEqual({});
  });
});

describe('a bad sector in the last segment, found at start', () => {
  let dir: TempDir;
  let ledger: DropLedger;
  let log: RecordingLog;
  let applied: string[];
  let restored: number;
  let bad: readonly Range[];
  const opened: Journal[] = [];

  beforeEach(async () => {
    dir = await tempDir('bad-sectors-start');
    ledger = new DropLedger();
    log = new RecordingLog();
    bad = [];
  });
  afterEach(async () => {
    for (const journal of opened.splice(0)) await journal.close();
    await dir.remove();
  });

  async function open(): Promise<Journal> {
    applied = [];
    restored = 0;
    const space: StateSpace = {
      snapshot: () => Buffer.from(applied.join()),
      restore: () => restored++,
      apply: (entry) => applied.push(entry.toString()),
    };
    const options = { directory: dir.path, log, ledger, tail_max_bytes: 1000 };
    const spaces = new Map([[1, space]]);
    const fs = diskWith(() => bad);
    const journal = await Journal.open({ ...options, spaces, fs, read_chunk_bytes: 65_536 });
    opened.push(journal);
    return journal;
  }

  /** Commits of one event of 1 KiB and a state entry each, in one segment. Returns its size. */
  async function fill(): Promise<number> {
    const journal = await open();
    for (let id = 0; id < EVENTS; id++) {
      appendEvents(journal, 't', [id], { filler_bytes: 1016 });
      journal.note(1, Buffer.from(String(id)));
      await committed(journal);
    }
    await journal.close();
    return (await stat(join(dir.path, FIRST_SEGMENT))).size;
  }

  /** What the journal delivers of before and of what is appended now. */
  async function delivered(journal: Journal): Promise<number[]> {
    appendEvents(journal, 't', [EVENTS]);
    await committed(journal);
    return (await readAll(journal, { name: 'out' })).flatMap(idsOf);
  }

  const gone = (from: number[]): number[] =>
    Array.from({ length: EVENTS + 1 }, (_, id) => id).filter((id) => !from.includes(id));

  it('costs what is in it, and the state of every other commit is applied', async () => {
    await fill();
    bad = [[25 * SECTOR_BYTES, 26 * SECTOR_BYTES]];
    const journal = await open();
    const lost = gone(await delivered(journal));
    expect(lost.length).toBeGreaterThan(2);
    expect(lost.length).toBeLessThan(8);
    expect(ledger.toJSON()).toEqual({ corrupt: { out: lost.length } });
    expect(applied.length).toBeGreaterThan(EVENTS - 8);
    expect(applied.at(-1)).toBe(String(EVENTS - 1));
    expect(journal.totals().quarantined).toBeGreaterThan(0);
  });

  it('leaves the end as it is: nothing is cut, later seqs name nothing that was named', async () => {
    const size_bytes = await fill();
    for (const back_bytes of [1, 300, 900, 1200, 5000]) {
      ledger = new DropLedger();
      bad = [[size_bytes - back_bytes, size_bytes - back_bytes + 1]];
      const journal = await open();
      expect(journal.durable_seq).toBeGreaterThanOrEqual(EVENTS);
      expect(journal.totals().cut).toBe(0);
      const lost = gone(await delivered(journal));
      expect(lost.length).toBeGreaterThan(0);
      expect(lost.length).toBeLessThan(8);
      // A commit whose header is in the bad block too may have had any number of events.
      const counted = ledger.toJSON()['corrupt']?.['out'] ?? 0;
      expect(counted).toBeGreaterThan(0);
      expect(counted).toBeLessThanOrEqual(lost.length);
      if (counted < lost.length) {
        expect(log.said('error').join('\n')).toContain('cannot read the end of a segment');
      }
      await journal.close();
      expect((await stat(join(dir.path, FIRST_SEGMENT))).size).toBe(size_bytes);
      for (const name of await readdir(dir.path)) {
        if (name.endsWith('.seg') && name !== FIRST_SEGMENT) await rm(join(dir.path, name));
      }
      await rm(join(dir.path, 'LOCK'));
    }
  });

  it('gives everything once the disk reads it again', async () => {
    const size_bytes = await fill();
    bad = [[size_bytes - 1200, size_bytes - 1199]];
    await (await open()).close();
    bad = [];
    expect(gone(await delivered(await open()))).toEqual([]);
    expect(ledger.toJSON()).toEqual({});
  });

  it('may be the first of it, with header and snapshot', async () => {
    await fill();
    bad = [[0, SECTOR_BYTES]];
    const journal = await open();
    const lost = gone(await delivered(journal));
    expect(lost.length).toBeLessThan(8);
    expect(restored).toBe(1);
  });

  it('keeps no journal from starting even if there are no others', async () => {
    await fill();
    bad = [[0, Number.POSITIVE_INFINITY]];
    const journal = await open();
    expect(journal.durable_seq).toBeGreaterThanOrEqual(EVENTS);
    expect(log.said('error').join('\n')).toContain('a segment was moved aside: unreadable');
    appendEvents(journal, 't', [1]);
    await committed(journal);
  });

  it('is not taken for one if the disk reads it at the second try', async () => {
    await fill();
    bad = [[25 * SECTOR_BYTES, 26 * SECTOR_BYTES]];
    const recovers = (): void => {
      bad = [];
    };
    const fs = diskWith(() => bad, recovers);
    const journal = await Journal.open({ directory: dir.path, log, ledger, fs });
    opened.push(journal);
    expect(journal.totals().quarantined).toBe(0);
    expect(gone(await delivered(journal))).toEqual([]);
  });
});

describe('a salvaged file', () => {
  const content = Buffer.alloc(5 * SECTOR_BYTES, 'x');
  const fileWith = (bad: readonly Range[]): SalvagedFile => {
    const read = async (buffer: Buffer, position: number): Promise<number> => {
      const end = position + buffer.length;
      if (bad.some(([from, to]) => position < to && end > from)) throw eio();
      return content.copy(buffer, 0, position);
    };
    return new SalvagedFile({ read, close: async () => {} }, 'f', silentLog);
  };

  it('has zeros exactly in the blocks that cannot be read, wherever a read begins', async () => {
    const bad: Range = [2 * SECTOR_BYTES + 10, 2 * SECTOR_BYTES + 20];
    const expected = Buffer.from(content).fill(0, 2 * SECTOR_BYTES, 3 * SECTOR_BYTES);
    for (const from of [0, 1, SECTOR_BYTES - 1, SECTOR_BYTES]) {
      const buffer = Buffer.alloc(content.length - from, '?');
      expect(await fileWith([bad]).read(buffer, from)).toBe(buffer.length);
      expect(buffer.equals(expected.subarray(from))).toBe(true);
    }
  });

  it('can end in a bad block, if the one before can be read', async () => {
    const last: Range = [4 * SECTOR_BYTES, content.length];
    const tail = Buffer.alloc(100, '?');
    expect(await fileWith([last]).read(tail, 4 * SECTOR_BYTES)).toBe(100);
    expect(tail.equals(Buffer.alloc(100))).toBe(true);
    const all: Range = [0, content.length];
    await expect(fileWith([all]).read(tail, 4 * SECTOR_BYTES)).rejects.toThrow('EIO');
  });
});
