import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReadMemory } from '../../../../src/inputs/logfile/follow/read-memory.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { FollowedLines } from '../../../support/followed-lines.ts';
import { type TempDir, tempDir } from '../../../support/temp-dir.ts';

describe('ReadMemory', () => {
  it('gives the memory that came back to the next one who reads', () => {
    const memory = new ReadMemory();
    const first = memory.take(4096);
    expect(first.length).toBe(4096);
    memory.give(first);
    const second = memory.take(LIMITS.log_read_max_bytes);
    expect(second.length).toBe(LIMITS.log_read_max_bytes);
    expect(second.buffer).toBe(first.buffer);
    expect(memory.take(4096).buffer).not.toBe(first.buffer);
  });

  it('keeps no more than is read at the same moment, and nothing that is longer than a read', () => {
    const memory = new ReadMemory();
    const taken = Array.from({ length: 2 * LIMITS.poll_concurrent_max }, () => memory.take(1));
    for (const one of taken) memory.give(one);
    const again = new Set(taken.map(() => memory.take(1).buffer));
    const kept = taken.filter(({ buffer }) => again.has(buffer));
    expect(kept.length).toBe(LIMITS.poll_concurrent_max);
    const long = memory.take(LIMITS.log_entry_max_bytes);
    expect(long.length).toBe(LIMITS.log_entry_max_bytes);
    memory.give(long);
    expect(memory.take(1).buffer).not.toBe(long.buffer);
  });
});

describe('a log that rests in the middle of what it has', () => {
  let dir: TempDir;
  let log: FollowedLines;

  beforeEach(async () => {
    dir = await tempDir('read-memory');
    log = new FollowedLines(dir.path, { max_bytes: 4096 });
  });

  afterEach(async () => {
    await log.close();
    await dir.remove();
  });

  it('holds no memory, and goes on where it was', async () => {
    const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
    await appendFile(join(dir.path, 'log'), `${lines.join('\n')}\n`);
    await log.open();
    const read: string[] = [];
    const used = new Set<unknown>();
    for (;;) {
      const batch = await log.reader.read(4096);
      if (batch === undefined) break;
      used.add(batch.buf.buffer);
      for (let index = 0; index < batch.count; index++) {
        read.push(batch.buf.toString('latin1', batch.start(index), batch.end(index)).trim());
      }
      log.reader.rest();
      const given_back = log.memory.take(1);
      expect(used).toContain(given_back.buffer);
      // What others read into it changes nothing.
      Buffer.from(given_back.buffer).fill('x');
      log.memory.give(given_back);
    }
    expect(read).toEqual(lines);
    expect(used.size).toBe(1);
    expect(log.troubles).toEqual([]);
  });
});
