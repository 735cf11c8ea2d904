/** The parser alone, over bytes in memory: whole, in windows of every size, and damaged at every byte. */
import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/journal/arena.ts';
import { CommitBuilder, stateDraft } from '../../src/journal/commit-builder.ts';
import { type Place, RECORD_KIND, segmentSeed } from '../../src/journal/format.ts';
import { type Draft, foreignPiece, SealedCommit } from '../../src/journal/sealed-commit.ts';
import type { SegmentBounds, SegmentItem } from '../../src/journal/segment-items.ts';
import { SegmentParser } from '../../src/journal/segment-parser.ts';

const seed = segmentSeed(Buffer.alloc(16, 3), 1);
const BEGIN: Place = { seq: 1, events_before: 0, bytes_before: 0 };

const draft = (tag: string, body: string, count: number): Draft => ({
  kind: RECORD_KIND.events,
  tag: Buffer.from(tag),
  codec: 0,
  attrs: 0,
  count,
  time_min_s: 0,
  time_max_s: 0,
  pieces: [foreignPiece(Buffer.from(body))],
});

/** A segment without its header: commits end to end, from offset 0. */
function segmentOf(commits: readonly (readonly Draft[])[]): Buffer {
  const parts: Buffer[] = [];
  let place = BEGIN;
  let offset = 0;
  for (const drafts of commits) {
    const commit = new SealedCommit(drafts, place, 1_700_000_000_000);
    parts.push(Buffer.concat(commit.encodeAt(seed, offset)));
    place = commit.after;
    offset += commit.total_bytes;
  }
  return Buffer.concat(parts);
}

const COMMITS = [
  [draft('a', 'one', 1), draft('b', 'two', 2), stateDraft(Buffer.from('state'))],
  [draft('a', 'three', 3)],
  [draft('c', 'four', 4), draft('a', '', 0)],
];
const SEGMENT = segmentOf(COMMITS);

const bounds = (bytes: Buffer): SegmentBounds => ({
  seed,
  first: BEGIN,
  end_bytes: bytes.length,
  stop_seq: Number.POSITIVE_INFINITY,
});

/** All items, with the file fed in windows of at most so many bytes beyond need. */
function parse(
  bytes: Buffer,
  window_bytes: number,
  parser = new SegmentParser(bounds(bytes), 0),
): SegmentItem[] {
  const items: SegmentItem[] = [];
  for (;;) {
    const item = parser.next();
    if (item === 'done') return items;
    if (item !== 'starved') {
      items.push(item);
      continue;
    }
    const { offset, bytes: wanted_bytes } = parser.wanted;
    expect(offset + wanted_bytes).toBeLessThanOrEqual(bytes.length);
    parser.feed(bytes.subarray(offset, offset + Math.max(wanted_bytes, window_bytes)), offset);
  }
}

const bodies = (items: readonly SegmentItem[]): string[] =>
  items.flatMap((item) =>
    item.type === 'record' && item.intact && item.header.kind === RECORD_KIND.events
      ? [item.body.toString()]
      : [],
  );

describe('a segment', () => {
  it('gives its commits, records and ends in order', () => {
    const items = parse(SEGMENT, SEGMENT.length);
    expect(items.map(({ type }) => type)).toEqual([
      ...['commit', 'record', 'record', 'record', 'end'],
      ...['commit', 'record', 'end'],
      ...['commit', 'record', 'record', 'end'],
    ]);
    const places = items.flatMap((item) =>
      item.type === 'record' && item.header.kind === RECORD_KIND.events ? [item.place] : [],
    );
    expect(places.map(({ seq, events_before }) => [seq, events_before])).toEqual([
      [1, 0],
      [2, 1],
      [3, 3],
      [4, 6],
      [5, 10],
    ]);
    for (const item of items) if (item.type === 'end') expect(item.whole).toBe(true);
  });

  it('gives the same however it is cut into windows', () => {
    const whole = parse(SEGMENT, SEGMENT.length);
    for (let window_bytes = 1; window_bytes < SEGMENT.length; window_bytes++) {
      expect(parse(SEGMENT, window_bytes)).toEqual(whole);
    }
  });

  it('can be gone on with from any mark', () => {
    const whole = parse(SEGMENT, SEGMENT.length);
    const parser = new SegmentParser(bounds(SEGMENT), 0);
    parser.feed(SEGMENT, 0);
    for (let index = 0; ; index++) {
      const mark = parser.mark();
      if (mark === undefined) throw new Error('a sound segment can be entered anywhere');
      const other = new SegmentParser(bounds(SEGMENT), 0);
      other.resume(mark);
      expect(parse(SEGMENT, 50, other)).toEqual(whole.slice(index));
      if (parser.next() === 'done') break;
    }
  });

  it('passes over what comes before the wanted seq, and over bodies when told to', () => {
    const parser = new SegmentParser(bounds(SEGMENT), 0);
    parser.skipTo(4);
    expect(bodies(parse(SEGMENT, 10, parser))).toEqual(['four', '']);
    const headers = new SegmentParser(bounds(SEGMENT), 0);
    headers.skipBodies();
    const items = parse(SEGMENT, 10, headers);
    expect(items.filter(({ type }) => type === 'record')).toHaveLength(6);
    expect(bodies(items)).toEqual(['', '', '', '', '']);
  });
});

describe('a damaged segment', () => {
  it('with any one byte changed loses no more than the commit it is in, and invents nothing', () => {
    const sound = bodies(parse(SEGMENT, SEGMENT.length));
    for (let at = 0; at < SEGMENT.length; at++) {
      const bytes = Buffer.from(SEGMENT);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      const items = parse(bytes, 64);
      const found = bodies(items);
      expect(sound.length - found.length, `byte ${at}`).toBeLessThanOrEqual(2);
      expect(sound.filter((body) => found.includes(body))).toEqual(found);
      const is_noticed = items.some(
        (item) =>
          item.type === 'damage' ||
          (item.type === 'record' && !item.intact) ||
          (item.type === 'end' && !item.whole),
      );
      expect(is_noticed, `byte ${at}`).toBe(true);
    }
  });

  it('cut at any byte gives what is whole before the cut, and reports the rest once', () => {
    for (let end = 0; end < SEGMENT.length; end++) {
      const items = parse(SEGMENT.subarray(0, end), 64);
      const damages = items.filter((item) => item.type === 'damage');
      const last = items.at(-1);
      const is_boundary = last === undefined || (last.type === 'end' && last.end_offset === end);
      expect(damages).toHaveLength(is_boundary ? 0 : 1);
    }
  });

  it('of random bytes is all damage and never asks for more than there is', () => {
    let state = 12345;
    const bytes = Buffer.from(
      Array.from({ length: 5000 }, () => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return state >>> 24;
      }),
    );
    expect(parse(bytes, 100)).toEqual([
      { type: 'damage', from: 0, to: bytes.length, what: 'commit header' },
    ]);
  });
});

describe('a commit builder', () => {
  it('takes little memory for a tag with little, and gives a busy tag large pieces', () => {
    const builder = new CommitBuilder(1, new Arena(), 1024 * 1024, 1e9, () => {});
    for (let index = 0; index < 1000; index++) {
      const tag = { bytes: Buffer.from(`tag ${index}`), hash: 0, open: undefined, last_bytes: 0 };
      builder.open(tag, 0, 0).reserve(230);
    }
    expect(builder.granted_bytes).toBeLessThan(1000 * 1024);
    const tag = { bytes: Buffer.from('busy'), hash: 0, open: undefined, last_bytes: 0 };
    const busy = builder.open(tag, 0, 0);
    for (let index = 0; index < 4000; index++) {
      busy.reserve(230);
      busy.note(1, 0, 0);
    }
    const { drafts } = builder.finish();
    expect(drafts).toHaveLength(1001);
    expect(drafts.at(-1)?.pieces.length).toBeLessThan(12);
  });
});
