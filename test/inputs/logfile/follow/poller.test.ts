import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Look, type PolledLog, Poller } from '../../../../src/inputs/logfile/follow/poller.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const OPTIONS = { active_ms: 100, idle_ms: 1000, concurrent_max: 2 };

let clock: ManualClock;
let poller: Poller;
/** When each look happened. */
let looks: number[];
let news: boolean;

beforeEach(() => {
  clock = new ManualClock();
  poller = new Poller(clock, OPTIONS);
  looks = [];
  news = false;
});

const unexpected = (error: unknown): void => {
  throw error;
};

function add(look: Look = async () => news): PolledLog {
  return poller.add(() => {
    looks.push(clock.monotonic_ms());
    return look();
  }, unexpected);
}

/** A look that takes until it is resolved. */
function heldLook(): { look: Look; resolve: (news: boolean) => void } {
  let resolve: (news: boolean) => void = () => {};
  const looking = new Promise<boolean>((done) => {
    resolve = done;
  });
  return { look: () => looking, resolve };
}

async function pass(duration_ms: number): Promise<void> {
  for (let ms = 0; ms < duration_ms; ms += 50) {
    clock.advance(50);
    await turn();
  }
}

async function start(): Promise<void> {
  clock.advance(0);
  await turn();
}

describe('Poller', () => {
  it('looks at once, and every 100 ms while there is news', async () => {
    news = true;
    add();
    await start();
    await pass(400);
    expect(looks).toEqual([0, 100, 200, 300, 400]);
  });

  it('looks at a log that stands still less and less often, and often again when it grows', async () => {
    add();
    await start();
    await pass(3400);
    expect(looks).toEqual([0, 200, 400, 800, 1000, 2000, 3000]);
    news = true;
    await pass(800);
    expect(looks.slice(7)).toEqual([4000, 4100, 4200]);
  });

  it('keeps the rhythm, and to one timer, with looks that answer without a promise', async () => {
    for (let i = 0; i < 50; i++) add(() => false);
    await start();
    await pass(3400);
    expect([...new Set(looks)]).toEqual([0, 200, 400, 800, 1000, 2000, 3000]);
    expect(looks).toHaveLength(7 * 50);
    expect(clock.waiting).toBe(1);
  });

  it('does not count such looks among those under way', async () => {
    const held = heldLook();
    add(held.look);
    add(held.look);
    await start();
    add(() => false);
    await start();
    expect(looks).toEqual([0, 0]);
    held.resolve(false);
    await turn();
    expect(looks).toEqual([0, 0, 0]);
  });

  it('looks soon when it is nudged', async () => {
    const polled = add();
    await start();
    await pass(2450);
    looks.length = 0;
    polled.nudge();
    await start();
    expect(looks).toEqual([2450]);
  });

  it('looks again when it was nudged during a look', async () => {
    const held = heldLook();
    const polled = add(held.look);
    await start();
    polled.nudge();
    await start();
    expect(looks).toEqual([0]);
    held.resolve(false);
    await turn();
    await start();
    expect(looks).toEqual([0, 0]);
  });

  it('looks at no more logs at once than allowed, and at the others as soon as there is room', async () => {
    const held = heldLook();
    let most = 0;
    let under_way = 0;
    const slow = async (): Promise<boolean> => {
      most = Math.max(most, ++under_way);
      await held.look();
      under_way--;
      return false;
    };
    for (let i = 0; i < 5; i++) add(slow);
    await start();
    await pass(1000);
    expect(looks).toHaveLength(2);
    held.resolve(false);
    await turn();
    expect(looks).toHaveLength(5);
    expect(most).toBe(2);
  });

  it('uses one timer, whatever the number of logs', async () => {
    for (let i = 0; i < 50; i++) add();
    await start();
    await pass(5000);
    expect(clock.waiting).toBe(1);
  });

  it('hands on what a look fails with, and looks again later', async () => {
    const errors: unknown[] = [];
    const broken = new Error('broken');
    poller.add(
      () => {
        looks.push(clock.monotonic_ms());
        return Promise.reject(broken);
      },
      (error) => errors.push(error),
    );
    await start();
    await pass(1000);
    expect(looks).toEqual([0, 1000]);
    expect(errors).toEqual([broken, broken]);
  });

  it('hands on what a look throws, and goes on with the others', async () => {
    const errors: unknown[] = [];
    const broken = new Error('broken');
    poller.add(
      () => {
        throw broken;
      },
      (error) => errors.push(error),
    );
    add(() => false);
    await start();
    await pass(1000);
    expect(errors).toEqual([broken, broken]);
    expect(looks).toEqual([0, 200, 400, 800, 1000]);
  });

  it('removes a log when the look under way is done, and does not look again', async () => {
    const held = heldLook();
    const polled = add(held.look);
    await start();
    const removing = polled.remove();
    expect(await Promise.race([removing.then(() => 'removed'), turn('looking')])).toBe('looking');
    held.resolve(true);
    await removing;
    await pass(3000);
    expect(looks).toEqual([0]);
  });

  it('looks at nothing any more once it is closed', async () => {
    add();
    add();
    await start();
    await poller.close();
    await pass(3000);
    expect(looks).toEqual([0, 0]);
    expect(clock.waiting).toBe(0);
  });
});
