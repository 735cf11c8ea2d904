import { basename, join, resolve } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PathTemplate, tagFileName } from '../../../src/outputs/file/path-template.ts';
import { rotatedFiles, rotatedPath } from '../../../src/outputs/file/rotated-name.ts';
import { decodeWindow, encodeWindow } from '../../../src/outputs/file/window.ts';

const NOW_MS = Date.parse('2026-11-23T10:00:00.123Z');

describe('a path template', () => {
  test('puts in the tag and the day in UTC', () => {
    const template = new PathTemplate('/logs/{date}/{tag}.ndjson');
    expect(template.path(Buffer.from('app.web'), NOW_MS)).toBe('/logs/2026-11-23/app.web.ndjson');
    expect(template.has_tag).toBe(true);
  });

  test('without placeholders is a path', () => {
    const template = new PathTemplate('./events.ndjson');
    expect(template.path(Buffer.from('app'), NOW_MS)).toBe('./events.ndjson');
    expect(template.has_tag).toBe(false);
  });

  test('refuses a placeholder that it does not know', () => {
    expect(() => new PathTemplate('{host}.log')).toThrow('unknown placeholder {host}');
    expect(() => new PathTemplate('{}.log')).toThrow('unknown placeholder {}');
  });
});

describe('a tag as a file name', () => {
  test.each([
    ['app.web-1_x', 'app.web-1_x'],
    ['..', '%2E.'],
    ['.', '%2E'],
    ['.hidden', '%2Ehidden'],
    ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd'],
    ['a b\u0000c\n', 'a%20b%00c%0A'],
    ['100%', '100%25'],
    ['events@20261123T100000Z-000001', 'events%4020261123T100000Z-000001'],
    ['ö', '%C3%B6'],
    ['', '%'],
  ])('%j is %s', (tag, name) => {
    expect(tagFileName(Buffer.from(tag))).toBe(name);
  });

  test('that is too long is cut and told apart by a hash', () => {
    const a = tagFileName(Buffer.from(`${'x'.repeat(4000)}a`));
    const b = tagFileName(Buffer.from(`${'x'.repeat(4000)}b`));
    expect(a).toHaveLength(160);
    expect(a.slice(0, 143)).toBe(b.slice(0, 143));
    expect(a).not.toBe(b);
  });

  test('stays in its folder, short and unlike any other, whatever the tag', () => {
    const tags = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(tags, tags, (a, b) => {
        const name = tagFileName(a);
        expect(resolve(join('/logs', name))).toBe(`/logs/${name}`);
        expect(name).toMatch(/^[A-Za-z0-9%][A-Za-z0-9._%~-]*$|^[_-]/);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(160);
        expect(tagFileName(b) === name).toBe(a.equals(b));
      }),
    );
  });
});

describe('rotated files', () => {
  test('stand beside the live one, with time and number in their names', () => {
    expect(rotatedPath('/logs/events.ndjson', 7, NOW_MS)).toBe(
      '/logs/events@20261123T100000Z-000007.ndjson',
    );
    expect(rotatedPath('plain', 1_234_567, NOW_MS)).toBe('plain@20261123T100000Z-1234567');
  });

  test('are found again by number, and nothing else is taken for one', () => {
    const names = [
      'events.ndjson',
      'events@20261123T100000Z-000010.ndjson.gz',
      'events@20261123T100000Z-000009.ndjson',
      'events@20261123T100000Z-000011.ndjson.gz.tmp',
      'events@20261123T100000Z-000001.ndjson.zip',
      'events@20261123T100000Z-000002.log',
      'events@backup.ndjson',
      'other@20261123T100000Z-000003.ndjson',
      'my-events@20261123T100000Z-000004.ndjson',
    ];
    const found = rotatedFiles('/logs/events.ndjson', names);
    expect(found.map(({ path, number, form }) => [basename(path), number, form])).toEqual([
      ['events@20261123T100000Z-000009.ndjson', 9, 'plain'],
      ['events@20261123T100000Z-000010.ndjson.gz', 10, 'gzip'],
      ['events@20261123T100000Z-000011.ndjson.gz.tmp', 11, 'unfinished'],
    ]);
  });
});

describe('the window', () => {
  const mark = { path: 'a', device: 1, inode: 2, durable_bytes: 3, begun_ms: 4 };

  test('reads back as written; a new cursor has no marks', () => {
    expect(decodeWindow(encodeWindow([mark]))).toEqual([mark]);
    expect(decodeWindow(Buffer.alloc(0))).toEqual([]);
  });

  test.each(['{', '[]', '{"version":2,"files":[]}', '{"version":1}', '{"version":1,"files":[{}]}'])(
    'written by something else is refused: %s',
    (text) => {
      expect(decodeWindow(Buffer.from(text))).toBeUndefined();
    },
  );
});
