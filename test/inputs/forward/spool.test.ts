import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EntryGather } from '../../../src/inputs/forward/entry-gather.ts';
import { Spool, SpoolPool } from '../../../src/inputs/forward/spool.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('spool');
});

afterEach(() => dir.remove());

const pattern = (bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

async function contents(spool: Spool): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of spool.read()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function append(spool: Spool, bytes: Buffer, step: number): void {
  for (let at = 0; at < bytes.length; at += step) {
    spool.append(bytes, at, Math.min(bytes.length, at + step));
  }
}

describe('a spool', () => {
  test.each([
    ['in memory', 1_000_000],
    ['partly in a file', 100_000],
    ['all in a file', 0],
  ])(
    '%s gives back what was appended, as often as it is asked',
    async (_where, memory_max_bytes) => {
      const pool = new SpoolPool(dir.path, memory_max_bytes);
      const spool = new Spool(pool);
      const bytes = pattern(300_000);
      append(spool, bytes, 777);
      expect(spool.bytes).toBe(300_000);
      expect(pool.memory_bytes).toBeLessThanOrEqual(memory_max_bytes);
      expect((await contents(spool)).equals(bytes)).toBe(true);
      expect((await contents(spool)).equals(bytes)).toBe(true);
      expect(readdirSync(dir.path)).toEqual([]);
      spool.discard();
      spool.discard();
      expect(pool.memory_bytes).toBe(0);
    },
  );

  test('tells when it is behind, and when it has caught up', async () => {
    const spool = new Spool(new SpoolPool(dir.path, 0));
    spool.append(Buffer.alloc(3_000_000), 0, 3_000_000);
    expect(spool.behind).toBe(true);
    await spool.drained();
    expect(spool.behind).toBe(false);
    spool.discard();
  });

  test('that cannot write its file says where, and what to do', async () => {
    const path = join(dir.path, 'file');
    writeFileSync(path, '');
    const spool = new Spool(new SpoolPool(path, 0));
    spool.append(Buffer.alloc(10), 0, 10);
    await expect(spool.drained()).rejects.toMatchObject({ code: 'LB_JOURNAL_IO', where: path });
    await expect(contents(spool)).rejects.toMatchObject({ code: 'LB_JOURNAL_IO' });
    spool.discard();
  });

  test('may be discarded while it is being written', async () => {
    const pool = new SpoolPool(dir.path, 10_000);
    const spool = new Spool(pool);
    append(spool, pattern(200_000), 50_000);
    spool.discard();
    await spool.drained();
    expect(pool.memory_bytes).toBe(0);
    await until('no file', () => readdirSync(dir.path).length === 0);
  });
});

describe('gathered entries', () => {
  test('are cut into records between runs, each with its own counts and times', async () => {
    const gather = new EntryGather(Buffer.from('tag'), new SpoolPool(dir.path, 0), 100);
    const bytes = pattern(250);
    gather.add(bytes, 0, 60, 2, 5, 9, 0);
    gather.add(bytes, 60, 100, 1, 3, 3, 1);
    gather.add(bytes, 100, 220, 1, 0, 0, 0);
    gather.add(bytes, 220, 250, 4, 7, 7, 0);
    expect(gather.events).toBe(8);
    const records = [];
    for await (const { body, ...rest } of gather.records()) {
      records.push({ ...rest, body: Buffer.concat(body) });
    }
    const common = { tag: Buffer.from('tag'), codec: 0 };
    expect(records).toEqual([
      { ...common, attrs: 1, count: 3, time_min_s: 3, time_max_s: 9, body: bytes.subarray(0, 100) },
      {
        ...common,
        attrs: 0,
        count: 1,
        time_min_s: 0,
        time_max_s: 0,
        body: bytes.subarray(100, 220),
      },
      {
        ...common,
        attrs: 0,
        count: 4,
        time_min_s: 7,
        time_max_s: 7,
        body: bytes.subarray(220, 250),
      },
    ]);
    gather.discard();
  });
});
