import { decode, encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { CODEC } from '../../src/protocol/codec.ts';
import {
  encodeEntry,
  encodeMessage,
  encodeOptions,
  encodePacked,
} from '../../src/protocol/encode.ts';
import { eventTimeOf } from '../../src/protocol/event-time.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { bin, integer, mapHeader, str, uint } from '../../src/protocol/msgpack-write.ts';
import { ENTRIES, ENTRY_1, hex, RECORD, SAMPLES } from '../support/forward-messages.ts';
import { RecordingSink } from '../support/recording-sink.ts';

const TAG = Buffer.from('app');
const TIME = { seconds: 1441588984, nanoseconds: 123456789 };

describe('encodePacked', () => {
  it('leaves the pieces of the body untouched', () => {
    const body = [hex(ENTRIES.slice(0, 20)), hex(ENTRIES.slice(20))];
    const pieces = encodePacked(TAG, body, { size: 2 });
    expect(pieces[1]).toBe(body[0]);
    expect(pieces[2]).toBe(body[1]);
    expect(Buffer.concat(pieces).toString('hex')).toBe(`93a3617070c421${ENTRIES}81a473697a6502`);
  });

  it('writes the payload as str for those who want it so', () => {
    const bytes = Buffer.concat(encodePacked(TAG, [hex(ENTRIES)], {}, 'str'));
    expect(bytes.toString('hex')).toBe(`93a3617070d921${ENTRIES}80`);
  });

  it('is read back with all its options', () => {
    const gzip = SAMPLES.compressed_2_members.subarray(7, 7 + 75);
    const options = { chunk: Buffer.from('id\n'), size: 300, codec: CODEC.gzip, signal: 2 };
    const sink = new RecordingSink();
    new FrameReader(sink, LIMITS).feed(Buffer.concat(encodePacked(TAG, [gzip], options)));
    const expected = { tag: 'app', chunk: 'id\n', count: 300, codec: CODEC.gzip, attrs: 2 << 8 };
    expect(sink.deliveries).toMatchObject([{ ...expected, body: gzip.toString('hex') }]);
  });
});

describe('encodeOptions', () => {
  it('puts the chunk id first and leaves out what says nothing', () => {
    const options = { size: 7, chunk: Buffer.from('c'), codec: CODEC.none, signal: 0 };
    expect(encodeOptions(options).toString('hex')).toBe('82a56368756e6ba163a473697a6507');
    expect(decode(encodeOptions({ codec: CODEC.zstd }))).toEqual({ compressed: 'zstd' });
  });
});

describe('single events', () => {
  it('a message is the sample of the protocol', () => {
    const message = encodeMessage(TAG, TIME, hex(RECORD));
    expect(message).toEqual(
      Buffer.concat([hex('94'), SAMPLES.message_3_elements.subarray(1), hex('80')]),
    );
  });

  it('an entry is the sample of the protocol', () => {
    expect(encodeEntry(TIME, hex(RECORD)).toString('hex')).toBe(ENTRY_1);
  });

  it('a clock in milliseconds becomes seconds and nanoseconds', () => {
    expect(eventTimeOf(1441588984_123)).toEqual({ seconds: 1441588984, nanoseconds: 123_000_000 });
    expect(eventTimeOf(5000)).toEqual({ seconds: 5, nanoseconds: 0 });
  });
});

describe('headers are as short as they can be', () => {
  it.each([0, 1, 31, 32, 255, 256, 65_535, 65_536])('%i', (n) => {
    const text = 'x'.repeat(n);
    expect(str(text)).toEqual(Buffer.from(encode(text)));
    expect(bin(Buffer.alloc(n))).toEqual(Buffer.from(encode(Buffer.alloc(n))));
    expect(uint(n)).toEqual(Buffer.from(encode(n)));
    const map = Object.fromEntries(Array.from({ length: Math.min(n, 300) }, (_, i) => [`${i}`, 1]));
    const encoded = Buffer.from(encode(map));
    const header = mapHeader(Math.min(n, 300));
    expect(encoded.subarray(0, header.length)).toEqual(header);
  });

  it.each([0n, 127n, 128n, -1n, -32n, -33n, 2n ** 32n, 2n ** 64n - 1n, -(2n ** 63n)])('%i', (n) => {
    expect(BigInt(decode(integer(n), { useBigInt64: true }) as number | bigint)).toBe(n);
  });
});
