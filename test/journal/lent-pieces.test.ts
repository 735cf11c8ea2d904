/** Pieces of segment files lie in memory that is used again. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { appendEvents, committed, idsOf } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('lent-pieces');
});
afterEach(() => dir.remove());

describe('what a reader was given from the disk and has released', () => {
  it('keeps its tag, while its body makes room for others', async () => {
    let recycled = 0;
    const journal = await Journal.open({
      directory: dir.path,
      sync: 'os',
      tail_max_bytes: 1,
      read_chunk_bytes: 4096,
      recycled: (memory) => {
        memory.fill(0xdb);
        recycled++;
      },
    });
    for (let id = 0; id < 60; id++) {
      appendEvents(journal, `app.${id % 7}`, [id], { filler_bytes: 1016 });
      await committed(journal);
    }
    const before = recycled;
    const reader = journal.reader(1, 'out');
    const tags: Buffer[] = [];
    while (reader.next_seq <= journal.durable_seq) {
      for (const record of await reader.read(2000, AbortSignal.timeout(20_000))) {
        expect(idsOf(record)).toEqual([tags.length]);
        tags.push(record.tag);
      }
      reader.release(reader.next_seq);
    }
    reader.close();
    await journal.close();
    expect(recycled).toBeGreaterThan(before + 3);
    expect(tags.map(String)).toEqual(Array.from({ length: 60 }, (_, id) => `app.${id % 7}`));
  });
});
