import { gzipSync } from 'node:zlib';
import zstd from '@foxglove/wasm-zstd';
import { beforeAll, describe, expect, test } from 'vitest';
import { CODEC, type Codec } from '../../src/protocol/codec.ts';
import { inflate } from '../../src/protocol/inflate.ts';
import { zstdFrames } from '../../src/protocol/zstd-frames.ts';

const LIMITS = { inflated_max_bytes: 1_000_000, zstd_frame_max_bytes: 500_000 };

async function* pieces(...parts: Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  for (const part of parts) yield part;
}

async function inflated(codec: Codec, ...parts: Buffer[]): Promise<string> {
  const out: Buffer[] = [];
  for await (const piece of inflate(codec, pieces(...parts), LIMITS)) out.push(Buffer.from(piece));
  return Buffer.concat(out).toString();
}

describe('gzip', () => {
  const two_members = Buffer.concat([gzipSync('first '), gzipSync('second')]);

  test('of two members inflates to both, wherever it is cut', async () => {
    for (let cut = 1; cut < two_members.length; cut++) {
      const [head, tail] = [two_members.subarray(0, cut), two_members.subarray(cut)];
      expect(await inflated(CODEC.gzip, head, tail)).toBe('first second');
    }
  });

  test('that is cut off is refused, wherever', async () => {
    const member = gzipSync('a whole member');
    for (let cut = 1; cut < member.length; cut++) {
      await expect(inflated(CODEC.gzip, member.subarray(0, cut))).rejects.toMatchObject({
        code: 'LB_PROTOCOL_SYNTAX',
      });
    }
  });

  test.each([
    ['zeros', Buffer.alloc(9)],
    ['zeros and a member', Buffer.concat([Buffer.alloc(3), gzipSync('hidden')])],
    ['text', Buffer.from('text')],
  ])('with %s behind it is refused: nothing is passed over in silence', async (_what, rest) => {
    const code = { code: 'LB_PROTOCOL_SYNTAX' };
    await expect(inflated(CODEC.gzip, Buffer.concat([two_members, rest]))).rejects.toMatchObject(
      code,
    );
    await expect(inflated(CODEC.gzip, two_members, rest)).rejects.toMatchObject(code);
  });

  test('that inflates to too much is stopped on the way', async () => {
    let seen_bytes = 0;
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const reading = (async () => {
      for await (const piece of inflate(CODEC.gzip, pieces(bomb), LIMITS))
        seen_bytes += piece.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'LB_PROTOCOL_LIMIT' });
    expect(seen_bytes).toBeLessThanOrEqual(LIMITS.inflated_max_bytes);
  });
});

describe('zstd', () => {
  beforeAll(() => zstd.isLoaded);

  const frame = (text: string | Buffer): Buffer => zstd.compress(Buffer.from(text));
  /** A frame that does not say how large its content is: one raw block. */
  const unsized = Buffer.from('28b52ffd005829000068656c6c6f', 'hex');
  const skippable = Buffer.concat([Buffer.from('502a4d1803000000', 'hex'), Buffer.from('xyz')]);

  test('of several frames inflates to all, skippable ones left out, wherever it is cut', async () => {
    const whole = Buffer.concat([frame('first '), skippable, unsized, frame(' last')]);
    for (let cut = 1; cut < whole.length; cut++) {
      const text = await inflated(CODEC.zstd, whole.subarray(0, cut), whole.subarray(cut));
      expect(text).toBe('first hello last');
    }
  });

  test('that is cut off is refused, wherever', async () => {
    const whole = frame('a whole frame');
    for (let cut = 1; cut < whole.length; cut++) {
      await expect(inflated(CODEC.zstd, whole.subarray(0, cut))).rejects.toMatchObject({
        code: 'LB_PROTOCOL_SYNTAX',
      });
    }
  });

  test('that is damaged, or has something else behind it, is refused', async () => {
    const damaged = Buffer.concat([frame('first'), Buffer.from('more and more')]);
    await expect(inflated(CODEC.zstd, damaged)).rejects.toMatchObject({
      code: 'LB_PROTOCOL_SYNTAX',
    });
  });

  test('that says it is too large is refused before any memory is taken', async () => {
    const bomb = frame(Buffer.alloc(600_000));
    expect(zstdFrames(bomb)[0]?.inflated_max_bytes).toBe(600_000);
    await expect(inflated(CODEC.zstd, bomb)).rejects.toMatchObject({ code: 'LB_PROTOCOL_LIMIT' });
  });

  test('in small frames that are too much together is stopped on the way', async () => {
    const bomb = Buffer.concat(Array.from({ length: 5 }, () => frame(Buffer.alloc(400_000))));
    await expect(inflated(CODEC.zstd, bomb)).rejects.toMatchObject({ code: 'LB_PROTOCOL_LIMIT' });
  });
});
