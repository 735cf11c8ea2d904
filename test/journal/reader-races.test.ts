/** A reader while the journal goes on, whatever the reader is waiting for. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { type File, type FileSystem, nodeFs, type OpenMode } from '../../src/sys/fs.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { appendEvents, committed, idsOf } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

type Step = 'open' | 'read' | 'close';

const EVENT_BYTES = 1016;
const STEPS: readonly Step[] = ['open', 'read', 'close'];

describe('a reader that the journal overtakes', () => {
  let dir: TempDir;
  let ledger: DropLedger;
  let journal: Journal;
  let appended: number;
  /** Runs while a reader waits for the disk. */
  let during: (step: Step) => Promise<void>;

  beforeEach(async () => {
    dir = await tempDir('reader-races');
    ledger = new DropLedger();
    appended = 0;
    during = () => Promise.resolve();
  });
  afterEach(async () => {
    await journal.close();
    await dir.remove();
  });

  async function start(tail_max_bytes: number): Promise<void> {
    const fs = hookedFs((step) => during(step));
    const sizes = { tail_max_bytes, segment_max_bytes: 40_000, read_chunk_bytes: 4096 };
    journal = await Journal.open({ directory: dir.path, ledger, fs, sync: 'os', ...sizes });
  }

  /** So many commits of one event each. */
  async function commit(times: number): Promise<void> {
    for (let count = 0; count < times; count++) {
      appendEvents(journal, 't', [appended++], { filler_bytes: EVENT_BYTES });
      await committed(journal);
    }
  }

  async function readToEnd(): Promise<number[]> {
    const reader = journal.reader(1, 'out');
    const ids: number[] = [];
    while (reader.next_seq <= journal.durable_seq) {
      const records = await reader.read(3000, AbortSignal.timeout(20_000));
      ids.push(...records.flatMap(idsOf));
    }
    reader.close();
    return ids;
  }

  it.each(STEPS)('at every %s of a file loses nothing', async (step) => {
    // About six events in memory: a burst pushes out what the reader is about to take from there.
    await start(10_000);
    await commit(30);
    let bursts = 0;
    during = async (at) => {
      if (at === step && bursts++ < 40) await commit((bursts * 7) % 20);
    };
    const ids = await readToEnd();
    expect(bursts).toBeGreaterThan(0);
    expect(ids).toEqual(Array.from({ length: appended }, (_, id) => id));
    expect(ledger.toJSON()).toEqual({});
  });

  it('while it leaves a damaged end reads what is behind it', async () => {
    await start(1);
    await commit(3);
    await damageLastEvent();
    let bursts = 0;
    during = async (at) => {
      if (at === 'close' && bursts++ === 0) await commit(2);
    };
    expect(await readToEnd()).toEqual([0, 1, 3, 4]);
    expect(bursts).toBeGreaterThan(0);
    expect(ledger.toJSON()).toEqual({ corrupt: { out: 1 } });
  });

  async function damageLastEvent(): Promise<void> {
    const names = (await nodeFs.readdir(dir.path)).filter((name) => name.endsWith('.seg'));
    const file = await open(join(dir.path, names.toSorted().at(-1) ?? ''), 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.alloc(8, 0xff), 0, 8, size - EVENT_BYTES / 2);
    await file.close();
  }
});

/** The real file system; what is opened to read tells before each step. */
function hookedFs(before: (step: Step) => Promise<void>): FileSystem {
  const openFile = async (path: string, mode: OpenMode): Promise<File> => {
    if (mode !== 'read' || !path.endsWith('.seg')) return nodeFs.open(path, mode);
    await before('open');
    const file = await nodeFs.open(path, mode);
    const read = file.read.bind(file);
    const close = file.close.bind(file);
    return Object.assign(file, {
      read: async (buffer: Buffer, position: number) => {
        await before('read');
        return read(buffer, position);
      },
      close: async () => {
        await before('close');
        return close();
      },
    });
  };
  return { ...nodeFs, open: openFile };
}
