import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { appendEvents, committed } from '../support/journal-events.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const STARTED_MS = Date.UTC(2026, 10, 23, 8);
const HOUR_MS = 3_600_000;
const SPACE = 1;
const STATE = { snapshot: () => Buffer.alloc(0), restore() {}, apply() {} };

describe('the time of the oldest event', () => {
  let dir: TempDir;
  let clock: ManualClock;
  let journal: Journal;

  const open = async (): Promise<void> => {
    const spaces = new Map([[SPACE, STATE]]);
    journal = await Journal.open({ directory: dir.path, clock, spaces, linger_ms: 0 });
  };

  /** As the note that logboom is alive: a commit without events. */
  const note = async (): Promise<void> => {
    journal.note(SPACE, Buffer.from('alive'));
    await committed(journal);
  };

  const append = async (id: number): Promise<void> => {
    appendEvents(journal, 'app', [id]);
    await committed(journal);
  };

  beforeEach(async () => {
    dir = await tempDir('oldest-event');
    clock = new ManualClock(STARTED_MS);
    await open();
  });

  afterEach(async () => {
    await journal.close();
    await dir.remove();
  });

  it('is that of its commit, not that of an idle start or of notes before it', async () => {
    clock.advance(HOUR_MS);
    await note();
    clock.advance(HOUR_MS);
    await append(1);
    clock.advance(HOUR_MS);
    await append(2);
    expect(journal.totals().oldest_ms).toBe(STARTED_MS + 2 * HOUR_MS);
  });

  it('is that of a large message, which has a commit of its own', async () => {
    clock.advance(HOUR_MS);
    const record = { tag: Buffer.from('app'), codec: 0, attrs: 0, body: [Buffer.from('x')] };
    await journal.appendLarge(
      (async function* () {
        yield { ...record, count: 1, time_min_s: 0, time_max_s: 0 };
      })(),
      [],
    );
    expect(journal.totals().oldest_ms).toBe(STARTED_MS + HOUR_MS);
  });

  it('is still known after a restart', async () => {
    clock.advance(HOUR_MS);
    await append(1);
    await journal.close();
    clock.advance(HOUR_MS);
    await open();
    clock.advance(HOUR_MS);
    await append(2);
    expect(journal.totals().oldest_ms).toBe(STARTED_MS + HOUR_MS);
  });
});
