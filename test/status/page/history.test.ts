import { describe, expect, it } from 'vitest';
import { HISTORY_S, History } from '../../../src/status/page/browser/history.js';
import { SAMPLE_NOW_MS, sampleOutput, sampleStatus } from '../../support/status-samples.ts';

const at = (s: number, lag_events = 0) =>
  sampleStatus({ now_ms: SAMPLE_NOW_MS + s * 1000, outputs: [sampleOutput({ lag_events })] });

describe('the history that the plots draw', () => {
  it('counts time back from the last sample', () => {
    const history = new History();
    for (const s of [0, 1, 3]) history.add(at(s, s));
    expect(history.columns(['lag_events'])).toEqual([
      [-3, -2, 0],
      [0, 1, 3],
    ]);
  });

  it('is bounded by its time', () => {
    const history = new History();
    for (let s = 0; s < 3 * HISTORY_S; s++) history.add(at(s));
    const [ages] = history.columns([]);
    expect(ages).toHaveLength(HISTORY_S + 1);
    expect(ages[0]).toBe(-HISTORY_S);
  });

  it('has a hole where the relay was gone, and one only', () => {
    const history = new History();
    history.add(at(0, 1));
    history.interrupt();
    history.interrupt();
    history.add(at(9, 2));
    expect(history.columns(['lag_events'])[1]).toEqual([1, null, 2]);
  });

  it('begins anew when the clock is set back', () => {
    const history = new History();
    history.add(at(100));
    history.add(at(0));
    expect(history.columns([])).toEqual([[0]]);
  });

  it('shows the output that is furthest behind, and nothing where none knows', () => {
    const history = new History();
    const lags = (...events: (number | null)[]) =>
      sampleStatus({ outputs: events.map((lag_events) => sampleOutput({ lag_events })) });
    history.add(lags(3, null, 8));
    history.add(lags(null));
    expect(history.columns(['lag_events'])[1]).toEqual([8, null]);
  });
});
