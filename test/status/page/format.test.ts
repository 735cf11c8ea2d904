import { describe, expect, it } from 'vitest';
import {
  ago,
  bytes,
  compact,
  count,
  counted,
  duration,
  rate,
} from '../../../src/status/page/browser/format.js';

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const D = 24 * H;

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1536, '1.5 KiB'],
    [99.96 * 1024, '100 KiB'],
    [8 * 1024 ** 3, '8 GiB'],
    [5000 * 1024 ** 5, '5,000 PiB'],
    [null, '–'],
  ])('%s bytes are %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it.each([
    [-5 * S, '0 s'],
    [999, '0 s'],
    [59.9 * S, '59 s'],
    [MIN, '1 min'],
    [3 * MIN + 5 * S, '3 min 5 s'],
    [20 * MIN + 49 * S, '20 min'],
    [2 * H + 5 * MIN + 59 * S, '2 h 5 min'],
    [23 * H + 59 * MIN, '23 h'],
    [4 * D + 3 * H, '4 d 3 h'],
    [400 * D + 3 * H, '400 d'],
  ])('%s ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('keep a decimal while they are small', () => {
    expect([0, 0.04, 0.25, 9.96, 10.4, 8214.4].map(rate)).toEqual([
      '0',
      '0',
      '0.3',
      '10',
      '10',
      '8,214',
    ]);
  });

  it('are grouped, and short on the axis of a plot', () => {
    expect([count(1_234_567), count(null), compact(1_234_567)]).toEqual(['1,234,567', '–', '1.2M']);
  });

  it('agree with their word in number', () => {
    expect([0, 1, 1200].map((value) => counted(value, 'event'))).toEqual([
      '0 events',
      '1 event',
      '1,200 events',
    ]);
  });

  it('are called just now when they are less than a second old', () => {
    expect([ago(-1), ago(999), ago(1000)]).toEqual(['just now', 'just now', '1 s ago']);
  });
});
