/** A real process, killed at any moment: everything that it was promised is there. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectDirectory } from '../../src/journal/inspect.ts';
import { Journal } from '../../src/journal/journal.ts';
import { LAST_ID_SPACE, LastId } from '../support/journal-crasher.ts';
import { idsByTag, readAll } from '../support/journal-events.ts';
import { Child } from '../support/process.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const CRASHER = fileURLToPath(new URL('../support/journal-crasher.ts', import.meta.url));
const ROUNDS = 8;

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('crash');
});

afterEach(() => dir.remove());

/** The number in the last line of its kind. */
function lastSaid(child: Child, kind: 'acked' | 'cursor'): number {
  const lines = child.stdout.split('\n').slice(0, -1);
  const line = lines.findLast((said) => said.startsWith(`${kind} `));
  return line === undefined ? 0 : Number(line.split(' ')[1]);
}

/** Runs the process until it has had `acks` more commits acked, and kills it. */
async function runAndKill(acks: number): Promise<{ acked: number; cursor: number }> {
  const child = new Child(process.execPath, ['--import', 'tsx', CRASHER, dir.path]);
  await until(
    () => child.describe(),
    () => child.exit !== undefined || child.stdout.split('acked').length > acks,
    { interval_ms: 1 },
  );
  const { signal } = await child.stop('SIGKILL');
  expect(signal, child.describe()).toBe('SIGKILL');
  return { acked: lastSaid(child, 'acked'), cursor: lastSaid(child, 'cursor') };
}

describe('a process that is killed', () => {
  it('loses nothing that was acked and keeps nothing twice, again and again', {
    timeout: 180_000,
  }, async () => {
    let acked = 0;
    let cursor_seq = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const said = await runAndKill(5 + round * 23);
      acked = Math.max(acked, said.acked);
      cursor_seq = Math.max(cursor_seq, said.cursor);

      const last = new LastId();
      const journal = await Journal.open({
        directory: dir.path,
        spaces: new Map([[LAST_ID_SPACE, last]]),
      });
      try {
        expect(last.id).toBeGreaterThanOrEqual(acked);
        const cursor = await journal.cursor('out', { start: 'oldest' });
        expect(cursor.seq).toBeGreaterThanOrEqual(cursor_seq);
        const read = idsByTag(await readAll(journal));
        for (const [tag, ids] of Object.entries(read)) {
          // Every fifth id has this tag: from the oldest segment on none is missing.
          const first = ids[0] ?? 0;
          const count = Math.floor((last.id - first) / 5) + 1;
          expect(ids, tag).toEqual(Array.from({ length: count }, (_, index) => first + 5 * index));
        }
        expect(Object.values(read).flat()).toContain(last.id);
      } finally {
        await journal.close();
      }
    }
  });

  it('leaves the directory to the next one at once, and tells who it was', async () => {
    await runAndKill(3);
    const { owner } = await inspectDirectory(dir.path);
    expect(owner).toMatchObject({ closed: false });
    const journal = await Journal.open({
      directory: dir.path,
      spaces: new Map([[1, new LastId()]]),
    });
    const lock = await readFile(join(dir.path, 'LOCK'), 'utf8');
    expect(lock).toContain(`"pid":${process.pid}`);
    await journal.close();
    await writeFile(join(dir.path, 'LOCK'), 'not a note');
    const again = await Journal.open({ directory: dir.path, spaces: new Map([[1, new LastId()]]) });
    expect(again.epoch).toBe(journal.epoch + 1);
    await again.close();
  });
});
