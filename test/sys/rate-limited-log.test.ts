import { describe, expect, test } from 'vitest';
import { RateLimitedLog } from '../../src/sys/rate-limited-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

describe('RateLimitedLog', () => {
  test('writes the first lines of a topic and leaves out the rest of the interval', () => {
    const sink = new RecordingLog();
    const log = new RateLimitedLog(sink, new ManualClock(), { lines_max: 2, interval_ms: 1000 });
    for (let i = 0; i < 5; i++) log.warn('breach', { i }, 'bad bytes');
    expect(sink.lines.map((line) => line.fields)).toEqual([{ i: 0 }, { i: 1 }]);
  });

  test('tells with the next line how many were left out', () => {
    const sink = new RecordingLog();
    const clock = new ManualClock();
    const log = new RateLimitedLog(sink, clock, { lines_max: 1, interval_ms: 1000 });
    for (let i = 0; i < 4; i++) log.error('breach', {}, 'bad bytes');
    clock.advance(1000);
    log.error('breach', { peer: 'x' }, 'bad bytes');
    expect(sink.lines.at(-1)?.fields).toEqual({ peer: 'x', suppressed: 3 });
  });

  test('limits each topic for itself', () => {
    const sink = new RecordingLog();
    const log = new RateLimitedLog(sink, new ManualClock(), { lines_max: 1, interval_ms: 1000 });
    log.info('one', {}, 'a');
    log.info('one', {}, 'b');
    log.info('two', {}, 'c');
    expect(sink.lines.map((line) => line.message)).toEqual(['a', 'c']);
  });
});
