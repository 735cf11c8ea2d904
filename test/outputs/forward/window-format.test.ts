import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogboomError } from '../../../src/errors.ts';
import { RECORD_END } from '../../../src/outputs/forward/chunk-id.ts';
import { REWRITE_NONE, type Rewrite } from '../../../src/outputs/forward/rewrite-spec.ts';
import { decodeWindow, encodeWindow } from '../../../src/outputs/forward/window-format.ts';
import { hex } from '../../support/forward-messages.ts';
import { chunkOf } from './chunks.ts';

const SECOND: Rewrite = {
  ...REWRITE_NONE,
  tag_prefix: 'host1.',
  add: { host: 'wéb', n: 1 },
  metadata: { key: 'm' },
};

const place = fc.record({
  id: fc
    .uint8Array({ minLength: 18, maxLength: 18 })
    .map((bytes) => Buffer.from(bytes).toString('base64')),
  tag: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  range: fc
    .record({
      first_seq: fc.nat({ max: 2 ** 48 }),
      first_event: fc.nat(),
      records: fc.nat(),
      end_event: fc.constantFrom(1, 77, RECORD_END),
    })
    .map(({ first_seq, first_event, records, end_event }) => ({
      first_seq,
      first_event,
      last_seq: first_seq + records,
      end_event,
    })),
  checksum: fc.nat({ max: 0xffff_ffff }),
  rewrite: fc.constantFrom(REWRITE_NONE, SECOND, { ...SECOND }),
});

describe('the recorded window', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(place, { maxLength: 40 }), (end_seq, places) => {
        const chunks = places.map((recorded) => chunkOf(1, 'x', 1, recorded));
        const window = decodeWindow(encodeWindow(3, end_seq, chunks));
        expect(window).toEqual({ epoch: 3, end_seq, chunks: places });
      }),
    );
  });

  it('is undefined when nothing was ever recorded', () => {
    expect(decodeWindow(Buffer.alloc(0))).toBeUndefined();
  });

  it('is refused, with a typed error, when any bit of it is wrong or a part is missing', () => {
    const good = encodeWindow(3, 9, [chunkOf(3, 'app'), chunkOf(5, 'db')]);
    const corrupt = (bytes: Buffer): void => {
      try {
        decodeWindow(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(LogboomError);
        return;
      }
      throw new Error('damaged bytes were accepted');
    };
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      corrupt(bad);
    }
    for (let length = 1; length < good.length; length++) corrupt(good.subarray(0, length));
  });

  it('of a newer logboom says so', () => {
    const newer = encodeWindow(3, 9, []);
    newer[0] = 2;
    expect(() => decodeWindow(newer)).toThrow(/version 2, this logboom knows 1/);
  });

  it('keeps its bytes: version 1 is what other versions must be able to read', () => {
    const chunk = chunkOf(300, 'app', 2, { checksum: 0x01020304 });
    const range = { first_seq: 300, first_event: 5, last_seq: 301, end_event: 200 };
    const content = Buffer.concat([
      hex('0000000000000003 0000000000000007 01'),
      hex('00000064'),
      Buffer.from(
        '{"tag_prefix":"","add":{},"metadata":"keep","group_markers":"keep","codecs_kept":[1,2],"compress":0}',
      ),
      hex('00000002'),
      Buffer.from('chunk 300         '),
      hex('00 ac02 00 00 00 01020304 03'),
      Buffer.from('app'),
      Buffer.from('chunk 300         '),
      hex('00 ac02 05 01 c801 01020304 03'),
      Buffer.from('app'),
    ]);
    const head = Buffer.alloc(5, 1);
    head.writeUInt32BE(crc32(content), 1);
    expect(
      encodeWindow(3, 7, [chunk, chunkOf(300, 'app', 2, { checksum: 0x01020304, range })]).toString(
        'hex',
      ),
    ).toBe(Buffer.concat([head, content]).toString('hex'));
  });
});
