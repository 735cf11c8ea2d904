import { expect, it } from 'vitest';
import { within } from '../../src/sys/within.ts';
import { ManualClock } from '../support/manual-clock.ts';

it('says whether the work ended in time, and leaves no timer behind', async () => {
  const clock = new ManualClock();
  expect(await within(clock, 10, Promise.resolve())).toBe(true);
  expect(clock.waiting).toBe(0);
  const late = within(clock, 10, new Promise(() => {}));
  clock.advance(10);
  expect(await late).toBe(false);
});

it('passes a failure on that comes in time, and swallows one that comes later', async () => {
  const clock = new ManualClock();
  await expect(within(clock, 10, Promise.reject(new Error('in time')))).rejects.toThrow('in time');
  let fail = (_error: Error): void => {};
  const late = within(
    clock,
    10,
    new Promise((_resolve, reject) => {
      fail = reject;
    }),
  );
  clock.advance(10);
  fail(new Error('too late'));
  expect(await late).toBe(false);
});
