import { describe, expect, it } from 'vitest';
import { parsed, problemsOf } from './parsing.ts';

const tail = (one: string): string => `inputs:\n  tail:\n    - {${one}}\n`;

describe('inputs.tail', () => {
  it('has a tag and a beginning when only paths are given', () => {
    expect(parsed(tail('paths: ["/var/log/containers/*.log"]')).inputs.tail).toEqual([
      {
        paths: ['/var/log/containers/*.log'],
        exclude: [],
        tag: 'kubernetes.{namespace}.{pod}.{container}',
        start_at: 'newest',
      },
    ]);
  });

  it.each([
    ['a path that is not absolute', 'paths: [var/log/x]', 'paths[0]', 'Did you mean /var/log/x?'],
    ['a folder', 'paths: [/var/log/]', 'paths[0]', 'Did you mean /var/log/*?'],
    ['an unknown field', 'paths: [/a], tag: "k.{pods}"', 'tag', 'Did you mean k.{pod}?'],
    ['no paths', 'paths: []', 'paths', ''],
  ])('refuses %s', (_, one, key, hint) => {
    const [problem] = problemsOf(tail(one));
    expect(problem).toContain(`inputs.tail[0].${key}: `);
    expect(problem).toContain(hint);
  });

  it('is enough to read from', () => {
    const only_tail = 'inputs: {forward: [], tail: [{paths: [/a]}]}\n';
    expect(problemsOf(only_tail)).toEqual([]);
  });
});

describe('inputs.health', () => {
  it('is off, or a TCP address of its own', () => {
    expect(parsed('').inputs.health).toBeUndefined();
    expect(parsed('inputs: {health: "tcp://127.0.0.1:8877"}\n').inputs.health).toMatchObject({
      host: '127.0.0.1',
      port: 8877,
    });
    expect(problemsOf('inputs: {health: "unix:///x"}\n')).toHaveLength(1);
    expect(problemsOf('inputs: {health: "tcp://127.0.0.1:24224"}\n')[0]).toContain(
      'is taken already',
    );
  });
});
