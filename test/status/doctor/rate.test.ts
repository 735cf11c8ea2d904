import { describe, expect, it } from 'vitest';
import { humanSize, ramSize } from '../../../src/inputs/docker/option-sizes.ts';
import { isBefore, isTrue, rotationOf } from '../../../src/status/doctor/driver-options.ts';
import { type LogFile, rateOf } from '../../../src/status/doctor/rate.ts';

/** Of a driver that keeps so much. */
const FIVE_FILES = { max_bytes: 20_000, max_files: 5 };

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
    expect(rateOf(files, 0, FIVE_FILES)?.bytes_per_s).toBe(expected);
  });

  it('is measured over several files together where each spans too little', () => {
    const files = [file(3, 900, 100), file(2, 900, 104), file(1, 900, 108), file(0, 600, 112)];
    expect(rateOf(files, 0, FIVE_FILES)).toEqual({ bytes_per_s: 200, over_ms: 12_000 });
  });

  it('is that of a burst, however quiet the file after it', () => {
    const files = [file(3, 9000, 100), file(2, 9000, 106), file(1, 9000, 112), file(0, 10, 500)];
    expect(rateOf(files, 0, FIVE_FILES)?.bytes_per_s).toBe(1500);
  });

  it('is measured over what there is where all files that are kept hold only so much', () => {
    const of = (files: readonly LogFile[], max_files: number) =>
      rateOf(files, 0, { max_bytes: 10_000, max_files })?.bytes_per_s;
    const three = [file(2, 10_000, 96), file(1, 10_000, 100), file(0, 5000, 102)];
    expect(of(three, 3)).toBe(2500);
    expect(of(three.slice(1), 2)).toBe(2500);
    // One more may be to come, and to span enough.
    expect(of(three, 4)).toBeUndefined();
    // A few lines right after a rotation tell nothing.
    expect(of([file(1, 10_000, 100), file(0, 100, 100)], 2)).toBeUndefined();
    // Nor does a clock that was set back meanwhile.
    expect(of([file(2, 10_000, 102), file(1, 10_000, 100), file(0, 9000, 101)], 3)).toBeUndefined();
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
