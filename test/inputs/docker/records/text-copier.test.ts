import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextCopier } from '../../../../src/inputs/docker/records/text-copier.ts';

describe('TextCopier', () => {
  it('copies what it is told, and nothing beside it, whatever the length and the buffers', () => {
    const copier = new TextCopier();
    const buffers = [Buffer.alloc(700, 1), Buffer.from(Buffer.alloc(900, 2).buffer, 3, 800)];
    const piece = fc.record({
      from: fc.constantFrom(...buffers),
      start: fc.nat({ max: 300 }),
      bytes: fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 400 })),
      at: fc.nat({ max: 300 }),
      is_new: fc.boolean(),
    });
    for (const buffer of buffers) {
      for (let at = 0; at < buffer.length; at++) buffer[at] = (at * 7) % 251;
    }
    let to = Buffer.alloc(700, 0xff);
    fc.assert(
      fc.property(piece, ({ from, start, bytes, at, is_new }) => {
        if (is_new) to = Buffer.alloc(700, 0xee);
        const expected = Buffer.from(to);
        from.copy(expected, at, start, start + bytes);
        copier.copy(from, start, start + bytes, to, at);
        expect(to.equals(expected)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
