/** Rotations that happen between two system calls of one look. */
import { appendFileSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FaultFs, type FileCall } from '../../../support/fault-fs.ts';
import { FollowedLines } from '../../../support/followed-lines.ts';
import { type TempDir, tempDir } from '../../../support/temp-dir.ts';

let dir: TempDir;
let fs: FaultFs;
let log: FollowedLines;

beforeEach(async () => {
  dir = await tempDir('races');
  fs = new FaultFs();
  log = new FollowedLines(dir.path, { fs });
});

afterEach(async () => {
  await log.close();
  await dir.remove();
});

const at = (name: string): string => join(dir.path, name);
const write = (text: string): void => appendFileSync(at('log'), text);

function rotate(): void {
  if (existsSync(at('log.1'))) renameSync(at('log.1'), at('log.2'));
  renameSync(at('log'), at('log.1'));
  writeFileSync(at('log'), '');
}

/** Runs `act` once, right before the `nth` call of this kind on the live file. */
function before(operation: FileCall['operation'], nth: number, act: () => void): void {
  let seen = 0;
  fs.fault = (call) => {
    if (call.operation === operation && call.path === at('log') && ++seen === nth) act();
    return undefined;
  };
}

it('brings what was written between the last read of a file and its rotation', async () => {
  write('a1\n');
  await log.open();
  before('statNow', 1, () => {
    write('a2\n');
    rotate();
    write('b1\n');
  });
  expect(await log.read()).toEqual(['a1', 'a2', 'b1']);
});

it('does not skip a file that is rotated away while it is being opened', async () => {
  write('a1\n');
  await log.open();
  await log.read();
  rotate();
  write('b1\n');
  // It is opened to see that it is there, and again behind the last read of the one before.
  before('open', 2, () => {
    rotate();
    write('c1\n');
  });
  await log.read();
  await log.read();
  expect(log.lines).toEqual(['a1', 'b1', 'c1']);
  expect(log.troubles).toEqual([]);
});

it('finds the oldest file though it is rotated while it is being opened', async () => {
  write('a1\n');
  before('open', 1, () => {
    rotate();
    write('b1\n');
  });
  await log.open('oldest');
  expect(await log.read()).toEqual(['a1', 'b1']);
});
