import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CriFormat } from '../../../../src/inputs/logfile/formats/cri.ts';
import { rfc3339Nano } from '../../../support/docker-entries.ts';
import { entriesOf, type Parsed, parse } from './parsed.ts';

const format = new CriFormat();
const SECONDS = Date.parse('2026-11-23T06:00:00Z') / 1000;

const expected = (log: string | Buffer, fields: Partial<Parsed> = {}): Parsed => ({
  source: 'stdout',
  log: Buffer.from(log),
  time_s: SECONDS + 1,
  time_ns: 0,
  piece: 'whole',
  partial_id: undefined,
  partial_ordinal: 0,
  torn_bytes: 0,
  ...fields,
});

describe('a line of CRI', () => {
  it.each([
    [
      '2026-11-23T06:00:01.123456789Z stdout P first part of a lo\n',
      expected('first part of a lo', { time_ns: 123456789, piece: 'part' }),
    ],
    [
      '2026-11-23T06:00:01.1234569Z stdout F ng line\n',
      expected('ng line', { time_ns: 123456900 }),
    ],
    ['2026-11-23T06:00:01.2Z stderr F \n', expected('', { source: 'stderr', time_ns: 200000000 })],
    [
      '2026-11-23T15:00:02.000000001+09:00 stdout F:othertag text with  spaces\n',
      expected('text with  spaces', { time_s: SECONDS + 2, time_ns: 1 }),
    ],
    ['2026-11-23T06:00:01Z stdout P:a:b \n', expected('', { piece: 'part' })],
    ['2026-11-23T06:00:01Z stdout F\n', expected('')],
    ['2026-11-23T06:00:01Z stdout F:a\n', expected('')],
    ['2026-11-23T06:00:01Z stdout F  a\r\n', expected(' a\r')],
  ])('is read: %j', (line, parsed) => {
    expect(parse(format, line)).toEqual(parsed);
  });

  it.each([
    '\n',
    '2026-11-23T06:00:01Z\n',
    '2026-11-23T06:00:01Z stdout\n',
    '2026-11-23T06:00:01Z stdout \n',
    '2026-11-23T06:00:01Z stdlog F a\n',
    '2026-11-23T06:00:01Z stdout G a\n',
    '2026-11-23T06:00:01Z stdout Full a\n',
    '2026-11-23T06:00:01Z  stdout F a\n',
    '2026-11-23T06:00:01 stdout F a\n',
  ])('is none: %j', (line) => {
    expect(parse(format, line)).toBeUndefined();
  });

  it('of any bytes comes out as it was', () => {
    const logs = fc.uint8Array({ maxLength: 60 }).filter((log) => !log.includes(0x0a));
    fc.assert(
      fc.property(logs, fc.constantFrom('P', 'F', 'P:x', 'F:x:y'), (log, tag) => {
        const head = Buffer.from(`${rfc3339Nano(SECONDS + 1, 0)} stdout ${tag} `);
        const found = parse(format, Buffer.concat([head, log, Buffer.from('\n')]));
        const piece = tag.startsWith('P') ? 'part' : 'whole';
        expect(found).toEqual(expected(Buffer.from(log), { piece }));
      }),
    );
  });
});

describe('a file of CRI', () => {
  it('parts into its lines, and goes on behind what is none', () => {
    const whole = '2026-11-23T06:00:01Z stdout F a\n';
    for (const torn of ['', '\0\0\0', '\n', 'torn\n', '\0torn\n', '\0\n']) {
      const { entries, rest } = entriesOf(format, Buffer.from(`${torn}${whole}${whole}2026`));
      expect({ entries, rest }, JSON.stringify(torn)).toEqual({
        entries: [whole, whole],
        rest: '2026',
      });
    }
  });
});
