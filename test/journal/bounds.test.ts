/** What the journal holds in memory does not follow what it holds on disk. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import type { JournalOptions } from '../../src/journal/options.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import { appendEvents, committed, idsOf } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('bounds');
});

afterEach(() => dir.remove());

const SMALL = {
  sync: 'os',
  segment_max_bytes: 200_000,
  tail_max_bytes: 50_000,
  read_chunk_bytes: 20_000,
} as const;

async function fill(commits: number): Promise<void> {
  const options: JournalOptions = { directory: dir.path, ...SMALL };
  const journal = await Journal.open(options);
  for (let id = 0; id < commits; id++) {
    appendEvents(journal, 't', [id], { filler_bytes: 9_000 });
    await committed(journal);
  }
  await journal.close();
}

describe('a backlog', () => {
  it('of any size is opened by reading headers and one segment', async () => {
    const bytes_read: number[] = [];
    for (const commits of [100, 400]) {
      await fill(commits);
      const fs = new CountingFs();
      const journal = await Journal.open({ directory: dir.path, ...SMALL, fs });
      bytes_read.push(fs.bytes_read);
      await journal.close();
    }
    // 300 commits are some 14 segments more: a header each.
    const [before = 0, after = 0] = bytes_read;
    expect(after - before).toBeLessThan(250_000);
  });

  it('of any size is read with one open file and reads of a fixed size', async () => {
    await fill(300);
    const fs = new CountingFs();
    const journal = await Journal.open({ directory: dir.path, ...SMALL, fs });
    const open_files = fs.open_files;
    const reader = journal.reader(1);
    fs.read_max_bytes = 0;
    let next = 0;
    while (reader.next_seq <= journal.durable_seq) {
      const records = await reader.read(30_000, AbortSignal.timeout(10_000));
      for (const record of records) expect(idsOf(record)).toEqual([next++]);
      expect(fs.open_files).toBeLessThanOrEqual(open_files + 1);
    }
    expect(next).toBe(300);
    expect(fs.read_max_bytes).toBeLessThanOrEqual(SMALL.read_chunk_bytes);
    reader.close();
    await journal.close();
  });

  it('stays on disk: memory keeps the tail only', async () => {
    const fs = new CountingFs();
    const journal = await Journal.open({ directory: dir.path, ...SMALL, fs });
    for (let id = 0; id < 100; id++) {
      appendEvents(journal, 't', [id], { filler_bytes: 9_000 });
      await committed(journal);
    }
    const reads = fs.calls.get('read') ?? 0;
    await journal.reader(journal.durable_seq - 3).read(1_000_000, AbortSignal.timeout(10_000));
    expect(fs.calls.get('read') ?? 0).toBe(reads);
    await journal.reader(journal.durable_seq - 10).read(1_000_000, AbortSignal.timeout(10_000));
    expect(fs.calls.get('read') ?? 0).toBeGreaterThan(reads);
    await journal.close();
  });
});

/** Counts what is read and what is open. */
class CountingFs extends FaultyFs {
  bytes_read = 0;
  read_max_bytes = 0;
  open_files = 0;

  override async open(...args: Parameters<FaultyFs['open']>): ReturnType<FaultyFs['open']> {
    const file = await super.open(...args);
    this.open_files++;
    const read = file.read.bind(file);
    const close = file.close.bind(file);
    return Object.assign(file, {
      read: async (buffer: Buffer, position: number): Promise<number> => {
        const got_bytes = await read(buffer, position);
        this.bytes_read += got_bytes;
        this.read_max_bytes = Math.max(this.read_max_bytes, buffer.length);
        return got_bytes;
      },
      close: async (): Promise<void> => {
        this.open_files--;
        await close();
      },
    });
  }
}
