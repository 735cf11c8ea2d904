import { describe, expect, it } from 'vitest';
import { checkOutputs, type OwnOutput } from '../../../src/relay/control/check-outputs.ts';

const keeping = (name: string, type = 'forward'): OwnOutput => ({ name, type, keeps_place: true });
const shown: OwnOutput = { name: 'shown', type: 'stdout', keeps_place: false };

const use = (outputs: OwnOutput[], ...dropped: string[]) => ({ outputs, dropped });

/** A relay with these places; `others` are its outputs that keep none. */
const relay = (places: Record<string, string>, ...others: string[]) => ({
  outputs: [...Object.keys(places), ...others],
  places: Object.entries(places).map(([name, type]) => ({ name, type })),
});

/** As it was before places were told. */
const older = (...outputs: string[]) => ({ outputs });

describe('a process that takes over is refused', () => {
  it.each([
    ['an output that it lacks', relay({ a: 'forward' }), use([keeping('b')]), /output a/],
    ['one that keeps no place here', relay({ shown: 'file' }), use([shown]), /output shown/],
    ['one of another type', relay({ a: 'file' }), use([keeping('a')]), /file .* become forward/],
    ['another type, though dropped', relay({ a: 'file' }), use([keeping('a')], 'a'), /become/],
    ['a drop of no place', relay({ a: 'file' }, 'b'), use([keeping('a', 'file')], 'b'), /no place/],
    ['an output that it lacks, by an older relay', older('a'), use([]), /output a/],
    ['a drop of what an older relay lacks', older('a'), use([keeping('a')], 'b'), /no place/],
  ])('for %s', (_why, ready, place_use, message) => {
    expect(() => checkOutputs(ready, place_use)).toThrow(message);
  });
});

describe('a process that takes over may', () => {
  it.each([
    ['have the same outputs', relay({ a: 'forward' }), use([keeping('a')])],
    ['have new ones', relay({ a: 'forward' }), use([keeping('a'), keeping('b', 'file'), shown])],
    ['drop one', relay({ a: 'forward', b: 'file' }), use([keeping('a')], 'b')],
    ['lack one that keeps no place', relay({ a: 'forward' }, 'shown'), use([keeping('a')])],
    ['follow on an output that wrote nothing down', relay({ a: 'stdout' }), use([keeping('a')])],
    ['keep one that an older relay may keep no place for', older('shown'), use([shown])],
    ['have another type than an older relay tells', older('a'), use([keeping('a', 'file')])],
  ])('%s', (_what, ready, place_use) => {
    expect(() => checkOutputs(ready, place_use)).not.toThrow();
  });
});
