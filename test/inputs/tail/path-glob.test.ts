import { describe, expect, it } from 'vitest';
import { detectFormat } from '../../../src/inputs/tail/detect-format.ts';
import { compilePathGlob, matchesPath } from '../../../src/inputs/tail/path-glob.ts';
import { isLiveName } from '../../../src/inputs/tail/tail-file.ts';

describe('a pattern for paths', () => {
  it.each([
    [
      '/var/log/*.log',
      ['/var/log/a.log'],
      ['/var/log/a.logs', '/var/log/b/a.log', '/var/log/.a.log'],
    ],
    ['/a/**', ['/a/b', '/a/b/c.log'], ['/b', '/ab/c']],
    ['/a/**/x.log', ['/a/x.log', '/a/b/c/x.log'], ['/a/b/y.log', '/x.log']],
    ['/a/?[0-9][!a].log', ['/a/x1b.log'], ['/a/x1a.log', '/a/xxb.log', '/a/1b.log']],
    ['/a/{web,db}-*.log', ['/a/web-1.log', '/a/db-.log'], ['/a/x-1.log', '/a/web.log']],
    ['/a/b.log', ['/a/b.log'], ['/a/bxlog', '/a/b.log/c']],
    ['/a/x+(y)^$.log', ['/a/x+(y)^$.log'], ['/a/xx(y).log']],
  ])('%s', (pattern, yes, no) => {
    const glob = compilePathGlob(pattern);
    for (const path of yes) expect(`${path} ${matchesPath(glob, path)}`).toBe(`${path} true`);
    for (const path of no) expect(`${path} ${matchesPath(glob, path)}`).toBe(`${path} false`);
  });

  it('begins to look behind the last folder that it names', () => {
    expect(compilePathGlob('/var/log/pods/*/app/*.log').base).toBe('/var/log/pods');
    expect(compilePathGlob('/*.log').base).toBe('/');
  });
});

describe('the format of a file', () => {
  it.each([
    ['2026-11-23T06:00:01.123456789Z stdout P first', 'cri'],
    ['2026-11-23T15:00:02+09:00 stderr F:x text', 'cri'],
    ['{"log":"x\\n","stream":"stdout"', 'json-file'],
    ['2026-11-23 06:00:01 plain text', undefined],
    ['', undefined],
  ])('that begins %j is %s', (head, format) => {
    expect(detectFormat(Buffer.from(head))).toBe(format);
  });
});

describe('a file that rotation has put aside', () => {
  it.each([
    '0.log.20261123-060000',
    '0.log.20261123-060000.gz',
    'x-json.log.1',
    'x-json.log.2.gz',
    '0.log.tmp',
  ])('%s is no log of its own', (name) => expect(isLiveName(name)).toBe(false));

  it.each(['0.log', 'x-json.log'])('%s is one', (name) => expect(isLiveName(name)).toBe(true));
});
