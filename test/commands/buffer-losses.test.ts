/** What `buffer verify` says of events that are gone, and `buffer ls` after a trim took some. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { cli } from '../cli/fake-host.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { append, damage, openJournal, range } from './buffer-rig.ts';

const EVENTS = 40;

let dir: TempDir;
let journal: Journal;

/** Two events a record; `aggregator` has delivered the first half, `archive` nothing. */
beforeEach(async () => {
  dir = await tempDir('buffer-losses');
  journal = await openJournal(dir.path);
  const cursor = await journal.cursor('aggregator', { start: 'oldest' });
  await journal.cursor('archive', { start: 'oldest' });
  for (const first of range(0, EVENTS / 2))
    await append(journal, 'app', [first * 2, first * 2 + 1]);
  await cursor.save(EVENTS / 4 + 1, Buffer.alloc(0));
  await journal.close();
});

afterEach(async () => {
  await journal.close();
  await dir.remove();
});

const verify = (flags = ''): ReturnType<typeof cli> => cli(`buffer verify ${dir.path}${flags}`);

async function segments(): Promise<string[]> {
  return (await readdir(dir.path)).filter((name) => name.endsWith('.seg')).toSorted();
}

describe('buffer verify', () => {
  it('says under which reason events are lost, and who had not delivered them', async () => {
    await damage(dir.path, 3);
    const { code, out } = await verify();
    expect(code).toBe(1);
    expect(out).toContain('lost: 2 events damaged in the journal (corrupt)\n');
    expect(out).toContain('output archive had not delivered 2 of them\n');
    expect(out).not.toContain('output aggregator');
    expect(JSON.parse((await verify(' --json')).out)).toMatchObject({
      lost_events: 2,
      lost_by_reason: { corrupt: 2 },
      lost_by_output: { aggregator: 0, archive: 2 },
    });
  });

  it('counts what is lost also when it is the first record of all', async () => {
    await damage(dir.path, 1);
    expect((await verify()).out).toContain('lost: 2 events damaged in the journal (corrupt)\n');
  });

  it('tells a segment file that is gone from damage, and takes both for a loss', async () => {
    const [, second = ''] = await segments();
    await rm(join(dir.path, second));
    const { code, out } = await verify();
    expect(code).toBe(1);
    expect(out).toMatch(/^lost: \d+ events in a journal file that is gone \(missing_segment\)$/m);
    expect(out).toMatch(/DAMAGED\n$/);
    await damage(dir.path, 1);
    expect((await verify()).out).toMatch(
      /^lost: (\d+) events: 2 damaged in the journal \(corrupt\), \d+ in a journal file that is gone \(missing_segment\)$/m,
    );
  });

  it('notices that the newest segment file is gone', async () => {
    const last = (await segments()).at(-1) ?? '';
    await rm(join(dir.path, last));
    const { code, out } = await verify();
    expect([code, out]).toEqual([1, expect.stringContaining(`${last} is gone`)]);
    expect(out).toContain('lost: not known');
  });

  it('takes segments that were deleted in good order for no loss', async () => {
    await cli(`buffer trim ${dir.path} --before-seq 10 --force`);
    const { code, out } = await verify();
    expect([code, out]).toEqual([0, expect.stringContaining('every checksum is right')]);
    expect(out).not.toContain('lost');
  });
});

describe('buffer ls after a forced trim', () => {
  it('shows what waits of what is left, and how much an output has lost', async () => {
    const { out: trimmed } = await cli(`buffer trim ${dir.path} --before-seq 8 --force`);
    const gone = Number(/output archive loses (\d+) events/.exec(trimmed)?.[1]);
    expect(gone).toBeGreaterThan(0);
    const first_seq = Number((await segments())[0]?.slice(0, 16));
    const { out } = await cli(`buffer ls ${dir.path}`);
    expect(out).toMatch(new RegExp(`^archive +${first_seq} +${EVENTS - gone} `, 'm'));
    expect(out).toContain(
      `output archive: ${gone} events before seq ${first_seq} are gone; the next start counts them as missing_segment\n`,
    );
    expect(JSON.parse((await cli(`buffer ls ${dir.path} --json`)).out)).toMatchObject({
      outputs: [
        { output: 'aggregator', missing_events: 0 },
        { output: 'archive', next_seq: first_seq, events: EVENTS - gone, missing_events: gone },
      ],
    });
    const status = JSON.parse((await cli(`status --journal ${dir.path} --json`)).out);
    expect(status.outputs).toContainEqual(
      expect.objectContaining({ name: 'archive', lag_events: EVENTS - gone }),
    );
  });
});
