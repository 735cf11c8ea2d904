import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../../src/protocol/event.ts';
import { FED_ID, FEED_IDENTITY, FEED_KEY, FeedRig } from '../../support/docker/feed-rig.ts';
import type { Entry } from '../../support/docker-entries.ts';

const line = (number: number): Entry => ({
  source: 'stdout',
  log: Buffer.from(`line ${number}`),
  time_s: 1_700_000_000 + number,
  time_ns: 5,
});

/** A line in so many pieces, as Docker cuts it. */
function pieces(number: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => ({
    ...line(number),
    log: Buffer.from(`piece ${index + 1} of ${number}`),
    partial: { id: '', ordinal: 0, last: index === count - 1 },
  }));
}

let rig: FeedRig;

beforeEach(() => {
  rig = new FeedRig();
});

afterEach(() => rig.close());

describe('the feed of a log', () => {
  it('journals each line as the driver would have sent it', async () => {
    rig.write(line(1));
    await rig.start();
    rig.journal.commit();
    expect(rig.journal.records).toMatchObject([{ tag: 'docker.web', count: 1 }]);
    expect(rig.events()).toEqual([
      {
        time_s: 1_700_000_001,
        time_ns: 5,
        record: {
          container_id: FED_ID,
          container_name: '/web',
          source: 'stdout',
          log: 'line 1',
          team: 'x',
        },
      },
    ]);
    expect(rig.feed.figures).toEqual({ lines: 1, torn: 0 });
  });

  it('notes its place in the commit of the lines before it', async () => {
    await rig.start();
    rig.journal.commit();
    const before = rig.positions.get(FEED_KEY);
    rig.write(line(1), line(2));
    await rig.look();
    expect(rig.journal.pending_events).toBe(2);
    expect(rig.positions.get(FEED_KEY)).toEqual(before);
    rig.journal.commit();
    expect(rig.positions.get(FEED_KEY)).not.toEqual(before);
    await rig.restart({ is_killed: true });
    rig.journal.commit();
    expect(rig.logs()).toEqual(['line 1', 'line 2']);
  });

  it('begins where it was told to, and stays there though no line comes before a restart', async () => {
    rig.start_at = 'newest';
    rig.write(line(1));
    await rig.start();
    await rig.feed.stop();
    rig.journal.commit();
    rig.write(line(2));
    await rig.start();
    rig.journal.commit();
    expect(rig.logs()).toEqual(['line 2']);
  });

  it('passes over and counts what is no line', async () => {
    rig.write(line(1));
    rig.files.appendFrame(Buffer.concat([Buffer.alloc(40), Buffer.from('\n')]));
    rig.write(line(2));
    await rig.start();
    rig.journal.commit();
    expect(rig.logs()).toEqual(['line 1', 'line 2']);
    expect(rig.feed.figures).toEqual({ lines: 2, torn: 1 });
  });

  it('waits while the journal takes nothing', async () => {
    rig.journal.become('disk_full');
    rig.write(line(1));
    await rig.start();
    await rig.look();
    expect(rig.journal.pending_events).toBe(0);
    rig.journal.become('writable');
    await rig.look();
    expect(rig.journal.pending_events).toBe(1);
  });

  it('holds no memory of its log between two looks', async () => {
    await rig.start();
    const rests_before = rig.files.rests;
    rig.write(line(1));
    await rig.look();
    expect(rig.journal.pending_events).toBe(1);
    expect(rig.files.rests).toBeGreaterThan(rests_before);
  });

  it('asks whose lines they are for each second, and again for the next lines', async () => {
    const asked: number[] = [];
    rig.identityAt = (time_s) => {
      asked.push(time_s);
      return { ...FEED_IDENTITY, tag: `tag.${asked.length}` };
    };
    rig.write(line(1), line(1), line(2), line(1));
    await rig.start();
    rig.write(line(1));
    await rig.look();
    rig.journal.commit();
    const first_s = line(1).time_s;
    expect(asked).toEqual([first_s, first_s + 1, first_s, first_s]);
    expect(rig.journal.records).toMatchObject([
      { tag: 'tag.1', count: 2 },
      { tag: 'tag.2', count: 1 },
      { tag: 'tag.3', count: 1 },
      { tag: 'tag.4', count: 1 },
    ]);
  });

  it('stops while the journal takes nothing', async () => {
    rig.journal.become('disk_full');
    rig.write(line(1));
    await rig.start();
    await rig.feed.stop();
    expect(rig.files.readers_open).toBe(0);
  });

  it('is tried again when its log cannot be read, and says so by name', async () => {
    rig.files.failures.push(new Error('EMFILE'));
    rig.write(line(1));
    await rig.start();
    expect(rig.log.said('warn').join()).toContain(FEED_KEY);
    expect(rig.log.said('warn').join()).toContain('EMFILE');
    await rig.look();
    rig.journal.commit();
    expect(rig.logs()).toEqual(['line 1']);
  });

  it('reads what is left once nothing will be written any more, and lets go of the files', async () => {
    await rig.start();
    rig.write(line(1), line(2));
    const finished = rig.feed.finish();
    await rig.look();
    await finished;
    rig.journal.commit();
    expect(rig.logs()).toEqual(['line 1', 'line 2']);
    expect(rig.files.readers_open).toBe(0);
  });

  it('takes another identity for the lines that it reads from then on', async () => {
    rig.write(line(1));
    await rig.start();
    rig.identity = { ...FEED_IDENTITY, tag: 'docker.api', container_name: '/api' };
    rig.write(line(2));
    await rig.look();
    rig.journal.commit();
    expect(rig.journal.records.map(({ tag }) => tag)).toEqual(['docker.web', 'docker.api']);
    expect(rig.events().map(({ record }) => record['container_name'])).toEqual(['/web', '/api']);
  });
});

describe('a long line in pieces', () => {
  const partial = ({ record }: Event): unknown => [
    record['log'],
    record['partial_ordinal'],
    record['partial_last'],
  ];

  it('goes on behind a restart as the same line', async () => {
    const [first, second, last] = pieces(1, 3) as [Entry, Entry, Entry];
    rig.write(first, second);
    await rig.start();
    await rig.restart({ is_killed: false });
    rig.write(last, line(2));
    await rig.look();
    rig.journal.commit();
    const events = rig.events();
    expect(events.map(partial)).toEqual([
      ['piece 1 of 1', '1', 'false'],
      ['piece 2 of 1', '2', 'false'],
      ['piece 3 of 1', '3', 'true'],
      ['line 2', undefined, undefined],
    ]);
    const ids = events.slice(0, 3).map(({ record }) => record['partial_id']);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a log whose reader is killed again and again', () => {
  const entries = fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 20 })
    .map((counts) =>
      counts.flatMap((count, number) => (count === 1 ? [line(number)] : pieces(number, count))),
    );
  const steps = fc.array(fc.constantFrom('write', 'look', 'commit', 'kill', 'stop'), {
    maxLength: 40,
  });

  it('is in the journal once, in its order, as if it had been read in one go', async () => {
    await fc.assert(
      fc.asyncProperty(entries, steps, async (all, course) => {
        const whole = await new FeedRig().start();
        whole.write(...all);
        await whole.look();
        whole.journal.commit();
        const cut = await new FeedRig().start();
        let written = 0;
        for (const step of course) {
          if (step === 'write') {
            cut.write(...all.slice(written, written + 2));
            written += 2;
          } else if (step === 'look') await cut.look();
          else if (step === 'commit') cut.journal.commit();
          else await cut.restart({ is_killed: step === 'kill' });
        }
        cut.write(...all.slice(written));
        await cut.look();
        cut.journal.commit();
        expect(cut.events()).toEqual(whole.events());
        expect(whole.events()).toHaveLength(all.length);
        await Promise.all([cut.close(), whole.close()]);
      }),
    );
  }, 60_000);
});
