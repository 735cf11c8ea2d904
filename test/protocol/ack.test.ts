import { describe, expect, it } from 'vitest';
import { AckParser, encodeAck } from '../../src/protocol/ack.ts';
import { CHUNK_ID, hex } from '../support/forward-messages.ts';

const ACK = hex('81a361636bb8414141414141414141414141414141414141414141413d3d');
const ACK_FLUENTD = hex('81a361636bb9414141414141414141414141414141414141414141413d3d0a');

describe('encodeAck', () => {
  it('echoes the chunk id byte for byte', () => {
    expect(encodeAck(Buffer.from(CHUNK_ID))).toEqual(ACK);
    expect(encodeAck(Buffer.from(`${CHUNK_ID}\n`))).toEqual(ACK_FLUENTD);
    expect(encodeAck(Buffer.of(0xff, 0x00)).toString('hex')).toBe('81a361636ba2ff00');
    expect(encodeAck(Buffer.alloc(40, 'a')).toString('hex')).toMatch(/^81a361636bd928(61){40}$/);
  });

  it('writes JSON for clients that speak it', () => {
    expect(encodeAck(Buffer.from('a"b\n'), 'json').toString()).toBe('{"ack":"a\\"b\\n"}');
  });
});

describe('AckParser', () => {
  const unknown_keys = hex('83a17801a361636ba26964a17981a17a92c0c3');
  const as_bin = hex('81c40361636bc4026964');
  const stream = Buffer.concat([ACK, unknown_keys, Buffer.of(0xc0), ACK_FLUENTD, as_bin]);
  const ids = [CHUNK_ID, 'id', `${CHUNK_ID}\n`, 'id'];

  it('reads several acks at once, whatever else their maps hold', () => {
    expect(new AckParser().feed(stream).map(String)).toEqual(ids);
  });

  it('reads acks that are cut anywhere', () => {
    for (let cut = 1; cut < stream.length; cut += 1) {
      const parser = new AckParser();
      const acked = [...parser.feed(stream.subarray(0, cut)), ...parser.feed(stream.subarray(cut))];
      expect(acked.map(String)).toEqual(ids);
    }
    const parser = new AckParser();
    const by_byte = Array.from(stream, (_, i) => parser.feed(stream.subarray(i, i + 1))).flat();
    expect(by_byte.map(String)).toEqual(ids);
  });

  it.each([
    ['an array', '93a3616263c001', 'LB_PROTOCOL_SYNTAX'],
    ['a map without ack', '81a161a162', 'LB_PROTOCOL_SYNTAX'],
    ['an ack that is no str', '81a361636b01', 'LB_PROTOCOL_SYNTAX'],
    ['an ack that never ends', '81a361636bdb00100000', 'LB_PROTOCOL_LIMIT'],
  ])('refuses %s', (_name, bytes, code) => {
    expect(() => new AckParser().feed(hex(bytes))).toThrow(expect.objectContaining({ code }));
  });
});
