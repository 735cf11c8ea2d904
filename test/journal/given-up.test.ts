import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import type { JournalOptions } from '../../src/journal/options.ts';
import type { StateSpace } from '../../src/journal/types.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import { appendEvents, committed, idsOf, readAll } from '../support/journal-events.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const SPACE = 7;

/** Keeps the last position that was applied. */
class LastPosition implements StateSpace {
  value = 'none';

  snapshot(): Buffer {
    return Buffer.from(this.value);
  }

  restore(snapshot: Buffer | undefined): void {
    this.value = snapshot?.toString() ?? 'none';
  }

  apply(entry: Buffer): void {
    this.value = entry.toString();
  }
}

let dir: TempDir;
let fs: FaultyFs;
let log: RecordingLog;

beforeEach(async () => {
  dir = await tempDir('given-up');
  fs = new FaultyFs();
  log = new RecordingLog();
});

afterEach(async () => {
  fs.healAll();
  await dir.remove();
});

const open = (options: Partial<JournalOptions> = {}): Promise<Journal> =>
  Journal.open({ directory: dir.path, fs, log, ...options });

/** The journal may wait for room by now. */
const failed = ({ lines }: RecordingLog): boolean =>
  lines.some(({ fields }) => fields['state'] === 'io_error');

const outcome = (promise: Promise<unknown>): Promise<'durable' | 'given up'> =>
  promise.then(
    () => 'durable',
    () => 'given up',
  );

describe('a journal that is closed while it takes nothing', () => {
  it.each([
    { state: 'size_limit', max_bytes: 300_000, bytes: 200_000 },
    { state: 'disk_full', max_bytes: undefined, bytes: 2_000_000 },
  ])(
    'keeps nothing behind a commit that it gave up ($state)',
    async ({ state, max_bytes, bytes }) => {
      const limit = max_bytes === undefined ? {} : { max_bytes };
      const journal = await open({ ...limit, spaces: new Map([[SPACE, new LastPosition()]]) });
      await journal.cursor('out', { start: 'oldest' });
      appendEvents(journal, 't', [0], { filler_bytes: 150_000 });
      journal.note(SPACE, Buffer.from('after 0'));
      await committed(journal);
      if (state === 'disk_full') {
        fs.fillDisk();
        fs.disk_bytes += 60_000;
      }
      appendEvents(journal, 't', [1], { filler_bytes: bytes });
      journal.note(SPACE, Buffer.from('after 1'));
      const large = outcome(committed(journal));
      // The next one gathers while that is under way; it is small enough to fit.
      await turn();
      await turn();
      appendEvents(journal, 't', [2]);
      journal.note(SPACE, Buffer.from('after 2'));
      const small = outcome(committed(journal));
      await until('the journal takes nothing', () => journal.state === state);
      await journal.close();
      expect(await Promise.all([large, small])).toEqual(['given up', 'given up']);

      fs.healAll();
      const position = new LastPosition();
      const again = await open({ spaces: new Map([[SPACE, position]]) });
      expect((await readAll(again)).flatMap(idsOf)).toEqual([0]);
      expect(position.value).toBe('after 0');
      await again.close();
    },
  );
});

describe('a segment that fails behind its rename', () => {
  it('takes nothing from what is made durable after it', async () => {
    const journal = await open({ max_bytes: 300_000 });
    const cursor = await journal.cursor('out', { start: 'oldest' });
    for (const id of [0, 1, 2]) {
      appendEvents(journal, 't', [id], { filler_bytes: 60_000 });
      await committed(journal);
    }
    // There is no room: a new segment is begun, and its directory cannot be opened for now.
    fs.fail({ operation: 'syncDirectory', code: 'EMFILE' });
    appendEvents(journal, 't', [4], { filler_bytes: 130_000 });
    const durable = committed(journal);
    await until('the segment has failed', () => failed(log));
    await cursor.save(3, Buffer.alloc(0));
    fs.healAll();
    await durable;
    const { durable_seq } = journal;
    await journal.close();
    const again = await open();
    expect(again.durable_seq).toBe(durable_seq);
    expect((await readAll(again, { from_seq: 3 })).flatMap(idsOf)).toContain(4);
    await again.close();
  });
});

describe('a bad sector under the header of a segment', () => {
  it('keeps nobody from starting', async () => {
    const journal = await open();
    appendEvents(journal, 't', [0]);
    await committed(journal);
    await journal.close();
    const healthy = await open();
    appendEvents(healthy, 't', [1]);
    await committed(healthy);
    await healthy.close();
    fs.fail({ operation: 'read', code: 'EIO', path: /0000000001\.seg/, times: 1 });
    const again = await open();
    expect((await readAll(again)).flatMap(idsOf)).toContain(1);
    await again.close();
  });
});
