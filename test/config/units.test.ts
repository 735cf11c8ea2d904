import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/units.ts';

describe('a size', () => {
  it.each([
    ['0', 0],
    ['1B', 1],
    ['512B', 512],
    ['1KB', 1_000],
    ['1KiB', 1_024],
    ['500MB', 500_000_000],
    ['64MiB', 67_108_864],
    ['8GiB', 8_589_934_592],
    ['8 GiB', 8_589_934_592],
    ['1.5KiB', 1_536],
    ['2TB', 2_000_000_000_000],
    ['2TiB', 2_199_023_255_552],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });

  it.each([
    ['1024', 'a unit is missing', '1024B'],
    ['8gib', 'there is no unit "gib"', '8GiB'],
    ['8G', 'there is no unit "G"', '8GiB'],
    ['8 gigs', 'there is no unit "gigs"', '8GiB'],
    ['1.5m', 'there is no unit "m"', '1.5MiB'],
    ['3 kb', 'there is no unit "kb"', '3KB'],
    ['7 furlongs', 'there is no unit "furlongs"', undefined],
    ['1.5B', 'not a whole number of bytes', undefined],
    ['99999999TiB', 'more bytes than can be counted', undefined],
  ])('%s is refused: %s', (text, reason, suggestion) => {
    const expected =
      suggestion === undefined ? { ok: false, reason } : { ok: false, reason, suggestion };
    expect(parseSize(text)).toEqual(expected);
  });

  it.each(['', 'GiB', '-1GiB', '1e3B', '1,5GiB', '0x10B', '8GiB8', 'off'])(
    '%j is refused',
    (text) => {
      expect(parseSize(text).ok).toBe(false);
    },
  );

  it('is written in a form that reads back as the same number of bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseSize(formatSize(bytes))).toEqual({ ok: true, value: bytes });
      }),
    );
    expect([0, 1, 1_024, 1_000, 67_108_864, 8_589_934_592].map(formatSize)).toEqual([
      '0',
      '1B',
      '1KiB',
      '1KB',
      '64MiB',
      '8GiB',
    ]);
  });
});

describe('a duration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1m30s', 90_000],
    ['1d2h3m4s5ms', 93_784_005],
  ])('%s is %d ms', (text, duration_ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: duration_ms });
  });

  it.each([
    ['10', 'a unit is missing', '10s'],
    ['5min', 'there is no unit "min"', '5m'],
    ['10 sec', 'there is no unit "sec"', '10s'],
    ['2 Hours', 'there is no unit "hours"', '2h'],
    ['3 fortnights', 'there is no unit "fortnights"', undefined],
    ['30s1m', 'units go from the largest to the smallest, each once', undefined],
    ['1s1s', 'units go from the largest to the smallest, each once', undefined],
    ['0.5ms', 'not a whole number of milliseconds', undefined],
  ])('%s is refused: %s', (text, reason, suggestion) => {
    const expected =
      suggestion === undefined ? { ok: false, reason } : { ok: false, reason, suggestion };
    expect(parseDuration(text)).toEqual(expected);
  });

  it.each(['', 's', '-1s', '1e3s', 'forever', '1m30'])('%j is refused', (text) => {
    expect(parseDuration(text).ok).toBe(false);
  });

  it('is written in a form that reads back as the same number of milliseconds', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e12 }), (duration_ms) => {
        expect(parseDuration(formatDuration(duration_ms))).toEqual({
          ok: true,
          value: duration_ms,
        });
      }),
    );
    expect([0, 20, 8_000, 60_000, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
      '0',
      '20ms',
      '8s',
      '1m',
      '1h',
      '1d',
    ]);
  });
});
