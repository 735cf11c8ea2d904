import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { ATTR } from '../../src/protocol/codec.ts';
import { EntryWalk, emptyTally } from '../../src/protocol/entries.ts';
import { EntryWalker } from '../../src/protocol/entry-walker.ts';
import { normalizeEntries } from '../../src/protocol/normalize.ts';
import {
  ENTRIES,
  ENTRY_1,
  ENTRY_2,
  EVENT_TIME,
  hex,
  METADATA_ENTRY,
  RECORD,
} from '../support/forward-messages.ts';

const ARRIVAL = { seconds: 0x11223344, nanoseconds: 0x0a0b0c0d };
const ARRIVAL_HEX = 'd700112233440a0b0c0d';

function walk(entries: string): ReturnType<typeof emptyTally> {
  const tally = emptyTally();
  const buf = hex(entries);
  new EntryWalk(LIMITS).walkAll(buf, 0, buf.length, tally);
  return tally;
}

const normalize = (entries: string): string => {
  const buf = hex(entries);
  return normalizeEntries(buf, 0, buf.length, ARRIVAL, LIMITS).toString('hex');
};

/** A time form, whether it can stay, the second that it counts for, and what becomes of it. */
const TIMES: ReadonlyArray<readonly [string, string, number, string | undefined]> = [
  ['EventTime', EVENT_TIME, 1441588984, EVENT_TIME],
  ['EventTime as ext8', 'c7080055ece6f8075bcd15', 1441588984, 'c7080055ece6f8075bcd15'],
  ['EventTime as ext16', 'c800080055ece6f8075bcd15', 1441588984, 'c800080055ece6f8075bcd15'],
  ['EventTime after 2038', 'd700f000000000000000', 0xf0000000, 'd700f000000000000000'],
  ['uint8', 'ccff', 255, 'ccff'],
  ['uint16', 'cd0100', 256, 'cd0100'],
  ['uint32', 'ce55ece6f8', 1441588984, 'ce55ece6f8'],
  ['int32', 'd255ece6f8', 1441588984, 'd255ece6f8'],
  ['uint64', 'cf0000000055ece6f8', 1441588984, 'cf0000000055ece6f8'],
  ['int64', 'd30000000055ece6f8', 1441588984, 'd30000000055ece6f8'],
  ['milliseconds', 'cf0000014fa5000000', 0, 'cf0000014fa5000000'],
  ['fixint', '01', 1, '01'],
  ['a negative fixint', 'ff', 0, 'ff'],
  ['a negative int32', 'd2ffffff00', 0, 'd2ffffff00'],
  ['a negative int8 and int16', 'd080', 0, 'd080'],
  ['nil', 'c0', 0, ARRIVAL_HEX],
  ['0', '00', 0, ARRIVAL_HEX],
  ['0 in 64 bits', 'd30000000000000000', 0, ARRIVAL_HEX],
  ['EventTime 0', 'd7000000000000000000', 0, ARRIVAL_HEX],
  ['float64', 'cb41d57b39be000000', 1441588984, 'd70055ece6f800000000'],
  ['float64 with a fraction', 'cb41d57b39be200000', 1441588984, 'd70055ece6f81dcd6500'],
  ['float32', 'ca4eabd9ce', 1441588992, 'd70055ece70000000000'],
  ['float below 1', 'cb3fe0000000000000', 0, ARRIVAL_HEX],
  ['timestamp of 4 bytes', 'd6ff55ece6f8', 1441588984, 'd70055ece6f800000000'],
  ['timestamp of 8 bytes', 'd7ff1d6f345455ece6f8', 1441588984, 'd70055ece6f8075bcd15'],
  ['timestamp of 12 bytes', 'c70cff075bcd150000000055ece6f8', 1441588984, 'd70055ece6f8075bcd15'],
  ['NaN', 'cb7ff8000000000000', 0, undefined],
  ['a negative float', 'cbbff0000000000000', 0, undefined],
  ['a huge float', 'cb7fe0000000000000', 0, undefined],
  ['a timestamp beyond 2106', 'd7ff00000001ffffffff', 0, undefined],
  ['another ext', 'd70555ece6f8075bcd15', 0, undefined],
  ['EventTime of 4 bytes', 'd60055ece6f8', 0, undefined],
  ['a str', 'a131', 0, undefined],
  ['true', 'c3', 0, undefined],
  ['a map', '80', 0, undefined],
];

describe('every form of time', () => {
  it.each(TIMES)('%s', (_name, sent, seconds, stored) => {
    const kept = sent === stored;
    const tally = walk(`92${sent}${RECORD}`);
    expect(tally).toMatchObject({
      count: stored === undefined ? 0 : 1,
      invalid: stored === undefined ? 1 : 0,
      irregular: !kept,
      time_min_s: seconds,
      time_max_s: seconds,
    });
    expect(normalize(`92${sent}${RECORD}`)).toBe(
      stored === undefined ? '' : `92${stored}${RECORD}`,
    );
  });

  it.each(TIMES)('%s, with metadata beside it', (_name, sent, _seconds, stored) => {
    const entry = `9292${sent}81a16b01${RECORD}`;
    const { count, attrs } = walk(entry);
    const valid = stored !== undefined;
    expect([count, attrs]).toEqual(valid ? [1, ATTR.metadata] : [0, 0]);
    expect(normalize(entry)).toBe(valid ? `9292${stored}81a16b01${RECORD}` : '');
  });
});

describe('what is no entry', () => {
  it.each([
    ['an integer', '01'],
    ['an empty array', '90'],
    ['an array of 1', `91${EVENT_TIME}`],
    ['no record', `92${EVENT_TIME}c0`],
    ['an array as record', `92${EVENT_TIME}90`],
    ['metadata that is no map', `9292${EVENT_TIME}c0${RECORD}`],
    ['metadata alone', `9291${EVENT_TIME}${RECORD}`],
    ['three beside the time', `9293${EVENT_TIME}8080${RECORD}`],
    ['a map', '81a16101'],
  ])('is counted and left out: %s', (_name, bytes) => {
    const entries = `${ENTRY_1}${bytes}${ENTRY_2}`;
    expect(walk(entries)).toMatchObject({ count: 2, invalid: 1, irregular: true });
    expect(normalize(entries)).toBe(ENTRIES);
  });

  it('elements behind the record are left out, the event stays', () => {
    const entries = `${ENTRY_1}93${EVENT_TIME}${RECORD}c0${ENTRY_2}`;
    expect(walk(entries)).toMatchObject({ count: 3, invalid: 0, irregular: true });
    expect(normalize(entries)).toBe(`${ENTRY_1}${ENTRY_1}${ENTRY_2}`);
  });

  it('headers longer than they need be are kept as they are', () => {
    const entries = `dc0002${EVENT_TIME}de0001a36c6f67a26869`;
    expect(walk(entries)).toMatchObject({ count: 1, irregular: false });
    expect(normalize(entries)).toBe(entries);
  });
});

it('the time range spans all events', () => {
  const entries = ['64', '32', 'cc96', '46'].map((time) => `92${time}80`).join('');
  expect(walk(entries)).toMatchObject({ time_min_s: 0x32, time_max_s: 150 });
});

describe('EntryWalker', () => {
  const stream = hex(`${ENTRIES}${METADATA_ENTRY}a26869${ENTRIES}`);

  function feed(chunks: readonly Buffer[]): { body: string; count: number; cut_off: number } {
    const runs: Buffer[] = [];
    let count = 0;
    const walker = new EntryWalker(LIMITS, (buf, start, end, tally) => {
      runs.push(Buffer.from(buf.subarray(start, end)));
      count += tally.count;
    });
    for (const chunk of chunks) walker.feed(chunk);
    return { body: Buffer.concat(runs).toString('hex'), count, cut_off: walker.end() };
  }

  it('hands on the same entries however the stream is cut', () => {
    const expected = { body: stream.toString('hex'), count: 5, cut_off: 0 };
    expect(feed([stream])).toEqual(expected);
    for (let cut = 1; cut < stream.length; cut += 1) {
      expect(feed([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(expected);
    }
    expect(feed(Array.from(stream, (_, i) => stream.subarray(i, i + 1)))).toEqual(expected);
  });

  it('counts an entry that is cut off at the end', () => {
    const { count, cut_off, body } = feed([hex(`${ENTRIES}${ENTRY_1.slice(0, 20)}`)]);
    expect([count, cut_off, body]).toEqual([2, 1, ENTRIES]);
  });

  it('refuses an entry beyond event_max_bytes at its header', () => {
    const walker = new EntryWalker({ ...LIMITS, event_max_bytes: 1000 }, () => {});
    expect(() => walker.feed(hex(`92${EVENT_TIME}81a161da1000`))).toThrow('event_max_bytes');
  });
});
