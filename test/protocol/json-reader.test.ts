import { decode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { createReader } from '../../src/protocol/create-reader.ts';
import { JsonReader } from '../../src/protocol/json-reader.ts';
import { jsonToMsgpack } from '../../src/protocol/json-to-msgpack.ts';
import { ARRIVAL, RecordingSink } from '../support/recording-sink.ts';

function read(chunks: readonly Buffer[], limits = LIMITS): RecordingSink {
  const sink = new RecordingSink();
  const reader = new JsonReader(sink, limits);
  for (const chunk of chunks) reader.feed(chunk);
  expect(reader.end()).toBe(false);
  return sink;
}

/** Arrays one after the other; brackets, quotes and escapes inside strings. */
const STREAM = Buffer.from(
  '["app.log",1441588984,{"m":"hi"},{}]' +
    ' ["a]",[[1441588984,{"q":"\\"[{"}],[0,{"\\\\":"\\\\"}]],{"chunk":"c1","size":2}]\n' +
    '["t",1441588984.5,{"nested":{"list":[1,-2,[true,null]]}}]',
);

describe('JsonReader', () => {
  it('delivers what the golang library sends as JSON', () => {
    const { deliveries } = read([Buffer.from('["app.log",1441588984,{"m":"hi"},{}]')]);
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0]).toMatchObject({
      tag: 'app.log',
      count: 1,
      irregular: false,
      body: '92ce55ece6f881a16da26869',
      time_min_s: 1441588984,
    });
  });

  it('takes every array shape, with chunk ids and times that must be made good', () => {
    const { deliveries } = read([STREAM]);
    expect(deliveries.map(({ tag, count, chunk }) => [tag, count, chunk])).toEqual([
      ['app.log', 1, undefined],
      ['a]', 2, 'c1'],
      ['t', 1, undefined],
    ]);
    const arrival = `92d700${ARRIVAL.seconds.toString(16)}`;
    expect(deliveries[1]?.body).toContain(arrival);
    expect(deliveries[2]?.body).toMatch(/^92d70055ece6f81dcd6500/);
  });

  it('gives the same cut in two at every offset, and byte by byte', () => {
    const { deliveries } = read([STREAM]);
    for (let cut = 1; cut < STREAM.length; cut += 1) {
      expect(read([STREAM.subarray(0, cut), STREAM.subarray(cut)]).deliveries).toEqual(deliveries);
    }
    const bytes = Array.from(STREAM, (_, i) => STREAM.subarray(i, i + 1));
    expect(read(bytes).deliveries).toEqual(deliveries);
  });

  it.each([
    ['an object', '{"a":1}', 'a JSON array'],
    ['text', '[}', 'a value'],
    ['a missing comma', '["a" 1]', 'a comma'],
    ['a missing colon', '["a",1,{"b" 1}]', 'a colon'],
    ['a key that is no string', '["a",1,{1:1}]', 'a key'],
    ['a bad escape', '["\\x"]', 'an escape'],
    ['a bad number', '["a",01]', 'a value'],
    ['what is no Forward message', '[1,2,3]', 'a str as tag'],
  ])('refuses %s', (_name, text, words) => {
    const sink = new RecordingSink();
    const reader = new JsonReader(sink, LIMITS);
    expect(() => reader.feed(Buffer.from(`["a",1,{}]${text}`))).toThrow(words);
    expect(sink.deliveries).toHaveLength(1);
    reader.feed(Buffer.from('["a",1,{}]'));
    expect(sink.deliveries).toHaveLength(1);
  });

  it('bounds the size and the nesting of a message while it comes', () => {
    const limits = { ...LIMITS, event_max_bytes: 20, nesting_max_levels: 4 };
    const long = new JsonReader(new RecordingSink(), limits);
    expect(() => long.feed(Buffer.from(`["a",1,{"b":"${'c'.repeat(20)}`))).toThrow(
      'event_max_bytes',
    );
    const deep = new JsonReader(new RecordingSink(), limits);
    expect(() => deep.feed(Buffer.from('["a",1,[[[['))).toThrow('nesting_max_levels');
  });

  it('holds little more than the message, however small the chunks are', () => {
    const reader = new JsonReader(new RecordingSink(), LIMITS);
    reader.feed(Buffer.from('["a",1,{"b":"'));
    const byte = Buffer.from('c');
    for (let i = 0; i < 100_000; i += 1) reader.feed(byte);
    expect(reader.held_bytes).toBeLessThanOrEqual(200_100);
  });

  it('tells whether the stream ended inside a message', () => {
    const reader = new JsonReader(new RecordingSink(), LIMITS);
    reader.feed(Buffer.from('["a",1,{}]\n["b"'));
    expect(reader.end()).toBe(true);
  });
});

describe('jsonToMsgpack', () => {
  const convert = (text: string): Buffer => jsonToMsgpack(Buffer.from(text), 64);

  it('agrees with JSON.parse on every value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        fc.pre(!text.includes('__proto__'));
        expect(decode(convert(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('keeps integers of 64 bits', () => {
    const ints = ['9223372036854775807', '-9223372036854775808', '18446744073709551615', '-33'];
    for (const int of ints) {
      expect(BigInt(decode(convert(int), { useBigInt64: true }) as number)).toBe(BigInt(int));
    }
    expect(decode(convert('18446744073709551616'))).toBe(2 ** 64);
  });

  it('keeps bytes that are not UTF-8 and the order of keys', () => {
    const text = Buffer.concat([
      Buffer.from('{"b":"'),
      Buffer.of(0xff, 0x7a),
      Buffer.from('","a":1}'),
    ]);
    expect(jsonToMsgpack(text, 2).toString('hex')).toBe('82a162a2ff7aa16101');
  });

  it('resolves escapes, also surrogate pairs and halves of them', () => {
    const text = '["\\ud83d\\ude00\\u00e9\\n\\/","\\ud83dx","\\u0041\\u0042"]';
    expect(decode(convert(text))).toEqual(['😀é\n/', '\ufffdx', 'AB']);
  });
});

describe('createReader', () => {
  it.each([
    [0x5b, 'json'],
    [0x7b, 'json'],
    [0x94, 'msgpack'],
    [0xc0, 'msgpack'],
  ])('chooses by the first byte: %i is %s', (byte, format) => {
    expect(createReader(byte, new RecordingSink(), LIMITS).format).toBe(format);
  });
});
