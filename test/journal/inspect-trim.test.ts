import { describe, expect, it } from 'vitest';
import type { FoundSegment } from '../../src/journal/found-segments.ts';
import type { InspectedCursor } from '../../src/journal/inspect.ts';
import { planTrim, type TrimWish } from '../../src/journal/inspect-trim.ts';

const HOUR_MS = 3_600_000;

/** Segments of ten records and ten events each, begun an hour apart: seqs 1, 11, 21, 31. */
const SEGMENTS: readonly FoundSegment[] = [0, 1, 2, 3].map((index) => ({
  path: `${index}.seg`,
  first_seq: index * 10 + 1,
  bytes: 100,
  header: {
    version: 1,
    epoch: 0,
    journal_id: Buffer.alloc(16),
    first: { seq: index * 10 + 1, events_before: index * 10, bytes_before: 0 },
    created_ms: index * HOUR_MS,
  },
}));

const cursor = (name: string, seq: number | undefined): InspectedCursor => ({
  name,
  path: name,
  slot:
    seq === undefined
      ? undefined
      : {
          generation: 1,
          at: { seq, events_before: seq - 1, bytes_before: 0 },
          journal_id: Buffer.alloc(16),
          window: Buffer.alloc(0),
        },
});

describe('a trim', () => {
  it.each<
    [what: string, cursors: InspectedCursor[], wish: TrimWish, taken: number, losses: object[]]
  >([
    ['takes what every output is done with', [cursor('a', 25), cursor('b', 31)], {}, 2, []],
    ['takes nothing that one output needs', [cursor('a', 5), cursor('b', 31)], {}, 0, []],
    ['never takes the last segment', [cursor('a', 99)], {}, 3, []],
    ['takes nothing where no output has a place', [], {}, 0, []],
    [
      'takes nothing where a place is damaged',
      [cursor('a', undefined), cursor('b', 31)],
      {},
      0,
      [],
    ],
    ['before a seq takes whole segments only', [cursor('a', 31)], { before_seq: 20 }, 1, []],
    [
      'before a seq says what is lost',
      [cursor('a', 5), cursor('b', 31)],
      { before_seq: 21 },
      2,
      [{ output: 'a', events: 16 }],
    ],
    [
      'before a seq, with a damaged place',
      [cursor('a', undefined)],
      { before_seq: 11 },
      1,
      [{ output: 'a', events: 10 }],
    ],
    [
      'before a seq, without any place',
      [],
      { before_seq: 21 },
      2,
      [{ output: '(no output)', events: 20 }],
    ],
    ['by age takes what ended before', [cursor('a', 99)], { before_ms: 2 * HOUR_MS }, 2, []],
    [
      'by age and seq takes what is both',
      [cursor('a', 99)],
      { before_ms: 2 * HOUR_MS, before_seq: 11 },
      1,
      [],
    ],
  ])('%s', (_, cursors, wish, taken, losses) => {
    const plan = planTrim({ segments: SEGMENTS, cursors }, wish);
    expect(plan.segments.map(({ path }) => path)).toEqual(
      SEGMENTS.slice(0, taken).map(({ path }) => path),
    );
    expect(plan.losses).toEqual(losses);
    expect(plan.bytes).toBe(taken * 100);
  });
});
