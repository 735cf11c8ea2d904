import { describe, expect, it } from 'vitest';
import { inheritBlame, PoisonJudge } from '../../../src/outputs/forward/poison.ts';
import { chunkOf } from './chunks.ts';

function blameTimes(
  judge: PoisonJudge,
  chunk: ReturnType<typeof chunkOf>,
  times: number,
  splittable = false,
) {
  return Array.from({ length: times }, () => judge.blame(chunk, splittable, 0));
}

describe('the poison judge', () => {
  it('splits a chunk at its third failure, and its parts at their next', () => {
    const judge = new PoisonJudge(0);
    expect(blameTimes(judge, chunkOf(1, 'a', 8), 3, true)).toEqual(['retry', 'retry', 'split']);
    const half = chunkOf(2, 'a', 4);
    inheritBlame(half);
    expect(half.alone).toBe(true);
    expect(blameTimes(judge, half, 1, true)).toEqual(['split']);
  });

  it('suspects nothing before ten seconds of failures, however many there are', () => {
    const judge = new PoisonJudge();
    const chunk = chunkOf(1, 'a', 8);
    expect(new Set(blameTimes(judge, chunk, 50, true))).toEqual(new Set(['retry']));
    expect(judge.blame(chunk, true, 9_999)).toBe('retry');
    expect(judge.blame(chunk, true, 10_000)).toBe('split');
  });

  it('never convicts a single event while nothing else of its tag passes', () => {
    const judge = new PoisonJudge(0);
    const chunk = chunkOf(1, 'a');
    expect(new Set(blameTimes(judge, chunk, 100).slice(2))).toEqual(new Set(['set_aside']));
    judge.acked(chunkOf(2, 'b'));
    expect(blameTimes(judge, chunk, 1)).toEqual(['set_aside']);
  });

  it('convicts a single event that fails twice right after others of its tag passed', () => {
    const judge = new PoisonJudge(0);
    const chunk = chunkOf(1, 'a');
    blameTimes(judge, chunk, 3);
    expect(judge.acked(chunkOf(2, 'a'))).toBe(chunk);
    expect(blameTimes(judge, chunk, 2)).toEqual(['set_aside', 'set_aside']);
    expect(judge.acked(chunkOf(3, 'a'))).toBe(chunk);
    expect(blameTimes(judge, chunk, 1)).toEqual(['dead_letter']);
  });

  it('forgets a suspect that was acked after all', () => {
    const judge = new PoisonJudge(0);
    const chunk = chunkOf(1, 'a');
    blameTimes(judge, chunk, 3);
    expect(judge.acked(chunk)).toBeUndefined();
    expect(judge.unproven()).toEqual([]);
    expect(judge.acked(chunkOf(2, 'a'))).toBeUndefined();
  });

  it('has one suspect a tag: the next one waits its turn', () => {
    const judge = new PoisonJudge(0);
    blameTimes(judge, chunkOf(1, 'a'), 3);
    expect(blameTimes(judge, chunkOf(2, 'a'), 4)).toEqual(['retry', 'retry', 'retry', 'retry']);
    expect(blameTimes(judge, chunkOf(3, 'b'), 3)).toEqual(['retry', 'retry', 'set_aside']);
  });

  it('forgets a suspect that the journal dropped', () => {
    const judge = new PoisonJudge(0);
    const dropped = chunkOf(1, 'a');
    blameTimes(judge, dropped, 3);
    dropped.state = 'settled';
    expect(blameTimes(judge, chunkOf(2, 'a'), 3)).toEqual(['retry', 'retry', 'set_aside']);
  });

  it('knows suspects beside which nothing was ever acked', () => {
    const judge = new PoisonJudge(0);
    const chunk = chunkOf(1, 'a');
    blameTimes(judge, chunk, 3);
    expect(judge.unproven()).toEqual([chunk]);
    judge.acked(chunkOf(2, 'b'));
    blameTimes(judge, chunk, 1);
    expect(judge.unproven()).toEqual([]);
  });

  it('has a suspect tried again after half a minute though nothing passed', () => {
    const judge = new PoisonJudge(0);
    const chunk = chunkOf(1, 'a');
    blameTimes(judge, chunk, 3);
    expect(judge.due(29_999)).toEqual([]);
    expect(judge.due(30_000)).toEqual([chunk]);
  });
});
