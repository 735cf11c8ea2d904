import { gzipSync } from 'node:zlib';
import zstd from '@foxglove/wasm-zstd';
import { decode, ExtData } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonText } from '../../src/outputs/msgpack-json.ts';
import { PrettyFormat } from '../../src/outputs/pretty.ts';
import { recordLines } from '../../src/outputs/record-lines.ts';
import { type Additions, NdjsonFormat, NO_ADDITIONS } from '../../src/outputs/render.ts';
import { ATTR, CODEC } from '../../src/protocol/codec.ts';
import { entry, eventTime, numbered, pack } from '../support/entries.ts';
import { type RecordParts, RecordSource } from '../support/record-source.ts';

async function render(
  parts: RecordParts,
  format = new NdjsonFormat(NO_ADDITIONS) as NdjsonFormat | PrettyFormat,
): Promise<{ text: string; events: number; most_bytes: number }> {
  const source = new RecordSource();
  source.append(parts);
  let text = '';
  let events = 0;
  let most_bytes = 0;
  for (const record of source.records) {
    for await (const lines of recordLines(record, format)) {
      text += lines.text.toString();
      events += lines.events;
      most_bytes = Math.max(most_bytes, lines.text.length);
    }
  }
  return { text, events, most_bytes };
}

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

describe('an event as a line of JSON', () => {
  test('carries time with nanoseconds, tag and record', async () => {
    const body = hex('92 d70055ece6f8075bcd15 81a36c6f67a26869');
    const { text } = await render({ tag: 'app', body });
    expect(text).toBe(
      '{"time":"2015-09-07T01:23:04.123456789Z","tag":"app","record":{"log":"hi"}}\n',
    );
  });

  test('carries metadata, if the entry has some', async () => {
    const body = pack([[eventTime(1), { k: 1 }], { log: 'a' }]);
    expect((await render({ body })).text).toBe(
      '{"time":"1970-01-01T00:00:01.000000000Z","tag":"app","record":{"log":"a"},"metadata":{"k":1}}\n',
    );
  });

  test.each<[string, unknown, string]>([
    ['an integer', 1_441_588_984, '"2015-09-07T01:23:04.000000000Z"'],
    ['a negative integer', -1, '"1969-12-31T23:59:59.000000000Z"'],
    ['no time', 0, 'null'],
    ['nil', null, 'null'],
    ['a float', 1.5, '"1970-01-01T00:00:01.500000000Z"'],
    [
      'more nanoseconds than a second has',
      eventTime(1, 1_500_000_000),
      '"1970-01-01T00:00:02.500000000Z"',
    ],
    ['a year beyond 9999', 2n ** 40n, '1099511627776'],
    ['the start of a group', eventTime(0xffffffff), 'null,"group":"start"'],
    ['the end of a group', eventTime(0xfffffffe), 'null,"group":"end"'],
  ])('shows %s as time', async (_name, time, expected) => {
    const { text } = await render({ body: entry({}, time) });
    expect(text).toBe(`{"time":${expected},"tag":"app","record":{}}\n`);
  });

  test('a tag that is not UTF-8, or full of quotes, stays inside its string', async () => {
    const { text } = await render({ tag: Buffer.from([0x22, 0x0a, 0xff]), body: entry({}) });
    expect(JSON.parse(text)).toMatchObject({ tag: '"\n\ufffd' });
  });

  test('static fields are added, but where the event has its own; the prefix goes before the tag', async () => {
    const additions: Additions = { tag_prefix: 'site.', add: { host: 'web1', up: true, n: 3 } };
    const format = new NdjsonFormat(additions);
    const shown = async (record: object): Promise<unknown> =>
      JSON.parse((await render({ body: entry(record) }, format)).text);
    expect(await shown({ log: 'a', host: 'own' })).toMatchObject({
      tag: 'site.app',
      record: { log: 'a', host: 'own', up: true, n: 3 },
    });
    expect(await shown({})).toMatchObject({ record: { host: 'web1', up: true, n: 3 } });
  });
});

describe('MessagePack as JSON', () => {
  const shown = (bytes: Buffer): string => {
    const json = new JsonText();
    json.value(bytes, 0);
    return json.take();
  };

  test.each<[string, string, string]>([
    ['nil, booleans', '93 c0 c2 c3', '[null,false,true]'],
    ['small integers', '94 00 7f ff e0', '[0,127,-1,-32]'],
    [
      'unsigned integers',
      '94 ccff cdffff ceffffffff cfffffffffffffffff',
      '[255,65535,4294967295,18446744073709551615]',
    ],
    [
      'signed integers',
      '94 d080 d18000 d280000000 d38000000000000000',
      '[-128,-32768,-2147483648,-9223372036854775808]',
    ],
    ['floats', '93 ca3fc00000 cb3ff199999999999a cb8000000000000000', '[1.5,1.1,-0]'],
    [
      'what is no number',
      '93 cb7ff8000000000000 cb7ff0000000000000 cafF800000',
      '["NaN","Infinity","-Infinity"]',
    ],
    ['a str that is not UTF-8', 'a3 61ff62', '"a\ufffdb"'],
    ['a surrogate in UTF-8', 'a3 eda080', '"\ufffd\ufffd\ufffd"'],
    ['control characters', 'a2 001b', '"\\u0000\\u001b"'],
    ['str of every width', '93 d90161 da000162 db0000000163', '["a","b","c"]'],
    ['bin', '93 c40100 c5000201ff c600000000', '["AA==","Af8=",""]'],
    [
      'ext of every width',
      '95 d4ff01 d5020102 c70103aa c8000104bb c90000000105cc',
      '[{"$ext":[-1,"AQ=="]},{"$ext":[2,"AQI="]},{"$ext":[3,"qg=="]},{"$ext":[4,"uw=="]},{"$ext":[5,"zA=="]}]',
    ],
    [
      'fixext 4 to 16',
      `93 d600${'01'.repeat(4)} d700${'02'.repeat(8)} d800${'03'.repeat(16)}`,
      '[{"$ext":[0,"AQEBAQ=="]},{"$ext":[0,"AgICAgICAgI="]},{"$ext":[0,"AwMDAwMDAwMDAwMDAwMDAw=="]}]',
    ],
    [
      'keys that are no str',
      '85 01a161 c0a162 c3a163 c40100a164 9101a165',
      '{"1":"a","null":"b","true":"c","AA==":"d","[1]":"e"}',
    ],
    ['a map as key', '81 81a16101 02', '{"{\\"a\\":1}":2}'],
    [
      'keys in the order in which they came, twice if need be',
      '83 a13201 a13102 a13203',
      '{"2":1,"1":2,"2":3}',
    ],
    [
      '__proto__ and constructor',
      '82 a95f5f70726f746f5f5f 81a17801 ab636f6e7374727563746f7202',
      '{"__proto__":{"x":1},"constructor":2}',
    ],
    [
      'map16, map32, array16, array32',
      '84 a161 de0001a16201 a163 df00000000 a164 dc0001c0 a165 dd00000000',
      '{"a":{"b":1},"c":{},"d":[null],"e":[]}',
    ],
  ])('%s', (_name, bytes, expected) => {
    expect(shown(hex(bytes))).toBe(expected);
  });

  test('any value reads back as an independent decoder sees it', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.string({ unit: 'binary' }),
        fc.integer(),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('any'),
          { maxKeys: 4 },
        ),
      ),
    })).any;
    fc.assert(
      fc.property(value, (any) => {
        const bytes = pack(any);
        expect(JSON.parse(shown(bytes))).toEqual(JSON.parse(JSON.stringify(decode(bytes))));
      }),
    );
  });
});

describe('records', () => {
  test('entries that lie across the pieces of a body are whole', async () => {
    const body = numbered(0, 50);
    for (const cut of [1, 7, 100, body.length - 1]) {
      const { text, events } = await render({ body: [body.subarray(0, cut), body.subarray(cut)] });
      expect(events).toBe(50);
      const numbers = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).record.n as number);
      expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => i));
    }
  });

  test('gzip of several members, with a member that ends within an entry, is inflated', async () => {
    const body = numbered(0, 100);
    const compressed = Buffer.concat([
      gzipSync(body.subarray(0, 333)),
      gzipSync(body.subarray(333)),
    ]);
    const { text, events } = await render({ body: compressed, codec: CODEC.gzip, count: 100 });
    expect(events).toBe(100);
    expect(text).toBe((await render({ body, count: 100 })).text);
  });

  test('zstd of several frames is inflated', async () => {
    await zstd.isLoaded;
    const body = numbered(0, 100);
    const compressed = Buffer.concat([
      zstd.compress(body.subarray(0, 333)),
      zstd.compress(body.subarray(333)),
    ]);
    const { text } = await render({ body: compressed, codec: CODEC.zstd, count: 100 });
    expect(text).toBe((await render({ body, count: 100 })).text);
  });

  test('a large record is rendered in pieces of bounded size', async () => {
    const { events, most_bytes } = await render({ body: numbered(0, 20_000, 'x'.repeat(100)) });
    expect(events).toBe(20_000);
    expect(most_bytes).toBeLessThan(1024 * 1024);
  });

  test('a signal other than logs is one line with its name and payload', async () => {
    const { text, events } = await render({
      body: Buffer.from([1, 2, 3]),
      attrs: 1 << ATTR.signal_shift,
      codec: CODEC.gzip,
      count: 4,
    });
    expect(text).toBe(
      '{"time":null,"tag":"app","signal":"metrics","codec":"gzip","payload":"AQID"}\n',
    );
    expect(events).toBe(4);
  });

  test('what is no event inside a compressed payload is kept as a line of its own', async () => {
    const body = gzipSync(Buffer.concat([entry({ n: 1 }), pack('junk'), entry({ n: 2 })]));
    const { text } = await render({ body, codec: CODEC.gzip });
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { record: { n: 1 } },
      { time: null, tag: 'app', invalid: 'entry', payload: pack('junk').toString('base64') },
      { record: { n: 2 } },
    ]);
  });

  test('a payload that is damaged, cut off or nested too deep is kept whole, behind what could be read', async () => {
    const whole = gzipSync(numbered(0, 3));
    const deep = Buffer.concat([hex('92 00 81 a161'), Buffer.alloc(100, 0x91), hex('c0')]);
    const bodies = [
      whole.subarray(0, whole.length - 9),
      Buffer.from('no gzip at all'),
      gzipSync(deep),
      gzipSync(numbered(0, 3).subarray(0, -1)),
    ];
    for (const body of bodies) {
      const { text } = await render({ body, codec: CODEC.gzip });
      const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
      expect(last).toMatchObject({ codec: 'gzip', payload: body.toString('base64') });
      expect(last['unreadable']).toBeTypeOf('string');
    }
  });
});

describe('the pretty form', () => {
  const pretty = async (
    record: unknown,
    tag = 'app',
    time: unknown = eventTime(1_441_588_984, 123_456_789),
  ): Promise<string> =>
    (await render({ tag, body: entry(record, time) }, new PrettyFormat(NO_ADDITIONS))).text;

  test('is time, tag and the line', async () => {
    expect(await pretty({ source: 'stdout', log: 'hello\n' })).toBe(
      '2015-09-07T01:23:04.123Z app hello\n',
    );
    expect(await pretty({ message: 'hi\r\n' }, 'app', 0)).toBe('- app hi\n');
  });

  test('is JSON for a record without text', async () => {
    expect(await pretty({ cpu: 1, log: 7 })).toBe(
      '2015-09-07T01:23:04.123Z app {"cpu":1,"log":7}\n',
    );
  });

  test('escapes all that drives a terminal, so a line stays a line', async () => {
    const hostile = '\u001b[31mred\u001b[0m\rover\nnext\u0007\u009b2J\u202egpj.exe\u2028tab\tkept';
    expect(await pretty({ log: hostile }, 'a\u001bc')).toBe(
      '2015-09-07T01:23:04.123Z a\\u001bc \\u001b[31mred\\u001b[0m\\u000dover\\u000anext\\u0007\\u009b2J\\u202egpj.exe\\u2028tab\tkept\n',
    );
  });

  test('names what is no event by kind and size', async () => {
    const parts = { body: Buffer.from([1, 2]), attrs: 2 << ATTR.signal_shift };
    expect((await render(parts, new PrettyFormat(NO_ADDITIONS))).text).toBe(
      '- app (signal: traces, 2 bytes)\n',
    );
  });
});

test('an EventTime of another extension type is no time', async () => {
  const body = gzipSync(entry({ n: 1 }, new ExtData(5, Buffer.alloc(8))));
  expect((await render({ body, codec: CODEC.gzip })).text).toContain('"invalid":"entry"');
});
