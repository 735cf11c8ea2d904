import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogboomError } from '../../src/errors.ts';
import { compileTagPatterns } from '../../src/outputs/glob.ts';

const matches = (pattern: string, tag: string | Buffer): boolean =>
  compileTagPatterns(pattern)(Buffer.from(tag as string));

/** Pattern, tags that it takes, tags that it does not. */
const TABLE: readonly [string, readonly string[], readonly string[]][] = [
  ['a', ['a'], ['b', 'aa', '', 'a.b']],
  ['a.b', ['a.b'], ['aab', 'a', 'a.b.c']],
  ['*', ['', 'a', 'web-1'], ['a.b', '.']],
  ['a*', ['a', 'ab', 'abc'], ['a.b', 'ab.c', 'ba']],
  ['*a', ['a', 'ba', 'cba'], ['ab', 'b.a']],
  ['*a*', ['a', 'ba', 'ac', 'bac'], ['b', 'a.b']],
  ['a.*', ['a.b', 'a.', 'a.c'], ['a', 'ab', 'a.b.c']],
  ['a.*.c', ['a.b.c', 'a.c.c', 'a..c'], ['a.c', 'a.b.b.c']],
  ['**', ['', 'a', 'a.b', '.', '..', 'a\nb'], []],
  ['a.**', ['a', 'a.b', 'a.b.c', 'a.'], ['', 'ab', 'abc', 'ab.c', 'ab.d.e']],
  ['a**', ['a', 'ab', 'a.b', 'ab.c', 'ab.d.e'], ['', 'ba']],
  ['**.a', ['a', 'b.a', 'cb.a', 'd.e.a', '.a'], ['ba', 'c.ba', 'a.b']],
  ['**a', ['a', 'ba', 'c.ba', 'd.e.a'], ['ab']],
  ['a.**.b', ['a.b', 'a.x.b', 'a.x.y.b', 'a..b'], ['ab', 'a.xb', 'ax.b', 'a']],
  ['a.**.**', ['a.b', 'a.b.c'], ['a', 'ab']],
  ['**.**', ['a', 'a.b', ''], []],
  ['**.a.**', ['a', 'x.a', 'a.x', 'x.a.y'], ['xa', 'ax', 'x.ay']],
  ['a.***', ['a', 'a.b.c'], ['ab']],
  ['a.{b,c}', ['a.b', 'a.c'], ['a.d', 'a', 'a.b,c']],
  ['a.{b,c}.**', ['a.b', 'a.c', 'a.b.x'], ['a.d', 'a.cd']],
  ['a.{b.**,c}', ['a.b', 'a.b.c', 'a.c'], ['a.c.d']],
  ['a.{**,b}', ['a.', 'a.b', 'a.b.c'], ['a']],
  ['{a,b{1,2}*}.x', ['a.x', 'b1.x', 'b2z.x'], ['b.x', 'b3.x']],
  ['a{,s}', ['a', 'as'], ['ass']],
  ['{a}', ['a'], ['{a}']],
  ['{**.,}a', ['a', 'x.a'], ['xa']],
  ['a?[b]', ['a?[b]'], ['axb', 'ab']],
  ['a,b}', ['a,b}'], ['a', 'b']],
  ['\\*\\{\\\\', ['*{\\'], ['a{\\', '*{']],
  ['a.', ['a.'], ['a', 'a.b']],
  ['a.b x.**', ['a.b', 'x', 'x.y'], ['a', 'a.b x']],
  [' \t a \n b ', ['a', 'b'], ['', ' ']],
  ['größe.*', ['größe.1'], ['groesse.1', 'gr']],
  ['/a/', ['a'], ['abc', 'ba']],
  ['/a.*/', ['abc', 'a'], ['ba']],
  ['/a\\..*/', ['a.b.c'], ['b.b.c', 'a']],
  ['/(?!a\\.).*/', ['b.b.c'], ['a.b.c']],
  ['/a|b/', ['a', 'b'], ['ab', 'ax']],
  ['/a/ b', ['a', 'b'], ['/a/']],
];

test.each(TABLE)("'%s' matches as in fluentd", (pattern, taken, refused) => {
  for (const tag of taken) expect([tag, matches(pattern, tag)]).toEqual([tag, true]);
  for (const tag of refused) expect([tag, matches(pattern, tag)]).toEqual([tag, false]);
});

test('tags are compared as bytes, so bytes that are not UTF-8 match a star and nothing else', () => {
  expect(matches('a.*', Buffer.from([0x61, 0x2e, 0xff, 0xc3]))).toBe(true);
  expect(matches('a.\ufffd', Buffer.from([0x61, 0x2e, 0xff]))).toBe(false);
});

describe('a pattern that is not valid is refused, with its column', () => {
  test.each([
    ['', 'found nothing'],
    ['   ', 'found nothing'],
    ['a.{b,c', "column 3: this '{' is never closed"],
    ['ok a.{b', "column 6: this '{' is never closed"],
    ['{a,{b}', "column 1: this '{' is never closed"],
    ['a\\', "column 2: nothing follows this '\\'"],
    ['/a', "column 1: expected a regular expression closed by '/'"],
    ['b /a b/', "column 3: expected a regular expression closed by '/'"],
    ['/', "column 1: expected a regular expression closed by '/'"],
    ['x /(/', 'column 3: Invalid regular expression'],
    ['/\\Aa\\z/', "column 2: '\\A' means something else"],
    ['/a(?i:b)/', "column 3: '(?i:' means something else"],
  ])('%j', (pattern, message) => {
    const compile = (): unknown => compileTagPatterns(pattern);
    expect(compile).toThrow(LogboomError);
    expect(compile).toThrow(message);
  });
});

test('a tag made to be hard is no harder than others', () => {
  const hard = compileTagPatterns('**a**a**a**a**a**a**a**b');
  expect(hard(Buffer.from('a'.repeat(4096)))).toBe(false);
});

const NAIVE: Readonly<Record<string, string>> = {
  '**.': '(?:.*\\.|^)',
  '**': '.*',
  '*': '[^.]*',
  '.': '\\.',
  '{': '(?:',
  ',': '|',
  '}': ')',
};

/** What a pattern means, said the naive way: as a regular expression, token by token. */
function naive(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*\*\.|\*\*|[*.{},]/g, (token, at: number) => {
    const optional_dot = token === '.' && pattern.startsWith('**', at + 1);
    return optional_dot ? '(?![^.])' : (NAIVE[token] ?? token);
  });
  return new RegExp(`^${source}$`, 's');
}

const leaf = fc.constantFrom('a', 'b', '.', '*', '**', '.**', '**.', '.*', 'ab');
const { pattern } = fc.letrec<{ pattern: string; part: string; choice: string }>((tie) => ({
  pattern: fc.array(tie('part'), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
  part: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, tie('choice')),
  choice: fc
    .array(tie('pattern'), { minLength: 1, maxLength: 3 })
    .map((choices) => `{${choices.join(',')}}`),
}));

test('the compiled matcher agrees with a naive one for any pattern and tag', () => {
  const tags = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 7 }).map((c) => c.join(''));
  fc.assert(
    fc.property(pattern, fc.array(tags, { minLength: 1, maxLength: 20 }), (glob, candidates) => {
      const compiled = compileTagPatterns(glob);
      const expected = naive(glob);
      for (const tag of candidates) {
        expect([tag, compiled(Buffer.from(tag))]).toEqual([tag, expected.test(tag)]);
      }
    }),
    { numRuns: 500 },
  );
});
