import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePlace,
  encodePlace,
  PLACE_BYTES,
} from '../../../src/inputs/logfile/position-entry.ts';
import { Positions } from '../../../src/inputs/logfile/positions.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

function positions(max_keys?: number): Positions {
  const made = new Positions(max_keys);
  made.restore(undefined);
  return made;
}

function applyAll(to: Positions, entries: readonly Buffer[]): void {
  for (const entry of entries) to.apply(entry);
}

const shown = (of: Positions): [string, string | undefined][] =>
  Array.from(of.keys(), (key) => [key, of.get(key)?.toString()]);

describe('Positions', () => {
  it('shows a value only once its commit is applied', () => {
    const some = positions();
    const entry = some.entry('a', bytes('1'), 10);
    expect(some.get('a')).toBeUndefined();
    some.apply(entry);
    expect(some.get('a')).toEqual(bytes('1'));
  });

  it('keeps the last value of a key, and none that was deleted', () => {
    const some = positions();
    applyAll(some, [some.entry('a', bytes('1'), 1), some.entry('a', bytes('2'), 2)]);
    expect(some.get('a')).toEqual(bytes('2'));
    some.apply(some.deletion('a'));
    expect(some.size).toBe(0);
  });

  it('owns its values: the journal may use the memory of an entry again', () => {
    const some = positions();
    const entry = some.entry('a', bytes('value'), 1);
    some.apply(entry);
    entry.fill(0);
    expect(some.get('a')).toEqual(bytes('value'));
  });

  it('takes keys of 1 to 255 bytes', () => {
    const some = positions();
    some.apply(some.entry('ä'.repeat(127), bytes('1'), 1));
    expect(some.get('ä'.repeat(127))).toEqual(bytes('1'));
    expect(() => some.entry('ä'.repeat(128), bytes('1'), 1)).toThrow('1 to 255 bytes, not 256');
    expect(() => some.entry('', bytes('1'), 1)).toThrow('not 0');
  });

  it('forgets what was noted least recently beyond its limit, and counts it', () => {
    const some = positions(2);
    for (const key of ['a', 'b', 'a', 'c']) some.apply(some.entry(key, bytes(key), 1));
    expect([...some.keys()]).toEqual(['a', 'c']);
    expect(some.forgotten_count).toBe(1);
  });

  it('forgets the position of a source that is gone before that of a quiet one', () => {
    const some = positions(2);
    applyAll(some, [some.entry('quiet', bytes('1'), 0), some.entry('gone', bytes('2'), 0)]);
    applyAll(some, some.expire(new Set(['quiet']), 1, 600));
    some.apply(some.entry('new', bytes('3'), 2));
    expect([...some.keys()]).toEqual(['quiet', 'new']);
  });

  it('deletes a position a stated time after its source went, also through restarts', () => {
    let some = positions();
    applyAll(some, [some.entry('alive', bytes('1'), 0), some.entry('gone', bytes('2'), 0)]);
    const alive = new Set(['alive']);
    expect(some.expire(new Set(['alive', 'gone']), 5000, 600)).toEqual([]);
    applyAll(some, some.expire(alive, 5000, 600));
    const again = positions();
    again.restore(some.snapshot());
    some = again;
    expect(some.expire(alive, 5599, 600)).toEqual([]);
    expect(some.get('gone')).toEqual(bytes('2'));
    applyAll(some, some.expire(alive, 5600, 600));
    expect(shown(some)).toEqual([['alive', '1']]);
  });

  it('begins to count anew when a source came back in between', () => {
    const some = positions();
    some.apply(some.entry('a', bytes('1'), 0));
    applyAll(some, some.expire(new Set(), 1000, 600));
    applyAll(some, some.expire(new Set(['a']), 1500, 600));
    applyAll(some, some.expire(new Set(), 2000, 600));
    expect(some.expire(new Set(), 2599, 600)).toEqual([]);
    expect(some.expire(new Set(), 2600, 600)).toHaveLength(1);
  });

  it('does not keep a position for ever because the clock was set back', () => {
    const some = positions();
    some.apply(some.entry('a', bytes('1'), 0));
    applyAll(some, some.expire(new Set(), 1_000_000, 600));
    applyAll(some, some.expire(new Set(), 1000, 600));
    applyAll(some, some.expire(new Set(), 1600, 600));
    expect(some.size).toBe(0);
  });

  it.each([
    ['an empty snapshot', Buffer.alloc(0), 'LB_JOURNAL_CORRUPT'],
    ['a newer snapshot', Buffer.from([9]), 'LB_JOURNAL_VERSION'],
    ['a snapshot that breaks off', Buffer.from([1, 0, 0, 0, 9, 1]), 'LB_JOURNAL_CORRUPT'],
  ])('refuses %s', (_, snapshot, code) => {
    expect(() => positions().restore(snapshot)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['a key that breaks off', Buffer.from([1, 5, 97])],
    ['no time', Buffer.from([1, 1, 97, 0])],
  ])('refuses an entry with %s', (_, entry) => {
    expect(() => positions().apply(entry)).toThrow(
      expect.objectContaining({ code: 'LB_JOURNAL_CORRUPT' }),
    );
  });

  it('says of an entry of unknown kind that it is from a newer version', () => {
    const entry = Buffer.from([7, 1, 97, 0, 0, 0, 0, 0, 1]);
    expect(() => positions().apply(entry)).toThrow(
      expect.objectContaining({ code: 'LB_JOURNAL_VERSION' }),
    );
  });

  it('is what a map would be, through snapshots at any time', () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const steps = fc.array(
      fc.oneof(
        fc.record({ key: keys, value: fc.uint8Array({ maxLength: 40 }) }),
        fc.record({ key: keys, value: fc.constant(undefined) }),
        fc.constant('restart' as const),
      ),
    );
    fc.assert(
      fc.property(steps, (history) => {
        let some = positions(4);
        const model = new Map<string, Buffer>();
        for (const step of history) {
          if (step === 'restart') {
            const next = new Positions(4);
            next.restore(some.snapshot());
            some = next;
            continue;
          }
          model.delete(step.key);
          if (step.value === undefined) some.apply(some.deletion(step.key));
          else {
            some.apply(some.entry(step.key, Buffer.from(step.value), 1));
            model.set(step.key, Buffer.from(step.value));
          }
          const [oldest] = model.keys();
          if (model.size > 4 && oldest !== undefined) model.delete(oldest);
        }
        expect(Array.from(some.keys(), (key) => [key, some.get(key)])).toEqual([...model]);
      }),
    );
  });
});

describe('a place', () => {
  it('is the same after it was written down', () => {
    const place = fc.record({
      fingerprint: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      offset: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      check: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    });
    fc.assert(
      fc.property(place, fc.nat(20), (some, start) => {
        const written = Buffer.concat([Buffer.alloc(start), encodePlace(some)]);
        expect(written).toHaveLength(start + PLACE_BYTES);
        expect(decodePlace(written, start)).toEqual(some);
      }),
    );
  });

  it('is refused where there are too few bytes', () => {
    expect(() => decodePlace(Buffer.alloc(PLACE_BYTES), 1)).toThrow('takes 16 bytes, not 15');
  });
});
