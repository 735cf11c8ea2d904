/** Looking into a directory without owning or changing it. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Inspected, inspectDirectory, inspectLog } from '../../src/journal/inspect.ts';
import { Journal } from '../../src/journal/journal.ts';
import { appendEvents, committed, idsOf } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let journal: Journal;

beforeEach(async () => {
  dir = await tempDir('inspect');
  journal = await Journal.open({ directory: dir.path, segment_max_bytes: 1000 });
  for (let id = 0; id < 12; id++) {
    appendEvents(journal, `tag${id % 2}`, [id], { filler_bytes: 200 });
    await committed(journal);
  }
});

afterEach(async () => {
  await journal.close();
  await dir.remove();
});

async function inspect(from_seq?: number): Promise<Inspected[]> {
  const items: Inspected[] = [];
  for await (const item of inspectLog(dir.path, from_seq === undefined ? {} : { from_seq })) {
    items.push(item);
  }
  return items;
}

const ids = (items: readonly Inspected[]): number[] =>
  items.flatMap((item) => (item.type === 'record' ? idsOf(item.record) : []));

async function contents(): Promise<string[]> {
  const names = (await readdir(dir.path, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile(),
  );
  return Promise.all(
    names.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return `${path} ${(await readFile(path)).toString('base64')}`;
    }),
  );
}

describe('inspecting', () => {
  it('shows segments, cursors and the owner of a journal that is in use, and changes nothing', async () => {
    await journal.cursor('out', { start: 'newest' });
    const before = await contents();
    const found = await inspectDirectory(dir.path);
    expect(found.journal_id).toEqual(journal.id);
    expect(found.owner?.pid).toBe(process.pid);
    expect(found.segments.length).toBeGreaterThan(2);
    expect(found.cursors).toMatchObject([{ name: 'out', slot: { at: { seq: 13 } } }]);
    expect(ids(await inspect())).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(await contents()).toEqual(before);
  });

  it('begins at a seq without reading the segments before it', async () => {
    const items = await inspect(9);
    expect(ids(items)).toEqual([8, 9, 10, 11]);
    const paths = new Set(items.map((item) => (item.type === 'corruption' ? '' : item.path)));
    expect(paths.size).toBeLessThan((await inspectDirectory(dir.path)).segments.length);
  });

  it('reports damage with file and offset, and gives the rest', async () => {
    const path = (await inspectDirectory(dir.path)).segments[1]?.path ?? '';
    const record = (await inspect()).find((item) => item.type === 'record' && item.path === path);
    if (record?.type !== 'record') throw new Error('no record in the second segment');
    const bytes = await readFile(path);
    bytes[record.offset + 60] = (bytes[record.offset + 60] as number) ^ 1;
    bytes[2] = 0;
    await writeFile(path, bytes);

    const items = await inspect();
    const found = items.flatMap((item) => (item.type === 'corruption' ? [item.corruption] : []));
    expect(found).toMatchObject([
      { path, offset: 0, what: 'segment header', is_tail: false },
      { path, offset: record.offset, what: 'record body', is_tail: false },
    ]);
    expect(ids(items)).toHaveLength(11);
  });

  it('tells a commit at the end that is not whole from damage before it', async () => {
    const path = (await inspectDirectory(dir.path)).segments.at(-1)?.path ?? '';
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(100)]));
    const last = (await inspect()).at(-1);
    expect(last).toMatchObject({
      type: 'corruption',
      corruption: { path, bytes: 100, is_tail: true },
    });
  });

  it('works where there is nothing', async () => {
    const empty = await tempDir('inspect-empty');
    const found = await inspectDirectory(empty.path);
    expect(found).toMatchObject({ owner: undefined, segments: [], cursors: [] });
    await empty.remove();
  });
});
