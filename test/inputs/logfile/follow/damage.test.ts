/** Files that were truncated, torn, changed or removed while they are followed. */
import { appendFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import { nextClockTick } from '../../../support/clock-tick.ts';
import { FaultFs, systemError } from '../../../support/fault-fs.ts';
import { FollowedLines } from '../../../support/followed-lines.ts';
import { type TempDir, tempDir } from '../../../support/temp-dir.ts';

let dir: TempDir;
let log: FollowedLines;

beforeEach(async () => {
  dir = await tempDir('damage');
  log = new FollowedLines(dir.path);
});

afterEach(async () => {
  await log.close();
  await dir.remove();
});

const at = (name: string): string => join(dir.path, name);
const write = (name: string, text: string): Promise<void> => appendFile(at(name), text);

describe('a file that is truncated in place', () => {
  it('is read from its beginning, and told', async () => {
    await write('log', 'a1\na2\n');
    await log.open();
    await log.read();
    await truncate(at('log'), 0);
    expect(await log.read()).toEqual([]);
    await write('log', 'b1\n');
    expect(await log.read()).toEqual(['b1']);
    expect(log.kinds).toEqual(['rewound']);
  });

  it.each([
    ['as far as before', 'b1\n', ['b1']],
    ['further', 'b1\nb2\nb3\n', ['b1', 'b2', 'b3']],
  ])(
    'is noticed by the bytes before the place when it grew %s between two looks',
    async (_, text, lines) => {
      await write('log', 'a1\n');
      await log.open();
      await log.read();
      await nextClockTick(at('log'));
      await truncate(at('log'), 0);
      await write('log', text);
      expect(await log.read()).toEqual(lines);
      expect(log.kinds).toEqual(['rewound']);
    },
  );

  it('is read behind the hole of NULs that a writer leaves which does not append', async () => {
    await write('log', 'a1\na2\n');
    await log.open();
    await log.read();
    await truncate(at('log'), 0);
    await log.read();
    await writeFile(at('log'), Buffer.concat([Buffer.alloc(200_000), Buffer.from('b1\n')]));
    expect(await log.read()).toEqual(['b1']);
    expect(log.troubles).toMatchObject([
      { kind: 'rewound', offset: 0 },
      { kind: 'torn', offset: 0, bytes: 200_000 },
    ]);
    await log.reopen();
    await write('log', 'b2\n');
    expect(await log.read()).toEqual(['b2']);
  });

  it('is read to its end from the copy that was made of it', async () => {
    await write('log', 'a1\n');
    await log.open();
    await log.read();
    await nextClockTick(at('log'));
    await writeFile(at('log.1'), 'a1\na2\n');
    await truncate(at('log'), 0);
    await write('log', 'b1\n');
    expect(await log.read()).toEqual(['a2', 'b1']);
    expect(log.troubles).toEqual([]);
  });

  it('of which only an unfinished line was cut is not read twice', async () => {
    await write('log', 'a1\nhalf a li');
    await log.open();
    await log.read();
    await truncate(at('log'), 5);
    expect(await log.read()).toEqual([]);
    await write('log', '!\n');
    expect(await log.read()).toEqual(['ha!']);
    expect(log.troubles).toEqual([]);
  });
});

describe('a place that does not fit its file any more', () => {
  it('behind the end of the file goes back to the beginning', async () => {
    await write('log', 'a1\na2\na3\n');
    await log.open();
    await log.read();
    await truncate(at('log'), 6);
    await log.reopen();
    expect(await log.read()).toEqual(['a1', 'a2']);
    expect(log.troubles).toMatchObject([{ kind: 'rewound', offset: 0, bytes: 9 }]);
  });

  it('goes to where its line is now', async () => {
    await write('log', 'a1\na2\na3\na4\n');
    await log.open();
    const batch = await log.reader.read(4096);
    const behind_a3 = batch?.placeAfter(2);
    await writeFile(at('log'), 'a1\na3\na4\n');
    await log.reopen(behind_a3);
    expect(await log.read()).toEqual(['a4']);
    expect(log.troubles).toMatchObject([{ kind: 'rewound', offset: 6, bytes: 3 }]);
  });

  it('is kept when the line before it is longer than the first window', async () => {
    const long = 'x'.repeat(300_000);
    await write('log', `a1\n${long}\n`);
    await log.open();
    await log.read();
    await write('log', 'a3\n');
    await log.reopen();
    expect(await log.read()).toEqual(['a3']);
    expect(log.troubles).toEqual([]);
  });
});

describe('bytes that are no line', () => {
  it('are passed over and told once, however they come', async () => {
    await write('log', 'a1\n#torn');
    await log.open();
    await log.read();
    await write('log', ' and more');
    await log.read();
    await write('log', '\n\0\0\0a2\na3');
    expect(await log.read()).toEqual(['a2']);
    await write('log', '\n');
    expect(await log.read()).toEqual(['a3']);
    expect(log.troubles).toMatchObject([{ kind: 'torn', offset: 3, bytes: 18 }]);
  });

  it('do not lose the line behind them when their newline is the last byte so far', async () => {
    await write('log', 'a1\n#torn\n');
    await log.open();
    await log.read();
    await write('log', 'a2\n');
    expect(await log.read()).toEqual(['a2']);
    expect(log.troubles).toMatchObject([{ kind: 'torn', offset: 3, bytes: 6 }]);
  });

  it('include a line longer than any may be, and the log is read on', async () => {
    const bytes = LIMITS.log_entry_max_bytes * 3;
    await write('log', `a1\n${'x'.repeat(bytes)}\na2\na3\n`);
    await log.open();
    expect(await log.read()).toEqual(['a1', 'a2', 'a3']);
    expect(log.troubles).toMatchObject([{ kind: 'torn', offset: 3, bytes: bytes + 1 }]);
  });

  it('at the beginning of a file leave it recognizable', async () => {
    await write('log', '#torn\n');
    await log.open();
    await log.read();
    await write('log', 'a1\n');
    expect(await log.read()).toEqual(['a1']);
    await write('log', 'a2\n');
    await log.reopen();
    expect(await log.read()).toEqual(['a2']);
    expect(log.kinds).toEqual(['torn']);
  });
});

describe('a line in any piece sizes', () => {
  it('is read once, whole, wherever reads and writes part it', async () => {
    const lines = Array.from({ length: 300 }, (_, i) => `line ${i} ${'y'.repeat((i * 97) % 9000)}`);
    const text = `${lines.join('\n')}\n`;
    log = new FollowedLines(dir.path, { max_bytes: 4096 });
    await log.open();
    for (let from = 0, step = 1; from < text.length; from += step, step = (step * 7) % 40_009) {
      await write('log', text.slice(from, from + step));
      await log.read();
    }
    expect(log.lines).toEqual(lines);
  });
});

describe('a log that ends', () => {
  it('is read to its end after its folder is gone, and is ended only then', async () => {
    await write('log', 'a1\n');
    await log.open();
    await log.read();
    await write('log', 'a2\na3');
    await rm(dir.path, { recursive: true });
    expect(await log.read()).toEqual(['a2']);
    expect(log.reader.ended).toBe(false);
    log.reader.finish();
    expect(await log.read()).toEqual([]);
    expect(log.reader.ended).toBe(true);
    expect(log.troubles).toMatchObject([{ kind: 'torn', offset: 6, bytes: 2 }]);
  });

  it('that never had a file is ended at once', async () => {
    await log.open();
    log.reader.finish();
    expect(await log.read()).toEqual([]);
    expect(log.reader.ended).toBe(true);
  });

  it('that was rotated is read through before it is ended', async () => {
    await write('log.1', 'a1\n');
    await write('log', 'b1\n');
    await log.open();
    log.reader.finish();
    expect(await log.read()).toEqual(['a1', 'b1']);
    expect(log.reader.ended).toBe(true);
  });
});

describe('a log that is opened at its newest place', () => {
  it('begins behind the last whole line', async () => {
    await write('log', 'a1\na2\nha');
    await log.open('newest');
    expect(await log.read()).toEqual([]);
    await write('log', 'lf\na3\n');
    expect(await log.read()).toEqual(['half', 'a3']);
    expect(log.troubles).toEqual([]);
  });

  it('begins behind the youngest rotated file while the live one is empty', async () => {
    await write('log.1', 'a1\n');
    await write('log', '');
    await log.open('newest');
    expect(log.reader.place.offset).toBe(3);
    await write('log', 'b1\n');
    await log.reopen();
    expect(await log.read()).toEqual(['b1']);
    expect(log.troubles).toEqual([]);
  });
});

describe('a file that can not be read', () => {
  it('is tried again when the machine lacks descriptors, and nothing is skipped', async () => {
    const fs = new FaultFs();
    log = new FollowedLines(dir.path, { fs });
    await write('log', 'a1\n');
    await log.open();
    await log.read();
    await unlink(at('log'));
    await write('log', 'b1\n');
    fs.fault = ({ operation }) => (operation === 'open' ? systemError('EMFILE') : undefined);
    await expect(log.read()).rejects.toThrow('EMFILE');
    fs.fault = () => undefined;
    expect(await log.read()).toEqual(['b1']);
  });

  it('is passed over after some tries, told once', async () => {
    const fs = new FaultFs();
    log = new FollowedLines(dir.path, { fs });
    await write('log.1', 'a1\n');
    await write('log', 'b1\n');
    fs.fault = ({ operation, path }) =>
      operation === 'read' && path.endsWith('.1') ? systemError('EIO') : undefined;
    await log.open();
    for (let look = 0; look < LIMITS.log_failures_max; look++) await log.read();
    expect(log.lines).toEqual(['b1']);
    expect(log.kinds).toEqual(['unreadable']);
  });
});

describe('a log that stands still', () => {
  it('costs one stat a look', async () => {
    const fs = new FaultFs();
    log = new FollowedLines(dir.path, { fs });
    await write('log', 'a1\n');
    await log.open();
    await log.read();
    fs.calls.length = 0;
    await log.read();
    await log.read();
    expect(fs.calls.map(({ operation }) => operation)).toEqual(['statNow', 'statNow']);
  });
});
