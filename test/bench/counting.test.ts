import { Buffer } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { decode, decodeMulti, encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { ChunkCounter, type CountedChunk } from '../../bench/lib/chunk-counter.ts';
import { ackedMessage, loadBlock, type WireMode } from '../../bench/lib/wire.ts';
import { LIMITS } from '../../src/limits.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { RecordingSink } from '../support/recording-sink.ts';

const BLOCK_BYTES = 256 * 1024;

describe('the load', () => {
  it.each<WireMode>(['message', 'forward', 'packed'])(
    'has as many events as it says: %s',
    (mode) => {
      const block = loadBlock({ mode, line_bytes: 1000, tags_count: 1 }, BLOCK_BYTES);
      let count = 0;
      const sink = Object.assign(new RecordingSink(), {
        frame: (_: Buffer, frame: { count: number }) => {
          count += frame.count;
        },
        largeRun: (_: Buffer, _start: number, _end: number, run_count: number) => {
          count += run_count;
        },
      });
      const reader = new FrameReader(sink, LIMITS);
      reader.feed(block.bytes);
      expect(reader.end()).toBe(false);
      expect(count).toBe(block.events_count);
    },
  );

  it('compresses what it would otherwise send', () => {
    const shape = { line_bytes: 1000, tags_count: 1 } as const;
    const [message] = [...decodeMulti(loadBlock({ ...shape, mode: 'gzip' }, BLOCK_BYTES).bytes)];
    const [, payload, option] = message as [string, Uint8Array, { size: number }];
    expect([...decodeMulti(gunzipSync(payload))]).toHaveLength(option.size);
  });

  it('takes all tags in turn, each as often', () => {
    const block = loadBlock({ mode: 'message', line_bytes: 1000, tags_count: 7 }, BLOCK_BYTES);
    const tags = [...decodeMulti(block.bytes)].map((message) => (message as [string])[0]);
    expect(tags.slice(0, 8)).toEqual([...Array(7).keys(), 0].map((tag) => `app.${tag}`));
    expect(tags.length % 7).toBe(0);
  });

  it('is made in blocks as small as wished, and no smaller', () => {
    const block = loadBlock({ mode: 'message', line_bytes: 100, tags_count: 1 }, 1000);
    expect(block.body_bytes).toBeGreaterThanOrEqual(1000);
    expect(block.body_bytes).toBeLessThan(1500);
  });

  it('sends about 230 bytes for a line of 100, as Docker does', () => {
    const { bytes, events_count } = loadBlock(
      { mode: 'message', line_bytes: 100, tags_count: 1 },
      BLOCK_BYTES,
    );
    expect(bytes.length / events_count).toBeGreaterThan(220);
    expect(bytes.length / events_count).toBeLessThan(250);
  });

  it('has the chunk id of an awaited message where it says', () => {
    const { bytes, id_start, id_bytes } = ackedMessage(100);
    const id = 'x'.repeat(id_bytes);
    bytes.write(id, id_start);
    expect((decode(bytes) as unknown[])[3]).toEqual({ chunk: id });
  });
});

describe('the counting sink', () => {
  const chunk = (size: number, id: string, bytes: number): Buffer =>
    Buffer.from(
      encode(['app.web', new Uint8Array(bytes), { size, compressed: 'text', chunk: id }]),
    );
  const wire = Buffer.concat([
    chunk(3, 'first', 5),
    chunk(70_000, 'second', 300),
    chunk(0, '3', 0),
  ]);
  const counted = (pieces: readonly Buffer[]): CountedChunk[] => {
    const chunks: CountedChunk[] = [];
    const counter = new ChunkCounter();
    for (const piece of pieces) counter.feed(piece, (one) => chunks.push(one));
    return chunks;
  };
  const EXPECTED = [
    { events_count: 3, body_bytes: 5, id: 'first' },
    { events_count: 70_000, body_bytes: 300, id: 'second' },
    { events_count: 0, body_bytes: 0, id: '3' },
  ];

  it('counts by what the senders say, and passes the bodies over', () => {
    expect(counted([wire])).toEqual(EXPECTED);
  });

  it('counts the same wherever the bytes are cut', () => {
    for (let cut = 1; cut < wire.length; cut += 1) {
      expect(counted([wire.subarray(0, cut), wire.subarray(cut)])).toEqual(EXPECTED);
    }
    expect(counted([...wire].map((byte) => Buffer.of(byte)))).toEqual(EXPECTED);
  });

  it.each([
    ['a message without a size', ['app', new Uint8Array(3), { chunk: 'x' }]],
    ['another mode', ['app', 1, { log: 'x' }]],
    ['something else', { ack: 'x' }],
  ])('refuses %s', (_, message) => {
    expect(() => counted([Buffer.from(encode(message))])).toThrow(RangeError);
  });
});
