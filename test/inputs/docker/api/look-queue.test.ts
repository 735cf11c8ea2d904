import { beforeEach, describe, expect, it } from 'vitest';
import { LookQueue } from '../../../../src/inputs/docker/api/look-queue.ts';
import { turns } from '../../../support/docker/memory-cache.ts';

interface Look {
  readonly id: string;
  readonly signal: AbortSignal | undefined;
  readonly end: () => void;
}

describe('a queue of looks', () => {
  let looks: Look[];
  let queue: LookQueue;

  beforeEach(() => {
    looks = [];
    queue = new LookQueue((id, signal) => {
      return new Promise((end) => looks.push({ id, signal, end }));
    }, 2);
  });

  const looked = (): string => looks.map(({ id }) => id).join('');

  it('looks at as many as it may at once, in the order in which they were asked for', async () => {
    for (const id of 'abcd') void queue.request(id);
    expect(looked()).toBe('ab');
    looks[1]?.end();
    await turns();
    expect(looked()).toBe('abc');
  });

  it('looks once more at what is asked for while it is looked at, and once for all who ask', async () => {
    void queue.request('a');
    const asked_later = [queue.request('a'), queue.request('a')];
    expect(looked()).toBe('a');
    looks[0]?.end();
    await turns();
    expect(looked()).toBe('aa');
    looks[1]?.end();
    await Promise.all(asked_later);
    expect(looked()).toBe('aa');
  });

  it('gives a look the signal of who asked last, unless somebody asked without one', async () => {
    for (const id of 'ab') void queue.request(id);
    const [old, young] = [new AbortController().signal, new AbortController().signal];
    const asked: [string, AbortSignal | undefined][] = [
      ['c', old],
      ['c', young],
      ['d', old],
      ['d', undefined],
      ['e', undefined],
      ['e', young],
    ];
    for (const [id, signal] of asked) void queue.request(id, signal);
    for (let ended = 0; ended < 3; ended++) {
      looks[ended]?.end();
      await turns();
    }
    expect(looks.slice(2).map(({ id, signal }) => [id, signal])).toEqual([
      ['c', young],
      ['d', undefined],
      ['e', undefined],
    ]);
    expect(looks[2]?.signal).toBe(young);
  });
});
