import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/sys/backoff.ts';

const OPTIONS = { delay_min_ms: 100, delay_max_ms: 10_000, factor: 2 };
const almost_one = (): number => 1 - Number.EPSILON;

describe('back-off', () => {
  it('doubles its ceiling with every failure, up to the cap', () => {
    const backoff = new Backoff(OPTIONS, almost_one);
    const delays = Array.from({ length: 9 }, () => backoff.next_ms());
    expect(delays).toEqual([99, 199, 399, 799, 1599, 3199, 6399, 9999, 9999]);
    expect(backoff.failures_count).toBe(9);
  });

  it('starts small again after a success', () => {
    const backoff = new Backoff(OPTIONS, almost_one);
    for (let i = 0; i < 5; i++) backoff.next_ms();
    backoff.reset();
    expect(backoff.next_ms()).toBe(99);
  });

  it('stays a finite delay within the cap however often it fails', () => {
    const backoff = new Backoff(OPTIONS, almost_one);
    for (let i = 0; i < 5000; i++) backoff.next_ms();
    expect(backoff.next_ms()).toBe(9999);
  });

  it('waits for a moment at least, however often it fails, if no delay is asked for', () => {
    const backoff = new Backoff({ ...OPTIONS, delay_min_ms: 0 }, almost_one);
    const delays = Array.from({ length: 5000 }, () => backoff.next_ms());
    expect(new Set(delays)).toEqual(new Set([1]));
  });

  it('draws the whole range below the ceiling', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (drawn) => {
        const delay_ms = new Backoff(OPTIONS, () => drawn).next_ms();
        expect(delay_ms).toBe(Math.max(1, Math.floor(drawn * 100)));
      }),
    );
  });

  it('refuses options that contradict each other', () => {
    expect(() => new Backoff({ ...OPTIONS, delay_max_ms: 50 })).toThrow(RangeError);
    expect(() => new Backoff({ ...OPTIONS, factor: 0.5 })).toThrow(RangeError);
    expect(() => new Backoff({ ...OPTIONS, delay_min_ms: Number.NaN })).toThrow(RangeError);
  });
});
