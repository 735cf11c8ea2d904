/** Ctrl-C in the middle of a long look: what was printed is not all, and that is said. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runProgram } from '../../src/commands/program.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { FakeHost } from '../cli/fake-host.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { append, openJournal, range } from './buffer-rig.ts';

let dir: TempDir;
let journal: Journal;

beforeEach(async () => {
  dir = await tempDir('ended-early');
  journal = await openJournal(dir.path);
  for (const n of range(0, 20)) await append(journal, 'app', [n]);
});

afterEach(async () => {
  await journal.close();
  await dir.remove();
});

it.each(['ls', 'cat', 'verify', 'export'])('buffer %s says it and ends with 1', async (command) => {
  const host = new FakeHost(['buffer', command, dir.path], {});
  host.onStop = (stop) => stop('SIGINT');
  const code = await runProgram(host, {
    relay: () => Promise.reject(new Error('no relay was to be started')),
  });
  expect([code, host.err]).toEqual([1, expect.stringMatching(/^logboom: stopped early: /)]);
});
