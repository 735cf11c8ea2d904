import { describe, expect, it } from 'vitest';
import { HELP, isWanted, parseArguments } from '../../bench/lib/arguments.ts';
import { SCENARIOS } from '../../bench/scenarios/all.ts';

describe('the arguments of the bench', () => {
  it('have defaults for figures that hold, and quick ones for a look', () => {
    expect(parseArguments([])).toMatchObject({ rounds_count: 3, load_ms: 2000, micro: true });
    const quick = parseArguments(['--quick']);
    expect(quick.rounds_count).toBe(1);
    expect(quick.load_ms).toBeLessThan(1000);
  });

  it('win over what --quick stands for', () => {
    const options = parseArguments([
      '--quick',
      '--rounds',
      '3',
      '--seconds',
      '2',
      '--backlog',
      '10GiB',
    ]);
    expect(options).toMatchObject({
      rounds_count: 3,
      load_ms: 2000,
      backlog_bytes: 10 * 1024 ** 3,
    });
  });

  it('bound a turn by a time that grows with the load, or as told', () => {
    expect(parseArguments(['--seconds', '3']).turn_max_ms).toBe(90_000);
    expect(parseArguments(['--turn-max', '5']).turn_max_ms).toBe(5000);
  });

  it('make one round of the relay alone when it is profiled', () => {
    expect(parseArguments(['--profile'])).toMatchObject({ rounds_count: 1, micro: false });
  });

  it.each([
    [['--rounds', '0']],
    [['--rounds', '1.5']],
    [['--seconds', 'long']],
    [['--backlog', '10']],
    [['--backlog', '10 apples']],
    [['--faster']],
    [['message']],
  ])('are refused where they mean nothing: %j', (args) => {
    expect(() => parseArguments(args)).toThrow();
  });

  it('are all in the help', () => {
    for (const flag of [
      '--only',
      '--rounds',
      '--backlog',
      '--json',
      '--svg',
      '--profile',
      '--quick',
      '--turn-max',
    ]) {
      expect(HELP).toContain(flag);
    }
  });

  it('choose scenarios by name, or by the beginning of one', () => {
    expect(isWanted('message-1k', [])).toBe(true);
    expect(isWanted('message-1k', ['message'])).toBe(false);
    expect(isWanted('message-1k', ['packed', 'message*'])).toBe(true);
  });
});

describe('scenarios', () => {
  it('have names of their own', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
