/** A disk that works, but for some blocks. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { SalvagedFile } from '../../src/journal/salvaged-file.ts';
import type { JournalReader } from '../../src/journal/types.ts';
import { type File, type FileSystem, nodeFs, type OpenMode } from '../../src/sys/fs.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { silentLog } from '../../src/sys/log.ts';
import { appendEvents, committed, idsOf } from '../support/journal-events.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

type Range = readonly [from: number, to: number];

const eio = (): Error => Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });

/** The real file system; reads of segments that touch a bad range fail. */
function diskWith(bad: () => readonly Range[]): FileSystem {
  const open = async (path: string, mode: OpenMode): Promise<File> => {
    const file = await nodeFs.open(path, mode);
    if (mode !== 'read' || !path.endsWith('.seg')) return file;
    const read = file.read.bind(file);
    return Object.assign(file, {
      read: async (buffer: Buffer, position: number) => {
        const end = position + buffer.length;
        if (bad().some(([from, to]) => position < to && end > from)) throw eio();
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
