import { decodeMulti } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chunk } from '../../../src/outputs/forward/chunk.ts';
import { MessageBatch, SlabPool } from '../../../src/outputs/forward/wire.ts';
import { ATTR, CODEC } from '../../../src/protocol/codec.ts';
import { chunkOf, idOf } from './chunks.ts';

function sendable(
  n: number,
  body: readonly Buffer[],
  more: { tag?: Buffer; codec?: 0 | 1 | 2; attrs?: number; events?: number } = {},
): Chunk {
  const { tag = Buffer.from('app'), codec = CODEC.none, attrs = 0, events = 3 } = more;
  const chunk = chunkOf(n, 'app', 1, { attrs });
  chunk.wire = { tag, codec, body, bytes: Buffer.concat(body).length, events };
  return chunk;
}

function batchOf(chunks: readonly Chunk[], acks = true): MessageBatch {
  const batch = new MessageBatch(acks, new SlabPool());
  for (const chunk of chunks) batch.add(chunk);
  return batch;
}

describe('messages', () => {
  it('are what the protocol says, byte for byte', () => {
    const bytes = Buffer.concat(batchOf([sendable(1, [Buffer.from('entries')])]).finish());
    expect(bytes.toString('latin1')).toBe(
      `\x93\xa3app\xc6\0\0\0\x07entries\x82\xa5chunk\xb8${idOf(1)}\xa4size\xce\0\0\0\x03`,
    );
  });

  it('name codec and signal, and ask for no ack without acks', () => {
    const chunks = [
      sendable(1, [Buffer.from('z')], { codec: CODEC.gzip }),
      sendable(2, [Buffer.from('z')], { codec: CODEC.zstd, events: 0 }),
      sendable(3, [Buffer.from('m')], { attrs: 2 << ATTR.signal_shift, events: 0 }),
    ];
    const options = (acks: boolean) =>
      [...decodeMulti(Buffer.concat(batchOf(chunks, acks).finish()))].map(
        (message) => (message as unknown[])[2],
      );
    expect(options(false)).toEqual([
      { size: 3, compressed: 'gzip' },
      { compressed: 'zstd' },
      { fluent_signal: 2 },
    ]);
    expect(options(true)).toMatchObject([
      { chunk: idOf(1) },
      { chunk: idOf(2) },
      { chunk: idOf(3) },
    ]);
  });

  it('carry bodies of any size and in any pieces, under tags of any length', () => {
    const piece = fc
      .tuple(fc.constantFrom(0, 1, 100, 4000, 5000, 17_000, 70_000), fc.nat({ max: 255 }))
      .map(([bytes, fill]) => Buffer.alloc(bytes, fill));
    const tag = fc
      .constantFrom(0, 1, 31, 32, 255, 256, 4096)
      .map((bytes) => Buffer.alloc(bytes, 0x74));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(piece, { maxLength: 5 }), tag), { maxLength: 12 }),
        (all) => {
          const chunks = all.map(([body, its_tag], n) => sendable(n, body, { tag: its_tag }));
          const batch = batchOf(chunks);
          const written = Buffer.concat(batch.finish());
          expect(batch.bytes).toBe(written.length);
          const messages = [...decodeMulti(written)] as [string, Uint8Array, { chunk: string }][];
          expect(messages.map(([, , { chunk }]) => chunk)).toEqual(all.map((_, n) => idOf(n)));
          for (const [n, [message_tag, body]] of messages.entries()) {
            expect(message_tag).toBe(all[n]?.[1].toString());
            expect(Buffer.from(body).equals(Buffer.concat(all[n]?.[0] ?? []))).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leave large bodies where they are, and put small ones together', () => {
    const large = Buffer.alloc(20_000);
    expect(batchOf([sendable(1, [large])]).finish()).toContain(large);
    const small = Array.from({ length: 500 }, (_, n) => sendable(n, [Buffer.alloc(230)]));
    expect(batchOf(small).finish().length).toBeLessThan(6);
  });
});
