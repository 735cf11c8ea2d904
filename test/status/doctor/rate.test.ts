import { describe, expect, it } from 'vitest';
import {
  humanSize,
  isBefore,
  isTrue,
  ramSize,
  rotationOf,
} from '../../../src/status/doctor/driver-options.ts';
import { type LogFile, rateOf } from '../../../src/status/doctor/rate.ts';

const file = (
  generation: number,
  bytes: number,
  modified_s: number,
  is_compressed = false,
): LogFile => ({
  generation,
  bytes,
  modified_ms: modified_s * 1000,
  is_compressed,
});

describe('the rate of a log', () => {
  it.each([
    ['no file', [], undefined],
    ['one file, since the container began', [file(0, 1000, 100)], 10],
    ['too short a time', [file(0, 1000, 5)], undefined],
    ['the busiest of several', [file(2, 500, 100), file(1, 1000, 200), file(0, 5000, 300)], 50],
    ['one that was rotated', [file(1, 1000, 200), file(0, 100, 220)], 5],
    [
      'a compressed one, as large as it was',
      [file(2, 9, 100, true), file(1, 9, 200, true), file(0, 0, 200)],
      200,
    ],
  ] as const)('of %s', (_, files, expected) => {
    expect(rateOf(files, 0, 20_000)?.bytes_per_s).toBe(expected);
  });

  it('of a compressed file whose size before is not known, is not known', () => {
    expect(rateOf([file(1, 9, 100, true), file(0, 0, 100)], 0, undefined)).toBeUndefined();
  });
});

describe('log options', () => {
  it.each([
    ['20k', 20_000, 20_480],
    ['1MB', 1_000_000, 1_048_576],
    ['1.5m', 1_500_000, 1_572_864],
    ['8192', 8192, 8192],
    ['10 GiB', 10e9, 10 * 1024 ** 3],
    ['lots', undefined, undefined],
    [undefined, undefined, undefined],
  ])('%s is a size', (text, decimal, binary) => {
    expect([humanSize(text), ramSize(text)]).toEqual([decimal, binary]);
  });

  it('are true as Go reads it', () => {
    expect(['1', 't', 'TRUE', 'true', 'True'].every(isTrue)).toBe(true);
    expect(['yes', 'tRUE', '0', '', undefined].some(isTrue)).toBe(false);
  });

  it("of the cache's size are accepted by Docker and never applied", () => {
    expect(rotationOf('fluentd', { 'cache-max-size': '1g', 'max-size': '1g' })).toEqual({
      max_bytes: 20 * 1024 * 1024,
      max_files: 5,
    });
  });
});

describe('an Engine version', () => {
  it.each([
    ['20.10.24+dfsg1', '23.0', true],
    ['23.0.0', '23.0', false],
    ['28.3.1', '29.0', true],
    ['29.0.0-rc.1', '29.0', false],
    [undefined, '29.0', undefined],
    ['unknown', '29.0', undefined],
  ])('%s is before %s: %s', (version, other, expected) => {
    expect(isBefore(version, other)).toBe(expected);
  });
});
