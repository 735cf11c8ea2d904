import { describe, expect, it } from 'vitest';
import { compileGoRegexp } from '../../../../src/inputs/docker/identity/go-regexp.ts';

describe("Go's regular expressions", () => {
  it.each([
    ['app', 'my.app.name', true],
    ['^app$', 'app2', false],
    ['(?i)APP', 'my-app', true],
    ['(?P<first>a)b', 'ab', true],
    ['[[:alpha:]]+[[:digit:]]', 'abc7', true],
    ['[[:alpha:]]', '123', false],
    [String.raw`^com\.example\-x\/y`, 'com.example-x/y', true],
    [String.raw`a\.b`, 'axb', false],
    [String.raw`\Aab\z`, 'ab', true],
    [String.raw`\Aab\z`, 'xab', false],
    [String.raw`^\pL+$`, 'żółw', true],
    [String.raw`^\p{Greek}$`, 'x', undefined],
    [String.raw`^\s$`, '\u00a0', false],
    [String.raw`\d{2,3}`, 'a42', true],
    ['a|b.*', 'xb', true],
    ['^[a-z_.]+$', 'org.x_y', true],
  ])('%s on %j: %s', (source, text, expected) => {
    if (expected === undefined) {
      expect(() => compileGoRegexp(source, 'here')).toThrow('cannot be used');
      return;
    }
    expect(compileGoRegexp(source, 'here').test(text)).toBe(expected);
  });

  it.each([
    String.raw`\Qa.b\E`,
    '(?U)a+',
    'a(?i)b',
    String.raw`\C`,
    '(?=a)',
    String.raw`(a)\1`,
    '[[:cntrl:]]',
    'a(',
  ])('%s is refused, since JavaScript cannot take it', (source) => {
    expect(() => compileGoRegexp(source, 'here')).toThrow(
      expect.objectContaining({ code: 'LB_CONTAINER', where: 'here' }),
    );
  });
});
