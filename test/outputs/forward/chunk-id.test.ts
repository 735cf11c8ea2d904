import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type ChunkIdScope,
  ChunkIds,
  type ChunkRange,
  RECORD_END,
} from '../../../src/outputs/forward/chunk-id.ts';

const SCOPE: ChunkIdScope = { journal_id: Buffer.alloc(16, 7), epoch: 1, output_name: 'main' };
const TAG = Buffer.from('app.web');
const RANGE: ChunkRange = { first_seq: 3, first_event: 0, last_seq: 9, end_event: RECORD_END };

function idOf(
  scope: Partial<ChunkIdScope> = {},
  tag = TAG,
  range: Partial<ChunkRange> = {},
  checksums = [1, 2],
): string {
  return new ChunkIds({ ...SCOPE, ...scope }).make(tag, { ...RANGE, ...range }, checksums);
}

describe('a chunk id', () => {
  it('is 24 characters of base64 over exactly the documented bytes', () => {
    const documented = Buffer.concat([
      Buffer.alloc(16, 7),
      Buffer.from('0000000000000001', 'hex'),
      Buffer.from('0004', 'hex'),
      Buffer.from('main'),
      Buffer.from('0007', 'hex'),
      TAG,
      Buffer.from('0000000000000003', 'hex'),
      Buffer.from('00000000', 'hex'),
      Buffer.from('0000000000000009', 'hex'),
      Buffer.from('ffffffff', 'hex'),
      Buffer.from('0000000100000002', 'hex'),
    ]);
    const expected = createHash('sha256').update(documented).digest().subarray(0, 18);
    expect(idOf()).toBe(expected.toString('base64'));
    expect(idOf()).toMatch(/^[A-Za-z0-9+/]{24}$/);
  });

  it('stays the same for the same chunk, whatever the maker made before', () => {
    const ids = new ChunkIds(SCOPE);
    const first = ids.make(TAG, RANGE, [1, 2]);
    ids.make(
      Buffer.alloc(4000, 0x61),
      RANGE,
      Array.from({ length: 5000 }, (_, i) => i),
    );
    expect(ids.make(TAG, RANGE, [1, 2])).toBe(first);
  });

  it('differs as soon as anything that it covers differs', () => {
    const variants = [
      idOf(),
      idOf({ journal_id: Buffer.alloc(16, 8) }),
      idOf({ epoch: 2 }),
      idOf({ epoch: 2 ** 40 }),
      idOf({ output_name: 'other' }),
      idOf({}, Buffer.from('app.we')),
      idOf({}, TAG, { first_seq: 4 }),
      idOf({}, TAG, { first_event: 1 }),
      idOf({}, TAG, { last_seq: 9 + 2 ** 32 }),
      idOf({}, TAG, { end_event: 5 }),
      idOf({}, TAG, {}, [1, 3]),
      idOf({}, TAG, {}, [1]),
    ];
    expect(new Set(variants).size).toBe(variants.length);
  });
});
