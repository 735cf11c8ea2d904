import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CACHE_WALK_TIMES } from '../../../../src/inputs/docker/merge/cache-walk.ts';
import { turns } from '../../../support/docker/memory-cache.ts';
import { line, lines } from '../../../support/docker/merge-rig.ts';
import { WalkRig } from '../../../support/docker/walk-rig.ts';
import { localFrame } from '../../../support/docker-entries.ts';

const { grace_ms, busy_poll_ms, idle_poll_ms } = CACHE_WALK_TIMES;
const SETTLE_MS = 300;
const never = (): boolean => false;

let rig: WalkRig;

beforeEach(() => {
  rig = new WalkRig();
});

afterEach(() => rig.stop());

describe('a line of the cache that the stream has not shown', () => {
  it('is journaled at once while no connection lives', async () => {
    rig.cache.append(...lines(1, 3));
    await rig.begin();
    expect(rig.recovered).toEqual(['line 1', 'line 2', 'line 3']);
  });

  it('is given a moment while a connection lives, and then journaled', async () => {
    rig.is_streaming = true;
    rig.cache.append(line(1));
    await rig.begin();
    await rig.pass(grace_ms - 10);
    expect(rig.recovered).toEqual([]);
    await rig.pass(10);
    expect(rig.recovered).toEqual(['line 1']);
  });

  it('shares its moment with the lines that were read with it', async () => {
    rig.is_streaming = true;
    rig.cache.append(...lines(1, 50));
    await rig.begin();
    await rig.pass(grace_ms);
    expect(rig.recovered).toHaveLength(50);
  });

  it('is left out when the stream shows it within that moment', async () => {
    rig.is_streaming = true;
    rig.cache.append(...lines(1, 2));
    await rig.begin();
    rig.stream(line(1));
    await turns();
    expect(rig.core.journaled).toEqual(rig.cache.place(1));
    rig.stream(line(2));
    await turns();
    expect(rig.core.journaled).toEqual(rig.cache.end);
    await rig.pass(2 * grace_ms);
    expect(rig.recovered).toEqual([]);
  });

  it('is journaled at once when the last connection ends meanwhile', async () => {
    rig.is_streaming = true;
    rig.cache.append(line(1));
    await rig.begin();
    rig.is_streaming = false;
    rig.walk.hurry();
    await turns();
    expect(rig.recovered).toEqual(['line 1']);
  });

  it('is journaled at once when somebody waits for what the cache has', async () => {
    rig.is_streaming = true;
    rig.cache.append(line(1));
    await rig.begin();
    const caught_up = rig.walk.caughtUp(0, 1000, never);
    await turns();
    expect(rig.recovered).toEqual(['line 1']);
    await expect(caught_up).resolves.toBe(true);
  });

  it('does not let one of the other source be taken for it', async () => {
    rig.is_streaming = true;
    rig.cache.append(line(1, 'stderr'));
    await rig.begin();
    rig.stream(line(1, 'stdout'));
    await rig.pass(grace_ms);
    expect(rig.recovered).toEqual(['line 1']);
  });
});

describe('a cache that is followed', () => {
  it('is written down behind every line that was judged, before anything else happens', async () => {
    rig.cache.batch_max_lines = 2;
    rig.cache.append(...lines(1, 5));
    await rig.begin();
    expect(rig.recovered).toHaveLength(5);
    expect(rig.noted_count).toBe(5);
    expect(rig.core.journaled).toEqual(rig.cache.end);
  });

  it('is looked at more rarely the longer it stands still, and often while a connection lives', async () => {
    await rig.begin();
    await rig.pass(10_000);
    const before = rig.cache.reads;
    await rig.pass(10 * idle_poll_ms);
    expect(rig.cache.reads - before).toBeLessThanOrEqual(10);
    rig.cache.append(line(1));
    await rig.pass(idle_poll_ms);
    expect(rig.recovered).toEqual(['line 1']);
    rig.is_streaming = true;
    await rig.pass(idle_poll_ms);
    rig.stream(line(2));
    rig.cache.append(line(2));
    await rig.pass(busy_poll_ms);
    expect(rig.core.journaled).toEqual(rig.cache.end);
  });

  it('passes over entries that are none, and counts them', async () => {
    rig.cache.append(line(1));
    const broken = localFrame(line(2));
    broken.fill(0xff, 4, broken.length - 4);
    rig.cache.appendFrame(broken);
    rig.cache.append(line(3));
    await rig.begin();
    expect(rig.recovered).toEqual(['line 1', 'line 3']);
    expect(rig.walk.torn_count).toBe(1);
    expect(rig.core.journaled).toEqual(rig.cache.end);
  });

  it('is not judged while the journal takes nothing', async () => {
    rig.journal.become('disk_full');
    rig.cache.append(line(1));
    await rig.begin();
    await rig.pass(1000);
    expect(rig.recovered).toEqual([]);
    rig.journal.become('writable');
    await turns();
    expect(rig.recovered).toEqual(['line 1']);
  });

  it('ends when its container is gone and everything is read, without waiting for a look', async () => {
    await rig.begin();
    const caught_up = rig.walk.caughtUp(SETTLE_MS, 1000, never);
    await turns();
    rig.cache.append(...lines(1, 2));
    await rig.finish();
    expect(rig.recovered).toEqual(['line 1', 'line 2']);
    await expect(caught_up).resolves.toBe(true);
    await expect(rig.walk.caughtUp(SETTLE_MS, 1000, never)).resolves.toBe(true);
  });

  it('is tried again when it cannot be read, which is said', async () => {
    rig.cache.append(line(1));
    rig.cache.failures.push(new Error('EMFILE'), new Error('EMFILE'));
    await rig.begin();
    expect(rig.recovered).toEqual([]);
    await rig.pass(2 * idle_poll_ms);
    expect(rig.recovered).toEqual(['line 1']);
    expect(rig.log.said('warn')).toHaveLength(1);
    expect(rig.log.said('warn')[0]).toContain('EMFILE');
  });

  it('says once a minute, with a count, that it still cannot be read', async () => {
    rig.cache.failures.push(...Array.from({ length: 70 }, () => new Error('EMFILE')));
    await rig.begin();
    await rig.pass(65 * idle_poll_ms);
    expect(rig.log.said('warn')).toHaveLength(2);
    expect(rig.log.said('warn')[1]).toContain('"suppressed":59');
  });

  it('stops while it waits for a read to be tried again', async () => {
    rig.cache.failures.push(new Error('EMFILE'));
    await rig.begin();
    await rig.stop();
    expect(rig.cache.reads).toBe(1);
  });
});
