import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../../src/journal/types.ts';
import type { Chunk, Piece } from '../../../src/outputs/forward/chunk.ts';
import { ChunkIds } from '../../../src/outputs/forward/chunk-id.ts';
import {
  cutPiece,
  halvePiece,
  slicePiece,
  storedPiece,
} from '../../../src/outputs/forward/pieces.ts';
import { ChunkPlanner, makeChunk } from '../../../src/outputs/forward/planner.ts';
import { Replay } from '../../../src/outputs/forward/replay.ts';
import { REWRITE_NONE } from '../../../src/outputs/forward/rewrite-spec.ts';
import { decodeWindow, encodeWindow } from '../../../src/outputs/forward/window-format.ts';
import { CODEC } from '../../../src/protocol/codec.ts';
import { numbered } from '../../support/entries.ts';
import { idOf, recordOf } from './chunks.ts';

const LIMITS = { chunk_max_bytes: 200, window_max_bytes: 100_000, plan_max_bytes: 100_000 };
const IDS = new ChunkIds({ journal_id: Buffer.alloc(16, 1), epoch: 1, output_name: 'main' });

function plan(pieces: readonly Piece[], limits = LIMITS): Chunk[] {
  const planner = new ChunkPlanner(limits, REWRITE_NONE, IDS);
  for (const piece of pieces) planner.add(piece);
  return planner.seal();
}

const bodyOf = (pieces: readonly Piece[]): Buffer =>
  Buffer.concat(pieces.flatMap((piece) => piece.body));

/** Records of a few tags with a few events each, some of them compressed. */
const records = fc
  .array(
    fc.record({
      tag: fc.constantFrom('a', 'b', 'c'),
      events: fc.integer({ min: 1, max: 12 }),
      gap: fc.nat({ max: 2 }),
      zipped: fc.nat({ max: 9 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((all) => {
    let seq = 0;
    let n = 0;
    return all.map(({ tag, events, gap, zipped }): JournalRecord => {
      seq += 1 + gap;
      n += events;
      const codec = zipped === 0 ? CODEC.gzip : CODEC.none;
      return recordOf(seq, tag, numbered(n - events, events), { count: events, codec });
    });
  });

const cut = (record: JournalRecord): Piece[] =>
  record.codec === CODEC.none
    ? cutPiece(storedPiece(record), LIMITS.chunk_max_bytes)
    : [storedPiece(record)];

describe('planning', () => {
  it('loses no byte, keeps the order of each tag, and stays within the chunk size', () => {
    fc.assert(
      fc.property(records, (all) => {
        const plans = plan(all.flatMap(cut));
        for (const tag of ['a', 'b', 'c']) {
          const planned = plans
            .filter((chunk) => chunk.tag_key === tag)
            .flatMap((chunk) => chunk.pieces);
          const given = all
            .filter((record) => record.tag.toString() === tag)
            .flatMap((record) => record.body);
          expect(bodyOf(planned)).toEqual(Buffer.concat(given));
        }
        for (const { pieces, bytes, events } of plans) {
          expect(bytes).toBe(bodyOf(pieces).length);
          expect(
            bytes <= LIMITS.chunk_max_bytes || events === 1 || pieces[0]?.codec === CODEC.gzip,
          ).toBe(true);
          expect(new Set(pieces.map((piece) => piece.codec)).size).toBe(1);
        }
        expect(new Set(plans.map(({ id }) => id)).size).toBe(plans.length);
      }),
    );
  });

  it('keeps the stored buffers of whole records: nothing is copied', () => {
    const record = recordOf(1, 'a', numbered(0, 2), { count: 2 });
    expect(plan([storedPiece(record)])[0]?.pieces[0]?.body).toBe(record.body);
  });

  it('seals a batch by what it covers and by what has to be recorded', () => {
    const planner = new ChunkPlanner({ ...LIMITS, window_max_bytes: 300 }, REWRITE_NONE, IDS);
    planner.add(storedPiece(recordOf(1, 'a', Buffer.alloc(299))));
    expect(planner.full).toBe(false);
    planner.add(storedPiece(recordOf(2, 'a', Buffer.alloc(1))));
    expect(planner.full).toBe(true);
    planner.seal();
    expect(planner.full).toBe(false);
    const many_tags = new ChunkPlanner({ ...LIMITS, plan_max_bytes: 90 }, REWRITE_NONE, IDS);
    many_tags.add(storedPiece(recordOf(1, 'a', Buffer.alloc(1))));
    many_tags.add(storedPiece(recordOf(2, 'b', Buffer.alloc(1))));
    many_tags.add(storedPiece(recordOf(3, 'c', Buffer.alloc(1))));
    expect(many_tags.full).toBe(true);
  });
});

describe('pieces', () => {
  const piece = storedPiece(recordOf(1, 'a', numbered(0, 10), { count: 10 }));

  it('are cut between events, one that is too large stands alone', () => {
    for (const max_bytes of [1, 60, 100, 1000]) {
      const parts = cutPiece(piece, max_bytes);
      expect(bodyOf(parts)).toEqual(numbered(0, 10));
      expect(parts.reduce((sum, { events }) => sum + events, 0)).toBe(10);
      expect(parts.every(({ bytes, events }) => bytes <= max_bytes || events === 1)).toBe(true);
      for (const [index, part] of parts.entries())
        expect(part.first_event).toBe(index === 0 ? 0 : parts[index - 1]?.end_event);
    }
  });

  it('are sliced by the events of their record, whatever part of it they are', () => {
    const middle = slicePiece(piece, 3, 8);
    expect(bodyOf([middle])).toEqual(numbered(3, 5));
    expect(bodyOf([slicePiece(middle, 5, 7)])).toEqual(numbered(5, 2));
    expect(slicePiece(middle, 5, Number.POSITIVE_INFINITY)).toMatchObject({
      first_event: 5,
      end_event: 8,
      events: 3,
    });
  });

  it('are halved down to single events', () => {
    let parts: Piece[] = [piece];
    for (let round = 0; round < 4; round++)
      parts = parts.flatMap((part) => halvePiece(part) ?? [part]);
    expect(parts).toHaveLength(10);
    expect(bodyOf(parts)).toEqual(numbered(0, 10));
  });
});

describe('replay', () => {
  function rebuild(window: Buffer, all: readonly JournalRecord[]): Chunk[] {
    const recorded = decodeWindow(window);
    if (recorded === undefined) throw new Error('something was recorded');
    const replay = new Replay(recorded);
    for (const record of all) {
      for (const cover of replay.covers(record.tag, record.seq)) {
        const whole = storedPiece(record);
        const is_whole = cover.first_event === 0 && cover.end_event >= record.count;
        replay.add(cover, is_whole ? whole : slicePiece(whole, cover.first_event, cover.end_event));
      }
    }
    return replay.finish(IDS);
  }

  it('rebuilds every recorded chunk, split ones too, and nothing that was acked', () => {
    fc.assert(
      fc.property(
        records,
        fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
        (all, flags) => {
          const planned = plan(all.flatMap(cut)).flatMap((chunk, i) => {
            const [only] = chunk.pieces;
            const halves =
              flags[i] && chunk.pieces.length === 1 && only?.codec === CODEC.none
                ? halvePiece(only)
                : undefined;
            return (
              halves?.map((half) => makeChunk([half], chunk.tag_key, 0, REWRITE_NONE, IDS)) ?? [
                chunk,
              ]
            );
          });
          const unacked = planned.filter((_, i) => flags[59 - (i % 60)]);
          const rebuilt = rebuild(encodeWindow(1, 1000, unacked), all);
          expect(rebuilt.map(({ id, range, events }) => ({ id, range, events }))).toEqual(
            unacked.map(({ id, range, events }) => ({ id, range, events })),
          );
          for (const [i, chunk] of rebuilt.entries())
            expect(bodyOf(chunk.pieces)).toEqual(bodyOf(unacked[i]?.pieces ?? []));
        },
      ),
    );
  });

  it('gives a chunk that has lost a record another id, and forgets one that lost them all', () => {
    const all = [1, 2, 3].map((seq) => recordOf(seq, seq === 3 ? 'b' : 'a', numbered(seq, 1)));
    const plans = plan(all.map(storedPiece));
    const window = encodeWindow(1, 4, plans);
    const [rest, ...others] = rebuild(window, all.slice(0, 1));
    expect(others).toEqual([]);
    expect(rest?.pieces.map((piece) => piece.record.seq)).toEqual([1]);
    expect(rest?.id).not.toBe(plans[0]?.id);
  });

  it('keeps the recorded id though ids are made in another way by now', () => {
    const all = [recordOf(1, 'a', numbered(0, 2), { count: 2 })];
    const plans = plan(all.map(storedPiece)).map((chunk) => chunk.as(idOf(77), chunk.range));
    expect(rebuild(encodeWindow(1, 2, plans), all)[0]?.id).toBe(idOf(77));
  });
});
