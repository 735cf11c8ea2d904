import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lane } from '../../../../src/inputs/docker/merge/reconcile.ts';
import { MergeModel, type ModelStep } from '../../../support/docker/merge-model.ts';

const place = (offset: number) => ({ fingerprint: 1, offset, check: 0 });
/** The cache shows line `key` as its line number `index`. True: it is to be journaled. */
function cacheShows(lane: Lane, key: number, index: number): boolean {
  if (lane.match(key)) return false;
  lane.owe(key, place(index), place(index + 1));
  return true;
}

describe('a lane', () => {
  it('leaves out of the cache what the stream has shown', () => {
    const lane = new Lane(undefined);
    expect(lane.stream(1)).toBe('journal');
    expect(lane.stream(2)).toBe('journal');
    expect(cacheShows(lane, 1, 0)).toBe(false);
    expect(cacheShows(lane, 2, 1)).toBe(false);
    expect(lane.ahead_count).toBe(0);
  });

  it('leaves out of the stream what the cache has shown', () => {
    const lane = new Lane(undefined);
    expect(cacheShows(lane, 1, 0)).toBe(true);
    expect(cacheShows(lane, 2, 1)).toBe(true);
    expect(lane.stream(1)).toBe('resent');
    expect(lane.stream(2)).toBe('resent');
    expect(lane.stream(3)).toBe('journal');
  });

  it('puts in what the stream lost between two lines that it shows', () => {
    const lane = new Lane(undefined);
    for (const key of [1, 2, 5, 6]) lane.stream(key);
    const put_in = [1, 2, 3, 4, 5, 6].filter((key, index) => cacheShows(lane, key, index));
    expect(put_in).toEqual([3, 4]);
  });

  it('keeps what only the stream has when the cache goes on without it', () => {
    const lane = new Lane(undefined);
    for (const key of [1, 2, 3]) lane.stream(key);
    expect(cacheShows(lane, 1, 0)).toBe(false);
    expect(cacheShows(lane, 3, 1)).toBe(false);
    expect(lane.ahead_count).toBe(1);
  });

  it('gives up a line that the cache has passed by for long', () => {
    const limits = { ahead_max_lines: 99, owed_max_lines: 99, passed_max_lines: 3 };
    const lane = new Lane(undefined, limits);
    for (const key of [1, 2, 3, 4, 5, 6]) lane.stream(key);
    for (const key of [2, 3, 4, 5]) cacheShows(lane, key, key);
    expect(lane.ahead_count).toBe(1);
    expect(lane.expects(1)).toBe(false);
  });

  it('compares with what is in memory once the cache is gone', () => {
    const limits = { ahead_max_lines: 99, owed_max_lines: 3, passed_max_lines: 99 };
    const lane = new Lane(undefined, limits);
    for (const key of [1, 2, 3, 4]) cacheShows(lane, key, key);
    expect(lane.recall_from).toEqual(place(4));
    lane.settle();
    expect(lane.recall_from).toBeUndefined();
    expect([2, 1, 3].map((key) => lane.stream(key))).toEqual(['resent', 'resent', 'resent']);
    expect(lane.stream(4)).toBe('journal');
    expect(lane.kept_count).toBe(1);
  });

  it('counts equal lines one for one', () => {
    const lane = new Lane(undefined);
    for (const key of [7, 7, 7]) lane.stream(key);
    const put_in = [7, 7, 7, 7, 7].filter((key, index) => cacheShows(lane, key, index));
    expect(put_in).toHaveLength(2);
    expect([7, 7, 7].map((key) => lane.stream(key))).toEqual(['resent', 'resent', 'journal']);
  });

  it('forgets what the stream owes once the stream is past it for long', () => {
    const limits = { ahead_max_lines: 99, owed_max_lines: 99, passed_max_lines: 2 };
    const lane = new Lane(undefined, limits);
    cacheShows(lane, 1, 0);
    lane.stream(2);
    expect(cacheShows(lane, 2, 1)).toBe(false);
    expect(lane.owes(1)).toBe(true);
    for (const key of [3, 4, 5]) lane.stream(key);
    expect(lane.owes(1)).toBe(false);
    expect(lane.takeChange().seen).toBeUndefined();
  });

  it('counts a line as late when the stream has brought one behind it', () => {
    const lane = new Lane(undefined);
    for (const key of [1, 4]) lane.stream(key);
    for (const key of [1, 2, 3, 4, 5]) cacheShows(lane, key, key);
    expect(lane.late_count).toBe(2);
  });

  it('says that it does not know when more is owed than it keeps in memory', () => {
    const lane = new Lane(undefined, {
      ahead_max_lines: 4,
      owed_max_lines: 2,
      passed_max_lines: 9,
    });
    for (const key of [1, 2, 3]) cacheShows(lane, key, key - 1);
    expect(lane.stream(3)).toBe('unknown');
    expect(lane.recall_from).toEqual(place(2));
    expect(lane.stream(1)).toBe('resent');
  });

  it('writes down since where the stream owes lines', () => {
    const lane = new Lane(undefined);
    cacheShows(lane, 1, 0);
    cacheShows(lane, 2, 1);
    expect(lane.takeChange().seen).toEqual(place(0));
    lane.stream(1);
    expect(lane.takeChange().seen).toEqual(place(1));
    lane.stream(2);
    expect(lane.takeChange().seen).toBeUndefined();
  });

  it('makes room by giving up the oldest lines that the cache did not show', () => {
    const lane = new Lane(undefined, {
      ahead_max_lines: 4,
      owed_max_lines: 4,
      passed_max_lines: 9,
    });
    for (const key of [1, 2, 3, 4]) lane.stream(key);
    expect(lane.isFull).toBe(true);
    expect(lane.giveUpAhead()).toBe(2);
    expect(lane.isFull).toBe(false);
    expect(lane.expects(3)).toBe(true);
    expect(lane.expects(1)).toBe(false);
  });
});

const step: Arbitrary<ModelStep> = oneof(
  { weight: 8, arbitrary: constant<ModelStep>({ do: 'write' }) },
  { weight: 8, arbitrary: constant<ModelStep>({ do: 'send' }) },
  { weight: 8, arbitrary: constant<ModelStep>({ do: 'receive' }) },
  { weight: 6, arbitrary: constant<ModelStep>({ do: 'cache' }) },
  { weight: 6, arbitrary: nat(5).map<ModelStep>((lines) => ({ do: 'walk', lines })) },
  { weight: 4, arbitrary: constant<ModelStep>({ do: 'commit' }) },
  { weight: 1, arbitrary: constant<ModelStep>({ do: 'break' }) },
  { weight: 1, arbitrary: constant<ModelStep>({ do: 'kill' }) },
);

const world = record({
  is_async: boolean(),
  /** Keys of the true lines: few of them, so that equal ones occur, or all different. */
  keys: oneof(
    array(nat(2), { minLength: 1, maxLength: 40, size: 'max' }),
    nat(60).map((count) => Array.from({ length: count }, (_, index) => index)),
  ),
  steps: array(step, { maxLength: 400, size: 'max' }),
  limits: constantFrom(
    { ahead_max_lines: 1000, owed_max_lines: 1000, passed_max_lines: 1000 },
    { ahead_max_lines: 1000, owed_max_lines: 3, passed_max_lines: 1000 },
  ),
});

const RUNS = Number(process.env['LOGBOOM_PROPERTY_RUNS'] ?? 500);

describe('the merge of a stream and a cache that has every line', () => {
  it('journals every line once, whatever breaks', async () => {
    await assert(
      asyncProperty(world, async ({ is_async, keys, steps, limits }) => {
        const model = new MergeModel({ is_async, keys, limits, uncached: new Set() });
        for (const one of steps) await model.step(one);
        await model.finish();
        expect(model.journaledKeys()).toEqual(keys.toSorted((a, b) => a - b));
      }),
      { numRuns: RUNS },
    );
  });

  it('counts every line that comes behind a later one as late', async () => {
    await assert(
      asyncProperty(world, async ({ is_async, keys, limits, steps }) => {
        const unkilled = steps.filter((one) => one.do !== 'kill');
        const distinct = keys.map((_, index) => index);
        const model = new MergeModel({ is_async, keys: distinct, limits, uncached: new Set() });
        for (const one of unkilled) await model.step(one);
        await model.finish();
        expect(model.outOfOrder()).toBeLessThanOrEqual(model.late_count);
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps the order of what was not broken', async () => {
    await assert(
      asyncProperty(world, async ({ is_async, keys, limits, steps }) => {
        const whole = steps.filter((one) => one.do !== 'break' && one.do !== 'kill');
        const distinct = keys.map((_, index) => index);
        const model = new MergeModel({ is_async, keys: distinct, limits, uncached: new Set() });
        for (const one of whole) await model.step(one);
        await model.finish();
        expect(model.journaledInOrder()).toEqual(distinct);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the merge of a stream and a cache that lacks lines', () => {
  it('journals what the cache has once, and what only the stream brought once', async () => {
    await assert(
      asyncProperty(world, array(nat(40)), async (given, holes) => {
        const { is_async, steps, limits } = given;
        const keys = given.keys.map((_, index) => index);
        const uncached = new Set(holes);
        const model = new MergeModel({ is_async, keys, limits, uncached });
        for (const one of steps) await model.step(one);
        await model.finish();
        const arrived = model.journaledKeys();
        expect(new Set(arrived).size).toBe(arrived.length);
        for (const key of keys) {
          if (!uncached.has(key) || model.wasReceived(key)) expect(arrived).toContain(key);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
