import { describe, expect, it } from 'vitest';
import { SseParser } from '../../../src/status/page/browser/sse.js';

const STREAM =
  ': hello\nretry: 2000\n\ndata: {"a":1}\n\nevent: x\r\ndata:one\r\ndata: two\r\n\r\nid: 7\n\ndata: cut off';

function parse(...pieces: string[]): string[] {
  const found: string[] = [];
  const parser = new SseParser((data) => found.push(data));
  for (const piece of pieces) parser.push(piece);
  return found;
}

describe('a stream of server-sent events', () => {
  it('gives the data of each event that is complete', () => {
    expect(parse(STREAM)).toEqual(['{"a":1}', 'one\ntwo']);
  });

  it('gives the same wherever it is cut', () => {
    for (let at = 0; at <= STREAM.length; at++) {
      expect(parse(STREAM.slice(0, at), STREAM.slice(at))).toEqual(parse(STREAM));
    }
    expect(parse(...STREAM.split(''))).toEqual(parse(STREAM));
  });
});
