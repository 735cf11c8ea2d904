import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  JsonFileFormat,
  readJsonAttributes,
} from '../../../../src/inputs/logfile/formats/json-file.ts';
import { jsonFileLine, keptByJson } from '../../../support/docker-entries.ts';
import { entriesOf, type Parsed, parse } from './parsed.ts';

const format = new JsonFileFormat();

const TIME = '2026-11-23T05:58:16.121440556Z';
const SECONDS = Date.parse('2026-11-23T05:58:16Z') / 1000;
/** formats.md 4.1, as dockerd wrote it. */
const ATTRS = '{"FOO":"bar","com.example.app":"web","tag":"ref_basic/6f6df6438873"}';
const CAPTURED = `{"log":"ctl\\u0001\\u0009\\u001b[31m\\u003c\\u003e\\u0026\\"\\\\ \\u2028 \\ufffdx\\r\\n","stream":"stdout","attrs":${ATTRS},"time":"${TIME}"}\n`;

const line = (log: string, stream = 'stdout'): string =>
  `{"log":"${log}","stream":"${stream}","time":"${TIME}"}\n`;

const expected = (log: string | Buffer, fields: Partial<Parsed> = {}): Parsed => ({
  source: 'stdout',
  log: Buffer.from(log),
  time_s: SECONDS,
  time_ns: 121440556,
  piece: 'whole',
  partial_id: undefined,
  partial_ordinal: 0,
  torn_bytes: 0,
  ...fields,
});

describe('a line of json-file', () => {
  it('is read as Docker writes it, with attributes and every escape that it uses', () => {
    const log = 'ctl\u0001\t\u001b[31m<>&"\\ \u2028 \ufffdx\r';
    expect(parse(format, CAPTURED)).toEqual(expected(log));
  });

  it('is a piece without its newline', () => {
    expect(parse(format, line('unterminated'))).toEqual(
      expected('unterminated', { piece: 'part' }),
    );
    expect(parse(format, line('tab\\u0009'))).toEqual(expected('tab\t', { piece: 'part' }));
  });

  it('may be empty', () => {
    expect(parse(format, line('\\n'))).toEqual(expected(''));
    expect(parse(format, line(''))).toEqual(expected('', { piece: 'part' }));
  });

  it('keeps all newlines but the last, and takes an escaped backslash before an n for no newline', () => {
    expect(parse(format, line('a\\n\\n'))).toEqual(expected('a\n'));
    expect(parse(format, line('a\\\\n'))).toEqual(expected('a\\n', { piece: 'part' }));
    expect(parse(format, line('\\"\\n'))).toEqual(expected('"'));
  });

  it('keeps bytes that are no UTF-8', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"log":"a\\t'),
      Buffer.of(0xff, 0xc3),
      Buffer.from(line('').slice(8)),
    ]);
    const log = Buffer.from([0x61, 0x09, 0xff, 0xc3]);
    expect(parse(format, bytes)).toEqual(expected(log, { piece: 'part' }));
  });

  it('is of stderr or stdout and of nothing else', () => {
    expect(parse(format, line('x\\n', 'stderr'))).toEqual(expected('x', { source: 'stderr' }));
    expect(parse(format, line('x\\n', 'stdlog'))).toBeUndefined();
  });

  it('is read in other orders, with white space, unknown members and all escapes of JSON', () => {
    const other = ` { "time" : "${TIME}", "n":[1,{"a":-2.5e3},"]"],"o":{},"p":[], "stream":"stderr","t":true, "log":"\\/\\b\\f\\t\\u00e9\\ud83d\\ude00\\n" }\r\n`;
    expect(parse(format, other.slice(1))).toEqual(
      expected('/\b\f\t\u00e9\u{1f600}', { source: 'stderr' }),
    );
  });

  it('has U+FFFD for half a surrogate pair', () => {
    expect(parse(format, line('\\ud83d!\\n'))).toEqual(expected('\ufffd!'));
    expect(parse(format, line('\\ude00\\ud83d\\ude00\\n'))).toEqual(expected('\ufffd\u{1f600}'));
    expect(parse(format, line('\\ud83d\\u0041\\n'))).toEqual(expected('\ufffdA'));
  });

  it.each([
    ['NULs', '\0\0\0\0\n'],
    ['no object', 'hello\n'],
    ['a missing stream', `{"log":"a\\n","time":"${TIME}"}\n`],
    ['a missing time', '{"log":"a\\n","stream":"stdout"}\n'],
    ['a time that is none', '{"log":"a\\n","stream":"stdout","time":"yesterday"}\n'],
    ['a log that is no string', `{"log":5,"stream":"stdout","time":"${TIME}"}\n`],
    ['an unknown escape', line('\\x')],
    ['a cut escape', line('\\u00')],
    ['something behind it', line('a\\n').replace('\n', 'x\n')],
    ['two logs and no time', '{"log":"a","log":"b","stream":"stdout"}\n'],
    ['a cut end', '{"log":"abc\n'],
    ['a cut time', `{"log":"abc\\n","stream":"stdout","time":"2026-11-23T05:58\n`],
    ['arrays without end', `{"a":${'['.repeat(5000)}\n`],
  ])('is none with %s', (_, bytes) => {
    expect(parse(format, bytes)).toBeUndefined();
  });

  it('that a full disk cut is passed over, and the one that continues it is read', () => {
    const whole = line('real \\u003cb\\u003e\\n');
    for (const text of [line('abc\\n'), CAPTURED, line('a\\\\\\"{\\"log\\":\\"b\\n')]) {
      for (let cut = 1; cut < text.length - 1; cut += 1) {
        const torn = parse(format, text.slice(0, cut) + whole);
        expect(torn, `cut at ${cut}`).toEqual(expected('real <b>', { torn_bytes: cut }));
      }
    }
  });

  it('of any bytes comes out as Docker kept it', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 60 }).map((text) => Buffer.from(text)),
    );
    const attrs = fc.constantFrom('', '{}', ATTRS, '{"a":"\\"},\\"time\\":\\""}');
    fc.assert(
      fc.property(bytes, attrs, fc.boolean(), (log, attributes, part) => {
        const entry = {
          source: 'stderr' as const,
          log: Buffer.from(log),
          time_s: SECONDS,
          time_ns: 0,
          ...(part ? { partial: { id: '', ordinal: 1, last: false } } : {}),
        };
        const kept = keptByJson(entry.log);
        // Without its own newline, one in the text looks like it; Docker never cuts there.
        fc.pre(!part || kept.at(-1) !== 0x0a);
        expect(parse(format, jsonFileLine(entry, attributes))).toEqual(
          expected(kept, { source: 'stderr', time_ns: 0, piece: part ? 'part' : 'whole' }),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('shows its attributes when asked', () => {
    const bytes = Buffer.from(CAPTURED);
    expect(readJsonAttributes(bytes, 0, bytes.length)).toEqual(JSON.parse(ATTRS));
    const without = Buffer.from(line('a\\n'));
    expect(readJsonAttributes(without, 0, without.length)).toEqual({});
    const escaped = Buffer.from(`{"attrs":{"a\\n":"\\u00e9","b":1,"__proto__":"x"}}`);
    const attributes = readJsonAttributes(escaped, 0, escaped.length);
    expect(Object.entries(attributes)).toEqual([
      ['a\n', '\u00e9'],
      ['__proto__', 'x'],
    ]);
  });
});

describe('a line as Docker writes it', () => {
  /** The same entry, but not in Docker's form: it is read member by member. */
  const otherwise = (entry: Buffer): Buffer =>
    Buffer.concat([Buffer.from('{ '), entry.subarray(1)]);

  /** The byte that was put in counts as torn, if anything does. */
  const readOtherwise = (entry: Buffer): Parsed | undefined => {
    const found = parse(format, otherwise(entry));
    return found === undefined || found.torn_bytes === 0
      ? found
      : { ...found, torn_bytes: found.torn_bytes - 1 };
  };

  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '\\n',
          '\\"',
          '\\\\',
          '\\u00e9',
          '\\ud83d',
          '\\ude00',
          '\\u',
          '\\x',
          '"',
          '{"log":"',
        ),
        fc.string({ unit: 'grapheme' }),
      ),
    )
    .map((parts) => Buffer.from(parts.join('').replaceAll('\n', '')));
  const written = fc
    .tuple(
      text,
      fc.constantFrom('\\n', '\\n', ''),
      fc.constantFrom('stdout', 'stderr', 'stdlog'),
      fc.constantFrom('', '"attrs":{"a":"b"},', '"attrs":{},', '"attrs":{'),
      fc.constantFrom(TIME, '2026-11-23T05:58:16Z', '2026-11-23T05:58:17.5+09:00', '2026'),
    )
    .map(([log, end, stream, attrs, time]) =>
      Buffer.concat([
        Buffer.from('{"log":"'),
        log,
        Buffer.from(`${end}","stream":"${stream}",${attrs}"time":"${time}"}\n`),
      ]),
    );

  it('is read as if it were taken member by member', () => {
    fc.assert(
      fc.property(written, (entry) => {
        expect(parse(format, entry)).toEqual(readOtherwise(entry));
      }),
      { numRuns: 500 },
    );
  });

  it('is read so too where it is cut, followed by another, or has a byte changed', () => {
    fc.assert(
      fc.property(written, written, fc.nat(), fc.nat({ max: 255 }), (entry, next, at, byte) => {
        fc.pre(byte !== 0x0a);
        const place = 9 + (at % (entry.length - 10));
        const changed = Buffer.from(entry);
        changed[place] = byte;
        const cut = Buffer.concat([entry.subarray(0, place), next]);
        const short = Buffer.concat([entry.subarray(0, place), Buffer.from('\n')]);
        for (const damaged of [changed, cut, short]) {
          expect(parse(format, damaged)).toEqual(readOtherwise(damaged));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file of json-file', () => {
  it('parts into its lines; what has no newline yet is not whole', () => {
    const file = Buffer.from(line('a\\n') + CAPTURED + line('b\\n').slice(0, -1));
    const { entries, rest } = entriesOf(format, file);
    expect(entries).toEqual([line('a\\n'), CAPTURED]);
    expect(rest).toBe(line('b\\n').slice(0, -1));
  });

  it('looks at nothing behind the end it is told', () => {
    const bytes = Buffer.from(line('a\\n'));
    expect(format.entryEnd(bytes, 0, bytes.length - 1)).toBe(-1);
    expect(format.entryEnd(bytes, 0, 0)).toBe(-1);
    expect(format.resync(Buffer.from('x\n{"log":"'), 0, 1)).toBe(1);
  });

  it('goes on behind NULs, and behind bytes that are no line', () => {
    const whole = line('a\\n');
    for (const torn of ['\0\0\0\0', 'me":"2026"}\n', '\0', 'x', '\n', '\0\n\0']) {
      const { entries, rest } = entriesOf(format, Buffer.from(torn + whole + whole));
      expect(entries, JSON.stringify(torn)).toEqual([whole, whole]);
      expect(rest).toBe('');
    }
  });

  it('waits for the rest of a line whose beginning is cut', () => {
    const whole = line('a\\n');
    for (let cut = 1; cut < whole.length; cut += 1) {
      const { entries, rest } = entriesOf(format, Buffer.from(`torn${whole.slice(0, cut)}`));
      expect({ entries, rest }).toEqual({ entries: [], rest: whole.slice(0, cut) });
    }
  });
});
