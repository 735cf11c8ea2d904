import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NO_TIME,
  readRfc3339,
  TimeReader,
} from '../../../../src/inputs/logfile/formats/rfc3339.ts';
import { rfc3339Nano } from '../../../support/docker-entries.ts';

function read(text: string): { time_s: number; time_ns: number; bytes: number } | undefined {
  const into = { time_s: -1, time_ns: -1 };
  // What stands behind the end must not count.
  const buf = Buffer.from(`..${text}0123456789Z+01:00`);
  const end = readRfc3339(buf, 2, 2 + text.length, into);
  return end === NO_TIME ? undefined : { ...into, bytes: end - 2 };
}

describe('readRfc3339', () => {
  it.each([
    ['2026-11-23T06:00:01.123456789Z', '2026-11-23T06:00:01Z', 123456789],
    ['2026-11-23T06:00:01.1234569Z', '2026-11-23T06:00:01Z', 123456900],
    ['2026-11-23T06:00:01.2Z', '2026-11-23T06:00:01Z', 200000000],
    ['2026-11-23T06:00:01Z', '2026-11-23T06:00:01Z', 0],
    ['2026-11-23T06:00:01.1234567899Z', '2026-11-23T06:00:01Z', 123456789],
    ['2026-11-23T15:00:02.000000001+09:00', '2026-11-23T06:00:02Z', 1],
    ['2026-11-22T23:30:00-06:30', '2026-11-23T06:00:00Z', 0],
    ['2028-02-29T23:59:59Z', '2028-02-29T23:59:59Z', 0],
    ['2100-03-01T00:00:00Z', '2100-03-01T00:00:00Z', 0],
    ['2106-02-07T06:28:15Z', '2106-02-07T06:28:15Z', 0],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z', 0],
  ])('reads %s', (text, same, time_ns) => {
    expect(read(text)).toEqual({ time_s: Date.parse(same) / 1000, time_ns, bytes: text.length });
  });

  it.each([
    '',
    '2026-11-23',
    '2026-11-23T06:00:01',
    '2026-11-23T06:00:01.',
    '2026-11-23T06:00:01.5',
    '2026-11-23 06:00:01Z',
    '2026-13-23T06:00:01Z',
    '2026-11-00T06:00:01Z',
    '2026-11-23T24:00:01Z',
    '2026-11-23T06:60:01Z',
    '2026-11-23T06:00:61Z',
    '2026-11-23T06:00:0xZ',
    '20x6-11-23T06:00:01Z',
    '2026-11-23T06:00:01+0900',
    '2026-11-23T06:00:01+09:0',
    '1969-12-31T23:59:59Z',
    '2106-02-07T06:28:16Z',
    '0001-01-01T00:00:00Z',
  ])('refuses %j', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('reads whatever Go writes, as Date does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: 0, max: 999_999_999 }),
        (time_s, time_ns) => {
          const text = rfc3339Nano(time_s, time_ns);
          expect(read(text)).toEqual({ time_s, time_ns, bytes: text.length });
        },
      ),
    );
  });
});

describe('TimeReader', () => {
  it('reads one time after the other as each is read alone, whatever the bytes', () => {
    // Few, so that neighbours often differ in one place only.
    const digits = fc.constantFrom('00', '01', '10', '60');
    const second = fc
      .tuple(fc.constantFrom('2026-11-23', '2026-02-30', '1969-12-31'), digits, digits)
      .map(([day, minute, seconds]) => `${day}T06:${minute}:${seconds}`);
    const behind = fc.constantFrom('Z', '.5Z', '.123456789Z', '.1234567891Z', '+09:00', '.', 'x');
    const time = fc.tuple(second, behind).map((parts) => parts.join(''));
    const damaged = fc
      .tuple(time, fc.nat({ max: 18 }), fc.string({ minLength: 1, maxLength: 1 }))
      .map(([text, at, other]) => text.slice(0, at) + other + text.slice(at + 1));
    const cut = fc.tuple(time, fc.nat({ max: 30 })).map(([text, end]) => text.slice(0, end));
    fc.assert(
      fc.property(fc.array(fc.oneof(time, time, damaged, cut), { maxLength: 20 }), (texts) => {
        const reader = new TimeReader();
        for (const text of texts.flatMap((one) => [one, one])) {
          const buf = Buffer.from(`..${text}0123456789Z+01:00`);
          const end = 2 + Buffer.byteLength(text);
          const alone = { time_s: -1, time_ns: -1 };
          const behind_others = { time_s: -1, time_ns: -1 };
          expect(reader.read(buf, 2, end, behind_others)).toBe(readRfc3339(buf, 2, end, alone));
          expect(behind_others).toEqual(alone);
        }
      }),
    );
  });
});
