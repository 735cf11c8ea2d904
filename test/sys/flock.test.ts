import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCKERS, lockExclusively } from '../../src/sys/flock.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('flock');
});

afterEach(() => dir.remove());

describe('a kernel lock on an open file', () => {
  it('is had by one open file at a time, and free again when that is closed', async () => {
    const path = join(dir.path, 'LOCK');
    const first = await open(path, 'a+');
    const second = await open(path, 'a+');
    expect(lockExclusively(first.fd)).toBe('locked');
    expect(lockExclusively(second.fd)).toBe('taken');
    await first.close();
    expect(lockExclusively(second.fd)).toBe('locked');
    await second.close();
  });

  it('is the same lock whichever program takes it', async ({ skip }) => {
    const path = join(dir.path, 'LOCK');
    for (const locker of LOCKERS) {
      const first = await open(path, 'a+');
      const result = lockExclusively(first.fd, [locker]);
      if (result === 'unavailable') {
        await first.close();
        skip(`${locker[0]} is not installed here`);
        return;
      }
      const second = await open(path, 'a+');
      expect([locker[0], result, lockExclusively(second.fd)]).toEqual([
        locker[0],
        'locked',
        'taken',
      ]);
      await first.close();
      await second.close();
    }
  });

  it('is not claimed where no program can take it', async () => {
    const file = await open(join(dir.path, 'LOCK'), 'a+');
    expect(lockExclusively(file.fd, [['no-such-program-here']])).toBe('unavailable');
    expect(lockExclusively(file.fd, [['false']])).toBe('taken');
    expect(lockExclusively(file.fd, [['sh', '-c', 'exit 66']])).toBe('unavailable');
    await file.close();
  });
});
