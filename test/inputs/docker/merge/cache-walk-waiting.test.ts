import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CACHE_WALK_TIMES } from '../../../../src/inputs/docker/merge/cache-walk.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { turns } from '../../../support/docker/memory-cache.ts';
import { line, lines } from '../../../support/docker/merge-rig.ts';
import { WalkRig } from '../../../support/docker/walk-rig.ts';

const { grace_ms, idle_poll_ms } = CACHE_WALK_TIMES;
const SETTLE_MS = 300;
const never = (): boolean => false;

let rig: WalkRig;

beforeEach(() => {
  rig = new WalkRig();
});

afterEach(() => rig.stop());

/** From now on a read does not return, though it has looked, before the function that is returned is called. */
function holdReads(): () => void {
  let goOn = (): void => {};
  rig.cache.afterRead = () =>
    new Promise((resolve) => {
      goOn = resolve;
    });
  return () => goOn();
}

describe('who waits for the cache', () => {
  it('hears once it has stood still for long enough', async () => {
    rig.cache.append(line(1));
    await rig.begin();
    await rig.pass(5000);
    const heard: boolean[] = [];
    const caught_up = rig.walk
      .caughtUp(SETTLE_MS, 5000, never)
      .then((is_settled) => heard.push(is_settled));
    await rig.pass(SETTLE_MS - 50);
    rig.cache.append(line(2));
    await rig.pass(SETTLE_MS - 50);
    expect(heard).toEqual([]);
    await rig.pass(100);
    expect(heard).toEqual([true]);
    await caught_up;
    expect(rig.recovered).toEqual(['line 1', 'line 2']);
  });

  it('hears after the bound that it does not stand still', async () => {
    await rig.begin();
    const heard: boolean[] = [];
    const caught_up = rig.walk
      .caughtUp(SETTLE_MS, LIMITS.merge_hold_max_ms, never)
      .then((is_settled) => heard.push(is_settled));
    for (let number = 1; number <= LIMITS.merge_hold_max_ms / 100 - 1; number++) {
      rig.cache.append(line(number));
      await rig.pass(100);
    }
    expect(heard).toEqual([]);
    await rig.pass(100);
    expect(heard).toEqual([false]);
    await caught_up;
  });

  it('hears at once when there is enough', async () => {
    await rig.begin();
    const enough = rig.walk.caughtUp(SETTLE_MS, 5000, () => rig.recovered.includes('line 1'));
    rig.cache.append(...lines(1, 2));
    await rig.pass(50);
    await expect(enough).resolves.toBe(true);
    await expect(rig.walk.caughtUp(SETTLE_MS, 5000, () => true)).resolves.toBe(true);
  });

  it('hears nothing from reads that failed', async () => {
    await rig.begin();
    rig.cache.append(line(1));
    rig.cache.failures.push(...Array.from({ length: 3 }, () => new Error('EMFILE')));
    const caught_up = rig.walk.caughtUp(0, 5000, never).then(() => [...rig.recovered]);
    await rig.pass(4 * idle_poll_ms);
    await expect(caught_up).resolves.toEqual(['line 1']);
  });

  it('hears nothing from a look that began before it asked', async () => {
    await rig.begin();
    const goOn = holdReads();
    await rig.pass(idle_poll_ms);
    rig.cache.afterRead = undefined;
    rig.cache.append(line(1));
    const caught_up = rig.walk.caughtUp(0, 5000, never).then(() => [...rig.recovered]);
    goOn();
    await expect(caught_up).resolves.toEqual(['line 1']);
  });

  it('hears nothing from a look that took long of the time since it began', async () => {
    await rig.begin();
    const goOn = holdReads();
    const caught_up = rig.walk.caughtUp(SETTLE_MS, 5000, never).then(() => [...rig.recovered]);
    await turns();
    rig.cache.append(line(1));
    rig.clock.standStill(SETTLE_MS);
    rig.cache.afterRead = undefined;
    goOn();
    await rig.pass(2 * SETTLE_MS);
    await expect(caught_up).resolves.toEqual(['line 1']);
  });

  it('hears when the walk is stopped', async () => {
    await rig.begin();
    const caught_up = rig.walk.caughtUp(SETTLE_MS, 5000, never);
    rig.stopped.abort();
    await expect(caught_up).resolves.toBe(false);
  });
});

describe('a walk that is frozen', () => {
  it('judges no line until everybody has thawed it', async () => {
    await rig.begin();
    const [thaw, thaw_too] = [rig.walk.freeze(), rig.walk.freeze()];
    rig.cache.append(...lines(1, 2));
    await rig.pass(2000);
    thaw();
    await rig.pass(2000);
    expect(rig.recovered).toEqual([]);
    expect(rig.core.journaled).toEqual(rig.cache.place(0));
    thaw_too();
    await turns();
    expect(rig.recovered).toEqual(['line 1', 'line 2']);
  });

  it('judges none either whose moment is over meanwhile', async () => {
    rig.is_streaming = true;
    rig.cache.append(line(1));
    await rig.begin();
    const thaw = rig.walk.freeze();
    await rig.pass(4 * grace_ms);
    expect(rig.recovered).toEqual([]);
    rig.stream(line(1));
    thaw();
    await turns();
    expect(rig.recovered).toEqual([]);
    expect(rig.core.journaled).toEqual(rig.cache.end);
  });

  it('stops all the same', async () => {
    await rig.begin();
    rig.walk.freeze();
    rig.cache.append(line(1));
    await rig.pass(100);
    await rig.stop();
    expect(rig.recovered).toEqual([]);
  });
});
