import { describe, expect, it } from 'vitest';
import { figureOf, type Run, summarize } from '../../bench/lib/results.ts';
import { median, quantile, spread } from '../../bench/lib/statistics.ts';

describe('statistics', () => {
  it('take the middle of rounds, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('interpolate a quantile between its neighbours', () => {
    expect(quantile([0, 10, 20, 30, 40], 0.5)).toBe(20);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
    expect(quantile([7], 0.999)).toBe(7);
  });

  it('refuse to make a figure of nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it('tell how far rounds agree, as a share of their median', () => {
    expect(spread([90, 100, 120])).toBeCloseTo(0.3);
  });
});

describe('a summary', () => {
  const run = (contestant: string, round: number, speed?: number): Run => ({
    scenario: 'message',
    contestant,
    round,
    figures: speed === undefined ? {} : { events_per_s: speed },
    ...(speed === undefined ? { failure: 'it broke' } : {}),
  });

  it('has the medians of each contestant over rounds taken in turn', () => {
    const runs = [
      run('pump', 1, 10),
      run('logboom', 1, 1),
      run('pump', 2, 20),
      run('logboom', 2, 3),
    ];
    const summaries = summarize(runs);
    expect(summaries.map(({ contestant }) => contestant)).toEqual(['pump', 'logboom']);
    expect(figureOf(summaries, 'message', 'pump', 'events_per_s')).toBe(15);
    expect(figureOf(summaries, 'message', 'logboom', 'events_per_s')).toBe(2);
  });

  it('keeps a failed round out of the figures and names it', () => {
    const [summary] = summarize([run('fluentd', 1, 8), run('fluentd', 2)]);
    expect(summary).toMatchObject({ figures: { events_per_s: 8 }, rounds_count: 1 });
    expect(summary?.failures).toEqual(['it broke']);
  });
});
