/** Rotations as dockerd and kubelet do them, one system call after the other (formats.md 4.2, 7.2). */
import { appendFile, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import { FollowedLines } from '../../../support/followed-lines.ts';
import { type TempDir, tempDir } from '../../../support/temp-dir.ts';

let dir: TempDir;
let log: FollowedLines;

beforeEach(async () => {
  dir = await tempDir('rotation');
  log = new FollowedLines(dir.path);
});

afterEach(async () => {
  await log.close();
  await dir.remove();
});

const at = (name: string): string => join(dir.path, name);
const write = (name: string, ...lines: string[]): Promise<void> =>
  appendFile(at(name), lines.map((line) => `${line}\n`).join(''));
const move = (from: string, to: string): Promise<void> => rename(at(from), at(to));

async function compress(from: string, to: string): Promise<void> {
  await writeFile(at(to), gzipSync(await readFile(at(from))));
}

describe('a log that Docker rotates', () => {
  it('is read to the end of the old file, then from the new one', async () => {
    await write('log', 'a1');
    await log.open();
    expect(await log.read()).toEqual(['a1']);
    await write('log', 'a2');
    await move('log', 'log.1');
    await write('log', 'b1');
    expect(await log.read()).toEqual(['a2', 'b1']);
    expect(log.troubles).toEqual([]);
  });

  it('loses nothing when it rotates several times between two looks', async () => {
    await write('log', 'a1');
    await log.open();
    await log.read();
    await write('log', 'a2');
    await move('log', 'log.1');
    await write('log', 'b1');
    await move('log.1', 'log.2');
    await move('log', 'log.1');
    await write('log', 'c1');
    expect(await log.read()).toEqual(['a2', 'b1', 'c1']);
    expect(log.troubles).toEqual([]);
  });

  it('is walked from the place of an earlier run through compressed files', async () => {
    await write('log', 'a1', 'a2');
    await log.open();
    expect(await log.readOnce()).toEqual(['a1', 'a2']);
    await write('log', 'a3');
    const { place } = log.reader;
    await log.close();
    await compress('log', 'log.2.gz');
    await unlink(at('log'));
    await write('log.1', 'b1');
    await write('log', 'c1');
    await log.open(place);
    expect(await log.read()).toEqual(['a3', 'b1', 'c1']);
    expect(log.troubles).toEqual([]);
  });

  it('is read from the plain file while its compressed form is half written', async () => {
    await write('log', 'a1');
    await log.open();
    await log.read();
    await write('log', 'a2');
    const { place } = log.reader;
    await log.close();
    await move('log', 'log.1');
    await write('log', 'b1');
    await compress('log.1', 'log.1.gz');
    await writeFile(at('log.1.gz'), (await readFile(at('log.1.gz'))).subarray(0, 15));
    await log.open(place);
    expect(await log.read()).toEqual(['a2', 'b1']);
    expect(log.troubles).toEqual([]);
  });

  it('goes on in the compressed form when the file that was read is compressed and deleted', async () => {
    await write('log', 'a1');
    await log.open();
    await log.read();
    await move('log', 'log.1');
    await write('log', 'b1');
    await compress('log.1', 'log.1.gz');
    await unlink(at('log.1'));
    await move('log.1.gz', 'log.2.gz');
    await move('log', 'log.1');
    await write('log', 'c1');
    expect(await log.read()).toEqual(['b1', 'c1']);
    expect(log.troubles).toEqual([]);
  });

  it('takes the uncompressed leftover of a crash in its turn', async () => {
    await compressed('log.2.gz', 'a1');
    await write('log.1', 'b1');
    await compressed('log.1.gz', 'b');
    await write('log', 'c1');
    await log.open('oldest');
    expect(await log.read()).toEqual(['a1', 'b1', 'c1']);
  });

  it('reads what inflates of a compressed file that was cut, tells of it, and goes on', async () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `a${i} ${(i * 7919) % 10_007}`);
    const whole = gzipSync(`${lines.join('\n')}\n`);
    await writeFile(at('log.1.gz'), whole.subarray(0, Math.floor(whole.length / 2)));
    await write('log', 'b1');
    await log.open('oldest');
    for (let look = 0; look < LIMITS.log_failures_max; look++) await log.read();
    expect(log.kinds.filter((kind) => kind !== 'torn')).toEqual(['unreadable']);
    expect(log.lines.at(-1)).toBe('b1');
    const inflated = log.lines.slice(0, -1);
    expect(inflated.length).toBeGreaterThan(1000);
    expect(inflated).toEqual(lines.slice(0, inflated.length));
  });

  it('with one file only is followed from one deleted file to the next', async () => {
    await write('log', 'a1');
    await log.open();
    await log.read();
    for (const name of ['b', 'c', 'd', 'e']) {
      await write('log', `${name}-tail`);
      await unlink(at('log'));
      await write('log', `${name}-head`);
      expect(await log.read()).toEqual([`${name}-tail`, `${name}-head`]);
    }
  });

  it('with one file only is not taken for another that got its inode number', async () => {
    await write('log', 'a1', 'a2');
    await log.open();
    await log.read();
    const { place } = log.reader;
    await log.close();
    await unlink(at('log'));
    await write('log', 'b1', 'b2', 'b3');
    await log.open(place);
    expect(await log.read()).toEqual(['b1', 'b2', 'b3']);
    expect(log.kinds).toEqual(['place_lost']);
  });

  it('is told as a gap when the file that was read went and others have come and gone', async () => {
    await write('log', 'a1');
    await log.open();
    await log.read();
    await unlink(at('log'));
    await write('log.1', 'c1');
    await write('log', 'd1');
    expect(await log.read()).toEqual(['c1', 'd1']);
    expect(log.kinds).toEqual(['place_lost']);
  });

  it('with one file only is told as a gap when the next was born long after the last was deleted', async () => {
    await write('log', 'a1');
    await log.open();
    await log.read();
    await unlink(at('log'));
    await write('log', 'b1');
    await unlink(at('log'));
    await sleep(150);
    await write('log', 'c1');
    await sleep(20);
    await write('log', 'c2');
    expect(await log.read()).toEqual(['c1', 'c2']);
    expect(log.kinds).toEqual(['place_lost']);
  });

  it('waits while the live file is away, and for a log that does not exist yet', async () => {
    await log.open();
    expect(await log.read()).toEqual([]);
    await write('log', 'a1');
    expect(await log.read()).toEqual(['a1']);
    await move('log', 'log.1');
    expect(await log.read()).toEqual([]);
    await write('log', 'b1');
    expect(await log.read()).toEqual(['b1']);
    expect(log.troubles).toEqual([]);
  });

  it('counts the unfinished end of a file that was rotated away as torn', async () => {
    await write('log', 'a1');
    await appendFile(at('log'), 'half');
    await log.open();
    expect(await log.read()).toEqual(['a1']);
    await move('log', 'log.1');
    await write('log', 'b1');
    expect(await log.read()).toEqual(['b1']);
    expect(log.troubles).toMatchObject([{ kind: 'torn', offset: 3, bytes: 4 }]);
  });

  it('whose place is behind the last line of a deleted file begins with the oldest there is', async () => {
    await write('log', 'a1');
    await log.open();
    await log.read();
    await unlink(at('log'));
    await write('log.2', 'x1');
    await write('log', 'y1');
    await log.reopen();
    expect(await log.read()).toEqual(['x1', 'y1']);
    expect(log.kinds).toEqual(['place_lost']);
  });

  async function compressed(name: string, ...lines: string[]): Promise<void> {
    await writeFile(at(name), gzipSync(lines.map((line) => `${line}\n`).join('')));
  }
});

describe('a log that kubelet rotates', () => {
  beforeEach(() => {
    log = new FollowedLines(dir.path, { rotation: 'kubelet', name: '0.log' });
  });

  it('is read from the renamed file until its writer has the new one open', async () => {
    await write('0.log', 'a1');
    await log.open();
    await log.read();
    await move('0.log', '0.log.20261123-100000');
    await write('0.log.20261123-100000', 'a2');
    expect(await log.read()).toEqual(['a2']);
    await write('0.log', 'b1');
    expect(await log.read()).toEqual([]);
    await write('0.log.20261123-100000', 'a3');
    expect(await log.read()).toEqual(['a3']);
    log.clock.advance(LIMITS.log_settle_ms);
    expect(await log.read()).toEqual(['b1']);
    expect(log.troubles).toEqual([]);
  });

  it('is followed when it is renamed back because its writer did not reopen it', async () => {
    await write('0.log', 'a1');
    await log.open();
    await log.read();
    await move('0.log', '0.log.20261123-100000');
    expect(await log.read()).toEqual([]);
    await log.reopen();
    expect(await log.read()).toEqual([]);
    await move('0.log.20261123-100000', '0.log');
    await write('0.log', 'a2');
    expect(await log.read()).toEqual(['a2']);
    expect(log.troubles).toEqual([]);
  });

  it('is walked through dated and compressed files, without those that are being written', async () => {
    await write('0.log', 'a1');
    await log.open();
    await log.read();
    await write('0.log', 'a2');
    const { place } = log.reader;
    await log.close();
    await compress('0.log', '0.log.20261123-090000.gz');
    await writeFile(at('0.log.20261123-093000.tmp'), 'half');
    await rm(at('0.log'));
    await write('0.log.20261123-093000', 'b1');
    await write('0.log', 'c1');
    await log.open(place);
    expect(await log.read()).toEqual(['a2', 'b1']);
    log.clock.advance(LIMITS.log_settle_ms);
    expect(await log.read()).toEqual(['c1']);
    expect(log.troubles).toEqual([]);
  });
});
