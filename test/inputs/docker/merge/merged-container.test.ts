import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CACHE_WALK_TIMES } from '../../../../src/inputs/docker/merge/cache-walk.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { turns } from '../../../support/docker/memory-cache.ts';
import { line, lines, logs, MERGED_ID, MergeRig } from '../../../support/docker/merge-rig.ts';

const { grace_ms } = CACHE_WALK_TIMES;
const { merge_hold_max_ms, merge_turn_max_ms } = LIMITS;
const SETTLE_MS = 300;
/** What a test that lets time pass by steps may be off by. */
const STEPS_MS = 60;

let rig: MergeRig;

beforeEach(() => {
  rig = new MergeRig();
});

afterEach(async () => {
  await rig.close();
});

describe("the first line of a container's connection", () => {
  it('waits until the cache stands still, so that what it holds goes before it', async () => {
    rig.cache.append(...lines(1, 2));
    await rig.open();
    const connection = rig.connect();
    const sent = connection.send(line(4));
    await rig.pass(100);
    rig.cache.append(line(3));
    const waited_ms = 100 + (await rig.timeOf(sent));
    expect(waited_ms).toBeGreaterThanOrEqual(SETTLE_MS);
    expect(waited_ms).toBeLessThanOrEqual(100 + SETTLE_MS + 2 * STEPS_MS);
    expect(rig.committed()).toEqual(logs(1, 4));
    expect(rig.merged.figures).toMatchObject({ recovered: 3, unanchored: 0 });
  });

  it('waits no longer once the cache has shown it', async () => {
    rig.cache.append(line(1));
    await rig.open();
    const sent = rig.connect().send(line(3));
    rig.cache.append(line(2), line(3));
    expect(await rig.timeOf(sent)).toBeLessThan(SETTLE_MS);
    await expect(sent).resolves.toBe(false);
    expect(rig.committed()).toEqual(logs(1, 3));
    expect(rig.merged.figures).toMatchObject({ recovered: 3, dropped_doubled: 1 });
  });

  it('waits no longer than the bound for a cache that goes on growing', async () => {
    rig.cache.append(line(1));
    await rig.open();
    const sent = rig.connect().send(line(900_000));
    const begun_ms = rig.clock.monotonic_ms();
    let number = 2;
    await rig.until(sent, () => {
      if (rig.clock.monotonic_ms() % 100 === 0) rig.cache.append(line(number++));
    });
    const waited_ms = rig.clock.monotonic_ms() - begun_ms;
    expect(waited_ms).toBeGreaterThanOrEqual(merge_hold_max_ms);
    expect(waited_ms).toBeLessThanOrEqual(merge_hold_max_ms + 200);
    expect(rig.merged.figures.unanchored).toBe(1);
    expect(rig.committed()).toContain('line 900000');
  });

  it('is not held for a cache that never had a line', async () => {
    await rig.open();
    expect(await rig.timeOf(rig.connect().send(line(1)))).toBe(0);
  });

  it('is not held for a cache that its driver fills only after our ack', async () => {
    rig.cache.append(line(1));
    await rig.open();
    expect(await rig.timeOf(rig.connect().send(line(2), { waits: false }))).toBe(0);
    expect(rig.committed()).toEqual(logs(1, 2));
  });

  it('is searched for each source by itself', async () => {
    rig.cache.append(...lines(1, 2), line(3, 'stderr'));
    await rig.open();
    const connection = rig.connect();
    await rig.timeOf(connection.send(line(2)));
    await expect(connection.send(line(4))).resolves.toBe(true);
    const other = connection.send(line(3, 'stderr'));
    await rig.timeOf(other);
    await expect(other).resolves.toBe(false);
    expect(rig.committed()).toEqual(logs(1, 4));
  });
});

describe('the connections of one container', () => {
  it('are served one after the other, in the order in which they came', async () => {
    await rig.open();
    const [first, second, third] = [rig.connect(), rig.connect(), rig.connect()];
    const judged: string[] = [];
    const send = (name: string, connection: typeof first, number: number): Promise<unknown> =>
      connection.send(line(number)).then(() => judged.push(name));
    const all = [send('first', first, 1), send('second', second, 2), send('third', third, 3)];
    await rig.pass(1000);
    expect(judged).toEqual(['first']);
    first.close();
    await rig.pass(1000);
    expect(judged).toEqual(['first', 'second']);
    second.close();
    await rig.timeOf(Promise.all(all));
    third.close();
    expect(judged).toEqual(['first', 'second', 'third']);
    expect(rig.committed()).toEqual(logs(1, 3));
  });

  it('wait only for so long for one that nobody closes', async () => {
    await rig.open();
    await rig.connect().send(line(1));
    const waited_ms = await rig.timeOf(rig.connect().send(line(2)));
    expect(waited_ms).toBeGreaterThanOrEqual(merge_turn_max_ms);
    expect(waited_ms).toBeLessThanOrEqual(merge_turn_max_ms + SETTLE_MS + STEPS_MS);
  });

  it('have the cache followed with patience, and at once when the last of them ends', async () => {
    await rig.open();
    const connection = rig.connect();
    await connection.send(line(1));
    rig.cache.append(line(1), line(2));
    await rig.pass(grace_ms - STEPS_MS);
    expect(rig.merged.figures.recovered).toBe(0);
    connection.close();
    await turns();
    expect(rig.merged.figures.recovered).toBe(1);
    expect(rig.committed()).toEqual(logs(1, 2));
  });
});

describe('a container that is gone', () => {
  it('has its cache read to the end', async () => {
    await rig.open();
    rig.cache.append(...lines(1, 3));
    await rig.timeOf(rig.merged.finish());
    expect(rig.committed()).toEqual(logs(1, 3));
    expect(rig.cache.readers_open).toBe(0);
  });

  it('has what its connections still bring compared all the same', async () => {
    await rig.open();
    const connection = rig.connect();
    await connection.send(line(1));
    rig.cache.append(...lines(1, 3));
    await rig.timeOf(rig.merged.finish());
    await expect(connection.send(line(2))).resolves.toBe(false);
    connection.close();
    const another = rig.connect();
    const sent = another.send(line(3));
    expect(await rig.timeOf(sent)).toBe(0);
    await expect(sent).resolves.toBe(false);
    await expect(another.send(line(4))).resolves.toBe(true);
    expect(rig.committed()).toEqual(logs(1, 4));
    expect(rig.merged.figures.unanchored).toBe(0);
  });
});

describe('what was judged', () => {
  it('is written down in the commit of its events, from the cache and from the stream', async () => {
    rig.cache.append(...lines(1, 2));
    await rig.open();
    expect(rig.journal.pending_events).toBe(2);
    rig.journal.commit();
    expect(rig.states.get(MERGED_ID)?.journaled).toEqual(rig.cache.end);
    const connection = rig.connect();
    await rig.timeOf(connection.send(line(3)));
    expect(rig.journal.pending_events).toBe(1);
    expect(rig.states.get(MERGED_ID)?.lanes[0].ahead).toEqual([]);
    rig.journal.commit();
    expect(rig.states.get(MERGED_ID)?.lanes[0].ahead).toHaveLength(1);
  });

  it('is lost together with its events when the commit fails, and judged again', async () => {
    rig.cache.append(...lines(1, 2));
    await rig.open();
    await rig.restart();
    expect(rig.committed()).toEqual(logs(1, 2));
  });
});
