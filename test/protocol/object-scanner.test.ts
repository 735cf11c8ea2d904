import { decodeMulti, encode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decoder } from '../../src/protocol/decode.ts';
import { INCOMPLETE, skipItems } from '../../src/protocol/msgpack.ts';
import { ObjectScanner } from '../../src/protocol/object-scanner.ts';

const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    fc.constantFrom(null, true, false),
    fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    fc.double({ noNaN: true }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ maxLength: 40 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 20 },
    ),
  ),
}));

const packed = fc
  .array(values, { minLength: 1, maxLength: 6 })
  .map((list) => list.map((value) => Buffer.from(encode(value, { useBigInt64: true }))));

/** Numbers as bigint where they are whole: decoders differ in when they take which. */
const plain = (value: unknown): unknown => {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
};

describe('walking against @msgpack/msgpack', () => {
  it('skipItems finds the ends that the encoder wrote', () => {
    fc.assert(
      fc.property(packed, (objects) => {
        const stream = Buffer.concat(objects);
        let at = 0;
        for (const object of objects) {
          expect(skipItems(stream, at, at + object.length - 1, 1, 64)).toBe(INCOMPLETE);
          at = skipItems(stream, at, stream.length, 1, 64);
          expect(stream.subarray(at - object.length, at)).toEqual(object);
        }
        expect(at).toBe(stream.length);
      }),
    );
  });

  it('ObjectScanner finds them too, cut anywhere', () => {
    fc.assert(
      fc.property(packed, fc.integer({ min: 1, max: 50 }), (objects, chunk_bytes) => {
        const stream = Buffer.concat(objects);
        const scanner = new ObjectScanner(64);
        const sizes: number[] = [];
        let at = 0;
        while (at < stream.length) {
          scanner.restart(stream.length, 'none');
          while (!scanner.whole) {
            const end = Math.min(at + chunk_bytes, stream.length);
            at = scanner.scan(stream, at, end);
          }
          sizes.push(scanner.bytes);
        }
        expect(sizes).toEqual(objects.map((object) => object.length));
      }),
    );
  });

  it('Decoder reads the same values', () => {
    fc.assert(
      fc.property(packed, (objects) => {
        const stream = Buffer.concat(objects);
        const decoder = new Decoder(stream);
        const own: unknown[] = [];
        while (decoder.offset < stream.length) own.push(decoder.next(64));
        const theirs = [...decodeMulti(stream, { useBigInt64: true })];
        expect(own.map(plain)).toEqual(theirs.map(plain));
      }),
    );
  });
});

describe('every lead byte', () => {
  const body = Buffer.alloc(600, 0x01);

  it.each(Array.from({ length: 256 }, (_, lead) => lead).filter((lead) => lead !== 0xc1))(
    'means the same to both walkers: %i',
    (lead) => {
      const wide = [0xc6, 0xc9, 0xdb, 0xdd, 0xdf].includes(lead);
      const header = wide
        ? Buffer.of(lead, 0, 0, 0)
        : Buffer.of(lead, ...(lead % 4 === 1 ? [0] : []));
      const stream = Buffer.concat([header, body]);
      const end = skipItems(stream, 0, stream.length, 1, 64);
      const scanner = new ObjectScanner(64);
      scanner.restart(100_000, 'none');
      const scanned = scanner.scan(stream, 0, stream.length);
      if (end === INCOMPLETE) expect(scanner.whole).toBe(false);
      else expect([scanned, scanner.whole]).toEqual([end, true]);
    },
  );
});

describe('ObjectScanner', () => {
  it('refuses more than the limit as soon as a header announces it, with the arithmetic', () => {
    const scanner = new ObjectScanner(64);
    scanner.restart(1000, 'event_max_bytes');
    const scan = (): number => scanner.scan(Buffer.from('82a161c5ffff', 'hex'), 0, 6);
    expect(scan).toThrow('6 bytes + 65537 that its headers announce = 65543 > 1000');
  });

  it('counts levels also where each container is the last in its parent', () => {
    const deep = Buffer.from(`${'91'.repeat(5)}c0`, 'hex');
    const scanner = new ObjectScanner(4);
    scanner.restart(1000, 'none');
    expect(() => scanner.scan(deep, 0, deep.length)).toThrow('nesting_max_levels');
    expect(() => skipItems(deep, 0, deep.length, 1, 4)).toThrow('nesting_max_levels');
    expect(skipItems(deep, 0, deep.length, 1, 5)).toBe(6);
  });
});
