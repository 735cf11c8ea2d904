import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { appendEvents, committed } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('moved');
});

afterEach(() => dir.remove());

const open = (): Promise<Journal> => Journal.open({ directory: dir.path });

/** Writes into LOCK that the journal was last used on this machine. */
async function wasOn(machine: string): Promise<void> {
  const path = join(dir.path, 'LOCK');
  const text = await readFile(path, 'utf8');
  const note = { ...(JSON.parse(text) as object), machine };
  await writeFile(path, JSON.stringify(note).padEnd(text.length));
}

describe('a journal on a volume', () => {
  it('has the same epoch in the next container, whose host name is another', async () => {
    const journal = await open();
    appendEvents(journal, 't', [0]);
    await committed(journal);
    const { epoch } = journal;
    await journal.close();
    await wasOn('4f2a9c01d3e5/unknown');
    const again = await open();
    expect(again.epoch).toBe(epoch);
    await again.close();
  });
});
