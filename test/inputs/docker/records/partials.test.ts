import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JoinRule, PartialTracker } from '../../../../src/inputs/docker/records/partials.ts';
import { JsonFileFormat } from '../../../../src/inputs/logfile/formats/json-file.ts';
import { createLogLine } from '../../../../src/inputs/logfile/types.ts';
import { type Entry, jsonFileLine } from '../../../support/docker-entries.ts';
import { type Parsed, shown } from '../../logfile/formats/parsed.ts';

const CONTAINER_ID = '7175395e0'.padEnd(64, '0');
const PIECE_BYTES = 16_384;
/** Times of this json-file have no nanoseconds unless a test gives them. */
const SECONDS = 1795413600;

/** What dockerd's copier makes of one line, or of a tail without a newline (formats.md 3.4). */
function copied(source: Entry['source'], text: Buffer, time_ns: number, ended = true): Entry[] {
  const pieces: Buffer[] = [];
  let rest = text;
  for (; rest.length >= PIECE_BYTES; rest = rest.subarray(PIECE_BYTES)) {
    pieces.push(rest.subarray(0, PIECE_BYTES));
  }
  if (ended || rest.length > 0) pieces.push(rest);
  return pieces.map((log, index) => {
    const entry = { source, log, time_s: SECONDS, time_ns };
    if (pieces.length === 1 && ended) return entry;
    const last = ended && index === pieces.length - 1;
    return { ...entry, partial: { id: '?', ordinal: index + 1, last } };
  });
}

/** The entries as a json-file stores them, read back and completed. */
function tracked(
  entries: readonly Entry[],
  tracker = new PartialTracker(CONTAINER_ID, 'same_time'),
): Parsed[] {
  const format = new JsonFileFormat();
  const line = createLogLine();
  let offset = 0;
  return entries.map((entry) => {
    const bytes = jsonFileLine(entry);
    expect(format.parse(bytes, 0, bytes.length, line)).toBe(true);
    tracker.complete(line, offset);
    offset += bytes.length;
    return shown(line);
  });
}

const piecesOf = (lines: readonly Parsed[]): unknown[] =>
  lines.map(({ piece, partial_ordinal }) => [piece, partial_ordinal]);

describe('PartialTracker, over a json-file', () => {
  it('leaves a line of 16,383 bytes whole', () => {
    const lines = tracked(copied('stdout', Buffer.alloc(16_383, 'a'), 0));
    expect(lines).toMatchObject([{ piece: 'whole', partial_id: undefined, partial_ordinal: 0 }]);
  });

  it('ends a line of 16,384 bytes with an empty last piece', () => {
    const lines = tracked(copied('stdout', Buffer.alloc(PIECE_BYTES, 'a'), 0));
    expect(piecesOf(lines)).toEqual([
      ['part', 1],
      ['last', 2],
    ]);
    expect(lines[1]?.log).toHaveLength(0);
    expect(lines[0]?.partial_id).toMatch(/^[0-9a-f]{64}$/);
    expect(lines[1]?.partial_id).toBe(lines[0]?.partial_id);
  });

  it('numbers the pieces of long lines, which stdout and stderr write at the same time', () => {
    const out = copied('stdout', Buffer.alloc(40_000, 'a'), 5);
    const err = copied('stderr', Buffer.alloc(40_000, 'b'), 5);
    const lines = tracked(out.flatMap((entry, index) => [entry, err[index] as Entry]));
    const of = (source: string): Parsed[] => lines.filter((line) => line.source === source);
    for (const source of ['stdout', 'stderr']) {
      expect(piecesOf(of(source))).toEqual([
        ['part', 1],
        ['part', 2],
        ['last', 3],
      ]);
    }
    expect(of('stdout')[0]?.partial_id).not.toBe(of('stderr')[0]?.partial_id);
  });

  it('leaves an unterminated tail without a last piece, whatever the next run prints', () => {
    const tail = copied('stdout', Buffer.from('tail'), 1, false);
    const next = copied('stdout', Buffer.from('next'), 2);
    const long = copied('stdout', Buffer.alloc(PIECE_BYTES, 'a'), 3);
    expect(piecesOf(tracked([...tail, ...next, ...tail, ...long]))).toEqual([
      ['part', 1],
      ['whole', 0],
      ['part', 1],
      ['part', 1],
      ['last', 2],
    ]);
  });

  it('gives lines of the same time ids of their own, by where they begin', () => {
    const line = copied('stdout', Buffer.alloc(PIECE_BYTES, 'a'), 3);
    const ids = tracked([...line, ...line]).map(({ partial_id }) => partial_id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).toBe(ids[3]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('leaves entries alone whose format stores ids', () => {
    const tracker = new PartialTracker(CONTAINER_ID, 'same_time');
    const line = { ...createLogLine(), partial_id: Buffer.alloc(64, 'f'), partial_ordinal: 7 };
    tracker.complete(line, 0);
    expect(shown(line)).toMatchObject({ partial_id: 'f'.repeat(64), partial_ordinal: 7 });
    expect(tracker.has_open_line).toBe(false);
  });

  /** No look ahead: each entry is judged before the next is seen. */
  it('finds the pieces that the copier made of any output', () => {
    const length = fc.oneof(fc.nat(20), fc.integer({ min: 16_382, max: 16_386 }), fc.nat(50_000));
    const outputs = fc.array(
      fc.record({
        source: fc.constantFrom('stdout' as const, 'stderr' as const),
        length,
        ended: fc.boolean(),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(outputs, (all) => {
        const entries = all.flatMap(({ source, length: bytes, ended }, index) =>
          copied(source, Buffer.alloc(bytes, 'x'), index, ended),
        );
        const found = tracked(entries).map(({ piece, partial_ordinal }) => ({
          piece,
          partial_ordinal,
        }));
        const expected = entries.map(({ partial }) => ({
          piece: partial === undefined ? 'whole' : partial.last ? 'last' : 'part',
          partial_ordinal: partial?.ordinal ?? 0,
        }));
        expect(found).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});

describe('PartialTracker, over CRI', () => {
  const line = (piece: 0 | 1, time_ns: number, source: 0 | 1 = 0) => ({
    ...createLogLine(),
    source,
    piece,
    time_ns,
  });

  it('joins the entries of a stream until one is full, whatever their times', () => {
    const tracker = new PartialTracker(CONTAINER_ID, 'same_source');
    const lines = [line(1, 1), line(1, 2), line(0, 9, 1), line(0, 3), line(0, 4)];
    const found = lines.map((each, offset) => {
      tracker.complete(each, offset);
      return shown(each);
    });
    expect(piecesOf(found)).toEqual([
      ['part', 1],
      ['part', 2],
      ['whole', 0],
      ['last', 3],
      ['whole', 0],
    ]);
    expect(new Set(found.map(({ partial_id }) => partial_id)).size).toBe(2);
  });
});

describe("PartialTracker's state", () => {
  const entries = [
    ...copied('stdout', Buffer.alloc(40_000, 'a'), 5),
    ...copied('stderr', Buffer.alloc(3 * PIECE_BYTES, 'b'), 6),
    ...copied('stdout', Buffer.from('tail'), 7, false),
  ];

  it('makes a line go on after a restart as if there had been none', () => {
    const format = new JsonFileFormat();
    const line = createLogLine();
    const unbroken = tracked(entries);
    let state: Buffer | undefined;
    let offset = 0;
    const broken = entries.map((entry) => {
      const tracker = new PartialTracker(CONTAINER_ID, 'same_time');
      if (state !== undefined) tracker.decode(state);
      const bytes = jsonFileLine(entry);
      format.parse(bytes, 0, bytes.length, line);
      tracker.complete(line, offset);
      offset += bytes.length;
      state = tracker.encode();
      return shown(line);
    });
    expect(broken).toEqual(unbroken);
  });

  it('has one size, and says whether anything is open', () => {
    const tracker = new PartialTracker(CONTAINER_ID, 'same_time');
    const empty = tracker.encode();
    expect(tracker.has_open_line).toBe(false);
    tracked(entries.slice(0, 1), tracker);
    expect(tracker.has_open_line).toBe(true);
    expect(tracker.encode()).toHaveLength(empty.length);
    tracker.decode(empty);
    expect(tracker.has_open_line).toBe(false);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['another version', Buffer.alloc(155, 9)],
    ['a cut one', Buffer.from([1, 1, 0])],
  ])('of %s leaves nothing open', (_, state) => {
    for (const rule of ['same_time', 'same_source'] satisfies JoinRule[]) {
      const tracker = new PartialTracker(CONTAINER_ID, rule);
      tracked(entries.slice(0, 1), tracker);
      tracker.decode(state);
      expect(tracker.has_open_line).toBe(false);
    }
  });
});
