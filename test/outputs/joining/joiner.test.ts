import { decodeMulti } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { HELD_LIMITS, Joiner } from '../../../src/outputs/joining/joiner.ts';
import { CODEC } from '../../../src/protocol/codec.ts';
import { entry, pack } from '../../support/entries.ts';
import { dockerFragments, fragment, shortLine } from '../../support/fragments.ts';
import { recordOf } from '../forward/chunks.ts';

const LIMITS = { max_bytes: 1024 * 1024, timeout_ms: 5000 };

type Fields = Record<string, unknown>;

const recordsIn = (body: Iterable<Buffer>): Fields[] =>
  [...decodeMulti(Buffer.concat([...body]))].map((each) => (each as [unknown, Fields])[1]);

/** Feeds one record per call; returns what stands in its place. */
class Feed {
  readonly joiner: Joiner;
  #seq = 0;

  constructor(limits = LIMITS) {
    this.joiner = new Joiner(limits);
  }

  take(...entries: Buffer[]): Fields[] {
    return this.takeAt(0, ...entries);
  }

  takeAt(committed_ms: number, ...entries: Buffer[]): Fields[] {
    this.#seq += 1;
    const more = { count: entries.length, committed_ms };
    const record = recordOf(this.#seq, 'app', Buffer.concat(entries), more);
    const left = this.joiner.take(record);
    const fields = recordsIn(left?.body ?? record.body);
    expect(fields).toHaveLength(left?.count ?? record.count);
    return fields;
  }

  due(now_ms: number): Fields[] {
    return recordsIn(this.joiner.due(now_ms).map((line) => line.entry()));
  }
}

const logs = (fields: Fields[]): unknown[] => fields.map(({ log }) => log);

describe('a line in fragments', () => {
  it.each([
    ['of 40,000 bytes', 40_000, 3],
    ['of 16,384 bytes, whose last fragment is empty', 16_384, 2],
    ['of 16,385 bytes', 16_385, 2],
  ])('%s is one event again, without partial fields', (_what, bytes, count) => {
    const feed = new Feed();
    const text = 'x'.repeat(bytes - 1).concat('y');
    const fragments = dockerFragments({ id: 'a' }, text);
    expect(fragments).toHaveLength(count);
    for (const each of fragments.slice(0, -1)) expect(feed.take(each)).toEqual([]);
    expect(feed.take(...fragments.slice(-1))).toEqual([
      { container_id: 'c1', container_name: '/c1', source: 'stdout', log: text },
    ]);
    expect(feed.joiner.counts).toMatchObject({ joined: 1, gaps: 0, timed_out: 0 });
    expect(feed.joiner.held_count).toBe(0);
  });

  it('keeps the time and the order of keys of its first fragment, byte for byte', () => {
    const feed = new Feed();
    const first = fragment({ id: 'a' }, 1, 'one ', false);
    const left = feed.joiner.take(
      recordOf(1, 'app', Buffer.concat([first, fragment({ id: 'a' }, 2, 'two', true)]), {
        count: 2,
      }),
    );
    const whole = entry(
      { container_id: 'c1', container_name: '/c1', source: 'stdout', log: 'one two' },
      (recordsInPair(first) as [unknown])[0],
    );
    expect(Buffer.concat(left?.body ?? [])).toEqual(whole);
  });

  it('stands where its last fragment was; what came between goes before it', () => {
    const feed = new Feed();
    expect(
      logs(feed.take(shortLine('1'), fragment({ id: 'a' }, 1, 'a', false), shortLine('2'))),
    ).toEqual(['1', '2']);
    expect(
      logs(feed.take(shortLine('3'), fragment({ id: 'a' }, 2, 'b', true), shortLine('4'))),
    ).toEqual(['3', 'ab', '4']);
  });

  it('is told apart by container, source, partial id and tag', () => {
    const feed = new Feed();
    const lines = [
      { id: 'a' },
      { id: 'b' },
      { id: 'a', source: 'stderr' as const },
      { id: 'a', container: 'c2' },
    ];
    expect(feed.take(...lines.map((line, i) => fragment(line, 1, `${i}`, false)))).toEqual([]);
    const other_tag = recordOf(9, 'other', fragment({ id: 'a' }, 2, '!', true));
    expect(feed.joiner.take(other_tag)?.count).toBe(1);
    expect(logs(feed.take(...lines.map((line, i) => fragment(line, 2, `-${i}`, true))))).toEqual([
      '0-0',
      '1-1',
      '2-2',
      '3-3',
    ]);
  });

  it('may be cut within a character, and keeps its bytes', () => {
    const feed = new Feed();
    const text = Buffer.from('aé');
    const bytesEntry = (ordinal: number, log: Buffer, last: boolean): Buffer => {
      const marked = fragment({ id: 'a' }, ordinal, 'LOG', last);
      const at = marked.indexOf('\xa3LOG', 0, 'latin1');
      return Buffer.concat([
        marked.subarray(0, at),
        Buffer.of(0xa0 | log.length),
        log,
        marked.subarray(at + 4),
      ]);
    };
    const halves = [
      bytesEntry(1, text.subarray(0, 2), false),
      bytesEntry(2, text.subarray(2), true),
    ];
    expect(logs(feed.take(...halves))).toEqual(['aé']);
  });
});

describe('a line that is not complete', () => {
  it('goes out when its time is over, as one fragment of what there is', () => {
    const feed = new Feed();
    feed.takeAt(1000, fragment({ id: 'a' }, 1, 'a', false), fragment({ id: 'a' }, 2, 'b', false));
    expect(feed.due(5999)).toEqual([]);
    expect(feed.due(6000)).toMatchObject([
      {
        log: 'ab',
        partial_message: 'true',
        partial_id: 'a',
        partial_ordinal: '1',
        partial_last: 'false',
      },
    ]);
    expect(feed.joiner.counts.timed_out).toBe(1);
    expect(feed.take(fragment({ id: 'a' }, 3, 'c', true))).toMatchObject([
      { log: 'c', partial_ordinal: '3', partial_last: 'true' },
    ]);
  });

  it('does not wait forever when the clock is put back', () => {
    const feed = new Feed();
    feed.takeAt(1_000_000, fragment({ id: 'a' }, 1, 'a', false));
    expect(feed.due(996_000)).toEqual([]);
    expect(logs(feed.due(995_000))).toEqual(['a']);
  });

  it('and of one fragment only, as the end of an output without a newline, stays byte for byte', () => {
    const feed = new Feed();
    const tail = fragment({ id: 'a' }, 1, 'no newline', false);
    feed.take(tail);
    expect(feed.joiner.due(5000).map((line) => line.entry())).toEqual([tail]);
  });

  it.each([
    ['in the middle', [1, 3], [[1], [3]]],
    ['at the beginning', [2, 3], [[2, 3]]],
    [
      'twice there',
      [1, 2, 2, 3],
      [
        [1, 2],
        [2, 3],
      ],
    ],
  ])(
    'since a fragment is missing or %s goes out in parts, none lost',
    (_where, ordinals, parts) => {
      const feed = new Feed();
      const all = ordinals.map((ordinal) =>
        fragment({ id: 'a' }, ordinal, `<${ordinal}>`, ordinal === 3),
      );
      expect(feed.take(...all)).toMatchObject(
        parts.map((part) => ({
          log: part.map((ordinal) => `<${ordinal}>`).join(''),
          partial_message: 'true',
          partial_ordinal: String(part[0]),
          partial_last: String(part.at(-1) === 3),
        })),
      );
      expect(feed.joiner.counts).toMatchObject({ joined: 0, gaps: 1 });
    },
  );

  it('since it is too large goes out in parts that are not', () => {
    const feed = new Feed({ ...LIMITS, max_bytes: 100 });
    const all = Array.from({ length: 10 }, (_, i) =>
      fragment({ id: 'a' }, i + 1, 'x'.repeat(30), i === 9),
    );
    const parts = feed.take(...all);
    expect(
      parts.map(({ log, partial_ordinal, partial_last }) => [
        String(log).length,
        partial_ordinal,
        partial_last,
      ]),
    ).toEqual([
      [90, '1', 'false'],
      [90, '4', 'false'],
      [90, '7', 'false'],
      [30, '10', 'true'],
    ]);
    expect(feed.joiner.counts).toMatchObject({ joined: 0, too_large: 3, gaps: 0 });
  });
});

describe('what is held', () => {
  it('is bounded by lines: one more goes out as it came', () => {
    const feed = new Feed();
    for (let i = 0; i < HELD_LIMITS.lines_max; i++) {
      expect(feed.take(fragment({ id: `${i}` }, 1, 'x', false))).toEqual([]);
    }
    expect(feed.take(fragment({ id: 'more' }, 1, 'more', false))).toMatchObject([
      { log: 'more', partial_last: 'false' },
    ]);
    expect(feed.joiner.counts.crowded).toBe(1);
    expect(feed.take(fragment({ id: '0' }, 2, 'y', true))).toMatchObject([{ log: 'xy' }]);
  });

  it('is bounded by fragments and by bytes', () => {
    const feed = new Feed({ ...LIMITS, max_bytes: 100 * 1024 * 1024 });
    for (let i = 1; i <= HELD_LIMITS.fragments_max; i++)
      feed.take(fragment({ id: 'a' }, i, '', false));
    expect(feed.take(fragment({ id: 'b' }, 1, 'b', false))).toMatchObject([{ log: 'b' }]);
    expect(feed.joiner.due(5000)).toHaveLength(1);
    // The first one is held whole, with whatever else is in it.
    const third = 'x'.repeat(HELD_LIMITS.bytes_max / 3);
    expect(feed.take(fragment({ id: 'c' }, 1, third, false))).toEqual([]);
    expect(feed.take(fragment({ id: 'c' }, 2, third, false))).toHaveLength(1);
    expect(feed.joiner.held_count).toBe(0);
  });
});

describe('an event that is no fragment', () => {
  const whole = {
    container_id: 'c',
    source: 'stdout',
    log: 'x',
    partial_message: 'true',
    partial_id: 'a',
    partial_ordinal: '1',
    partial_last: 'false',
  };
  const without = (key: keyof typeof whole): Buffer => {
    const { [key]: _left_out, ...rest } = whole;
    return entry(rest);
  };

  it.each([
    ['has no partial fields', shortLine('partial_message')],
    ['has no partial id', without('partial_id')],
    ['has no ordinal', without('partial_ordinal')],
    ['does not say whether it is the last', without('partial_last')],
    ['has no log', without('log')],
    ['has an ordinal that is no number', entry({ ...whole, partial_ordinal: 'x' })],
    ['has the ordinal 0', entry({ ...whole, partial_ordinal: '0' })],
    ['has a log that is no text', entry({ ...whole, log: { a: 1 } })],
    ['is marked otherwise', entry({ ...whole, partial_message: 'false' })],
    ['is no event', pack({ partial_message: 'true' })],
  ])('since it %s is left as it is', (_why, body) => {
    const joiner = new Joiner(LIMITS);
    expect(joiner.take(recordOf(1, 'app', body))).toBeUndefined();
    expect(joiner.held_count).toBe(0);
  });

  it('since it is in a compressed chunk, or no log, is not looked at', () => {
    const joiner = new Joiner(LIMITS);
    const body = fragment({ id: 'a' }, 1, 'x', false);
    expect(joiner.take(recordOf(1, 'app', body, { codec: CODEC.gzip }))).toBeUndefined();
    expect(joiner.take(recordOf(1, 'app', body, { attrs: 1 << 8 }))).toBeUndefined();
  });

  it('since joining is off is left as it is, and lines that are held go out', () => {
    const feed = new Feed();
    feed.take(fragment({ id: 'a' }, 1, 'a', false));
    expect(feed.joiner.limit(undefined)).toHaveLength(1);
    expect(logs(feed.take(fragment({ id: 'a' }, 2, 'b', true)))).toEqual(['b']);
  });
});

function recordsInPair(body: Buffer): unknown {
  return [...decodeMulti(body)][0];
}
