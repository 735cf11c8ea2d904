import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import type { Frame, FrameSink } from '../../src/protocol/frame.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { arrayHeader, bin, str } from '../../src/protocol/msgpack-write.ts';
import { ScratchPool } from '../../src/protocol/scratch-pool.ts';

const KiB = 1024;

/** Notes every buffer that it gives out. */
class NotingPool extends ScratchPool {
  readonly taken: Buffer[] = [];

  override take(min_bytes: number, wish_bytes: number): Buffer {
    const buffer = super.take(min_bytes, wish_bytes);
    this.taken.push(buffer);
    return buffer;
  }
}

/** PackedForward with entries of about so many bytes in all. */
function packed(bytes: number): Buffer {
  const entry = Buffer.concat([
    Buffer.of(0x92, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0x81),
    str('log'),
    str('x'.repeat(200)),
  ]);
  const entries = Buffer.concat(Array<Buffer>(Math.floor(bytes / entry.length)).fill(entry));
  return Buffer.concat([arrayHeader(2), str('app'), bin(entries)]);
}

function collecting(found: Buffer[]): FrameSink {
  return {
    frame: (buf: Buffer, { body_start, body_end }: Frame) => {
      found.push(Buffer.from(buf.subarray(body_start, body_end)));
    },
    heartbeat: () => {},
    largeBegin: () => {},
    largeRun: () => {},
    largeEnd: () => {},
    largeAbort: () => {},
  };
}

describe('memory for messages that arrive in pieces', () => {
  it('serves one message after the other, on whatever connection', () => {
    const pool = new NotingPool();
    const message = packed(150 * KiB);
    const found: Buffer[] = [];
    for (let connection = 0; connection < 5; connection++) {
      const reader = new FrameReader(collecting(found), LIMITS, pool);
      for (let count = 0; count < 4; count++) {
        for (let at = 0; at < message.length; at += 40_000) {
          reader.feed(Buffer.from(message.subarray(at, at + 40_000)));
        }
      }
    }
    expect(found).toHaveLength(20);
    expect(new Set(found.map((body) => body.toString('latin1'))).size).toBe(1);
    expect(pool.taken.length).toBeGreaterThan(20);
    expect(new Set(pool.taken).size).toBe(2);
  });

  it('is not shared by messages that arrive at the same time', () => {
    const pool = new NotingPool();
    const found: Buffer[] = [];
    const messages = [packed(100 * KiB), packed(200 * KiB)];
    const readers = messages.map(() => new FrameReader(collecting(found), LIMITS, pool));
    for (let at = 0; at < 220 * KiB; at += 30_000) {
      for (const [index, reader] of readers.entries()) {
        reader.feed(Buffer.from((messages[index] as Buffer).subarray(at, at + 30_000)));
      }
    }
    expect(found.map(({ length }) => length)).toEqual(
      messages.map((message) => bodyBytes(message)),
    );
    for (const [index, body] of found.entries()) {
      expect((messages[index] as Buffer).subarray(-body.length).equals(body)).toBe(true);
    }
  });

  it('comes back when a connection ends in the middle of a message', () => {
    const pool = new NotingPool();
    for (let connection = 0; connection < 10; connection++) {
      const reader = new FrameReader(collecting([]), LIMITS, pool);
      reader.feed(packed(200 * KiB).subarray(0, 100 * KiB));
      expect(reader.end()).toBe(true);
    }
    expect(new Set(pool.taken).size).toBe(1);
  });

  it('is bounded: of what many gave back some is kept, and of what is larger nothing', () => {
    const pool = new ScratchPool();
    const buffers = Array.from({ length: 20 }, () => pool.take(200 * KiB, 0));
    for (const buffer of buffers) pool.give(buffer);
    const again = Array.from({ length: 20 }, () => pool.take(200 * KiB, 0));
    expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(8);
    const huge = pool.take(300 * KiB, 400 * KiB);
    expect(huge).toHaveLength(400 * KiB);
    pool.give(huge);
    expect(pool.take(300 * KiB, 400 * KiB)).not.toBe(huge);
  });
});

/** Of a message by `packed`: what is behind its head. */
function bodyBytes(message: Buffer): number {
  return message.length - (1 + 4 + 5);
}
