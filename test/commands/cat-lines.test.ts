import { decode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { type LineForm, LineSplitter, lineToEntry } from '../../src/commands/cat-lines.ts';

const split = (chunks: readonly string[], line_max_bytes = 1000): string[] => {
  const splitter = new LineSplitter(line_max_bytes);
  const lines = chunks.flatMap((chunk) => [...splitter.feed(Buffer.from(chunk))]);
  return [...lines, ...splitter.finish()].map(String);
};

describe('lines', () => {
  const text = 'one\ntwo\r\n\nlast \u00e4';
  const lines = ['one', 'two', '', 'last \u00e4'];

  test('end in a newline or a return and a newline; the last may have no end', () => {
    expect(split([text])).toEqual(lines);
    expect(split(['a\n'])).toEqual(['a']);
    expect(split([])).toEqual([]);
  });

  test('are the same wherever the stream is cut', () => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const splitter = new LineSplitter();
      const found = [
        ...splitter.feed(bytes.subarray(0, cut)),
        ...splitter.feed(bytes.subarray(cut)),
        ...splitter.finish(),
      ];
      expect(found.map(String)).toEqual(lines);
    }
  });

  test('that are too long are refused by number, before they are gathered', () => {
    expect(split(['12345\n12345'], 5)).toEqual(['12345', '12345']);
    expect(() => split(['12345\n', '123', '456'], 5)).toThrow('a line is too long, 6 > 5 bytes');
  });
});

describe('a line as an entry', () => {
  const record = (line: string | Buffer, form: Partial<LineForm> = {}): unknown => {
    const time = { seconds: 1, nanoseconds: 2 };
    const entry = lineToEntry(
      Buffer.from(line as string),
      7,
      { key: 'log', json: false, ...form },
      time,
    );
    return (decode(entry, { rawStrings: false }) as unknown[])[1];
  };

  test('is the record if it is a JSON object', () => {
    expect(record(' {"a":{"b":[1,null,true]},"n":1.5}')).toEqual({
      a: { b: [1, null, true] },
      n: 1.5,
    });
  });

  test.each([
    'hello',
    '',
    '[1]',
    '"a"',
    '7',
    '{not json',
    '{"a":1} trailing',
    `{"a":${'['.repeat(100)}`,
  ])('is text otherwise: %j', (line) => {
    expect(record(line)).toEqual({ log: line });
    expect(record(line, { key: 'message' })).toEqual({ message: line });
  });

  test('keeps bytes that are not UTF-8', () => {
    const line = Buffer.from([0x61, 0xff, 0xc3]);
    const entry = lineToEntry(line, 1, { key: 'log', json: false }, { seconds: 1, nanoseconds: 0 });
    expect(entry.includes(Buffer.concat([Buffer.from([0xa3]), line]))).toBe(true);
  });

  test('has to be a JSON object with --json, and is named by its number if it is not', () => {
    expect(record('{"a":1}', { json: true })).toEqual({ a: 1 });
    for (const line of ['hello', '{"a":', '[]']) {
      expect(() => record(line, { json: true })).toThrow('the line is not a JSON object');
    }
  });
});
