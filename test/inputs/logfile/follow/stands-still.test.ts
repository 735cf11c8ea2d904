/** What a look at a log that nobody writes to says; a wrong yes would lose lines for as long as it is said. */
import { appendFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextClockTick } from '../../../support/clock-tick.ts';
import { FollowedLines } from '../../../support/followed-lines.ts';
import { type TempDir, tempDir } from '../../../support/temp-dir.ts';

let dir: TempDir;
let log: FollowedLines;

beforeEach(async () => {
  dir = await tempDir('stands-still');
  log = new FollowedLines(dir.path);
});

afterEach(async () => {
  await log.close();
  await dir.remove();
});

const at = (name: string): string => join(dir.path, name);

/** Read to its end, and found to have no more. */
async function restingLog(): Promise<void> {
  await writeFile(at('log'), 'a1\n');
  await log.open();
  expect(await log.read()).toEqual(['a1']);
}

describe('a log stands still', () => {
  it('once it was read to its end, as often as it is asked', async () => {
    await restingLog();
    expect([log.reader.standsStill(), log.reader.standsStill()]).toEqual([true, true]);
  });

  it('not before it was read', async () => {
    await writeFile(at('log'), 'a1\n');
    await log.open();
    expect(log.reader.standsStill()).toBe(false);
    expect(await log.read()).toEqual(['a1']);
  });

  it('not while it has no file', async () => {
    await log.open();
    expect(log.reader.standsStill()).toBe(false);
  });

  it('not when it is to be read to its end, so that it ends', async () => {
    await restingLog();
    log.reader.finish();
    expect(log.reader.standsStill()).toBe(false);
    await log.read();
    expect(log.reader.ended).toBe(true);
  });
});

const changes: [what: string, change: () => Promise<void>, lines: string[]][] = [
  ['grew', () => appendFile(at('log'), 'a2\n'), ['a2']],
  [
    'was rotated',
    async () => {
      await rename(at('log'), at('log.1'));
      await writeFile(at('log'), 'b1\n');
    },
    ['b1'],
  ],
  [
    'was truncated and written anew, as long as before',
    async () => {
      await nextClockTick(at('log'));
      await truncate(at('log'));
      await appendFile(at('log'), 'b1\n');
    },
    ['b1'],
  ],
  ['was deleted', () => rm(at('log')), []],
];

describe('a log that stood still', () => {
  it.each(changes)(
    'does so no more once it %s, and what is new is read',
    async (_, change, lines) => {
      await restingLog();
      expect(log.reader.standsStill()).toBe(true);
      await change();
      expect(log.reader.standsStill()).toBe(false);
      expect(await log.read()).toEqual(lines);
    },
  );
});
