import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { ENTRIES, ENTRY_1, EVENT_TIME, hex, RECORD, TAG } from '../support/forward-messages.ts';
import { RecordingSink } from '../support/recording-sink.ts';

/** Everything but a single event streams from 49 bytes on. */
const LOW = { ...LIMITS, tag_max_bytes: 16, frame_inline_max_bytes: 48 };

function read(stream: Buffer, cuts: readonly number[], limits = LOW): RecordingSink {
  const sink = new RecordingSink();
  const reader = new FrameReader(sink, limits);
  let from = 0;
  for (const cut of [...cuts, stream.length]) {
    reader.feed(stream.subarray(from, cut));
    from = cut;
  }
  expect(reader.end()).toBe(false);
  return sink;
}

const option = '83a473697a65cd0100a56368756e6ba3696431a374776fc0';
const invalid = `${ENTRY_1}92a161${RECORD}92c0${RECORD}9392${EVENT_TIME}80${RECORD}01${ENTRY_1}`;
const payload = (type: string, body: string, rest = ''): string =>
  `${type}${(body.length / 2).toString(16).padStart(8, '0')}${body}${rest}`;
const gzipped = gzipSync(Buffer.from(ENTRIES, 'hex')).toString('hex');

const LARGE = {
  forward: `92${TAG}dd00000014${ENTRIES.repeat(10)}`,
  forward_option: `93${TAG}dc0014${ENTRIES.repeat(10)}${option}`,
  forward_irregular: `92${TAG}95${invalid}`,
  packed_bin: `92${TAG}${payload('c6', ENTRIES.repeat(10))}`,
  packed_str: `93${TAG}${payload('db', ENTRIES.repeat(10), option)}`,
  packed_cut_off: `93${TAG}${payload('db', `${ENTRIES.repeat(3)}${ENTRY_1.slice(0, 30)}`, 'c0')}`,
  packed_irregular: `92${TAG}${payload('c6', invalid)}`,
  compressed: `93${TAG}${payload('c6', gzipped, `81aa636f6d70726573736564a4677a6970`)}`,
  signal: `93${TAG}${payload('c6', `81a1${'61'.repeat(80)}`, '81ad666c75656e745f7369676e616c02')}`,
  one_byte_too_large: `92${TAG}${payload('c6', `${ENTRY_1}9292${EVENT_TIME}81a16b80${RECORD}`.slice(0, 80))}`,
} as const;

describe('a message beyond frame_inline_max_bytes', () => {
  it.each(Object.entries(LARGE))('streams: %s', (_name, message) => {
    const sink = read(hex(message), []);
    expect(sink.large_frames).toBe(1);
    expect(sink.deliveries).toHaveLength(1);
    expect(sink.large_aborts).toBe(0);
  });

  it.each(Object.entries(LARGE))('comes to the same as inline: %s', (_name, message) => {
    const inline = read(hex(message), [], LIMITS);
    expect(inline.large_frames).toBe(0);
    expect(read(hex(message), []).deliveries).toEqual(inline.deliveries);
  });

  it.each(Object.entries(LARGE))('does not depend on where it is cut: %s', (_name, message) => {
    const stream = Buffer.concat([hex(message), hex(`92${TAG}91${ENTRY_1}`)]);
    const { deliveries } = read(stream, []);
    expect(deliveries).toHaveLength(2);
    for (let cut = 1; cut < stream.length; cut += 1) {
      expect(read(stream, [cut]).deliveries).toEqual(deliveries);
    }
    const every_byte = Array.from(stream.keys()).slice(1);
    expect(read(stream, every_byte).deliveries).toEqual(deliveries);
  });

  it('streams by size alone: not at the limit, a byte above it always', () => {
    const packed = (bytes: number): Buffer => {
      const entry = `92${EVENT_TIME}81a16bd9${(bytes - 23).toString(16)}${'61'.repeat(bytes - 23)}`;
      return hex(`92${TAG}c4${(entry.length / 2).toString(16)}${entry}`);
    };
    expect([packed(48).length, packed(49).length]).toEqual([48, 49]);
    for (const cuts of [[], [20], [47]]) {
      expect(read(packed(48), cuts).large_frames).toBe(0);
      expect(read(packed(49), cuts).large_frames).toBe(1);
    }
  });

  it('is delivered while it comes, not at its end', () => {
    const sink = new RecordingSink();
    const reader = new FrameReader(sink, LOW);
    const stream = hex(LARGE.forward);
    let runs = 0;
    sink.largeRun = () => {
      runs += 1;
    };
    reader.feed(stream.subarray(0, 100));
    expect(runs).toBeGreaterThan(0);
    reader.feed(stream.subarray(100));
    expect(sink.deliveries).toHaveLength(1);
  });

  it('holds no more than an entry and the head in memory', () => {
    const limits = { ...LIMITS, frame_inline_max_bytes: 8192 };
    const sink = new RecordingSink();
    const reader = new FrameReader(sink, limits);
    sink.largeRun = () => {};
    const entries = 200_000;
    reader.feed(hex(`92${TAG}dd${entries.toString(16).padStart(8, '0')}`));
    const batch = Buffer.from(ENTRY_1.repeat(1000), 'hex');
    let held = 0;
    for (let i = 0; i < entries / 1000; i += 1) {
      reader.feed(batch.subarray(0, 777));
      held = Math.max(held, reader.held_bytes);
      reader.feed(batch.subarray(777));
      held = Math.max(held, reader.held_bytes);
    }
    expect(sink.deliveries[0]?.count).toBe(entries);
    expect(held).toBeLessThan(32 * 1024);
  });

  it('is aborted when the stream breaks off', () => {
    const sink = new RecordingSink();
    const reader = new FrameReader(sink, LOW);
    reader.feed(hex(LARGE.forward).subarray(0, 100));
    expect(reader.end()).toBe(true);
    expect(sink.large_aborts).toBe(1);
    expect(sink.deliveries).toEqual([]);
  });

  it('is aborted when bytes in it are no MessagePack', () => {
    const sink = new RecordingSink();
    const reader = new FrameReader(sink, LOW);
    const stream = hex(LARGE.forward);
    stream[120] = 0xc1;
    reader.feed(stream.subarray(0, 100));
    expect(() => reader.feed(stream.subarray(100))).toThrow();
    expect(sink.large_aborts).toBe(1);
    expect(sink.deliveries).toEqual([]);
  });

  it('is refused when its options contradict what was delivered', () => {
    const signal = '81ad666c75656e745f7369676e616c01';
    const entries_as_metrics = hex(`93${TAG}${payload('c6', ENTRIES.repeat(2), signal)}`);
    expect(() => read(entries_as_metrics, [])).toThrow('expected a payload of signal 1');
    const no_entries = hex(`93${TAG}${payload('c6', `81a1${'61'.repeat(80)}`, '80')}`);
    expect(() => read(no_entries, [])).toThrow('expected entries as payload');
  });
});

describe('a single event beyond frame_inline_max_bytes', () => {
  it('is gathered up to event_max_bytes and delivered by frame()', () => {
    const log = 'ab'.repeat(5000);
    const stream = hex(`93${TAG}${EVENT_TIME}81a36c6f67da1388${log}`);
    const cuts = Array.from({ length: 100 }, (_, i) => (i + 1) * 49);
    const sink = read(stream, cuts);
    expect(sink.large_frames).toBe(0);
    expect(sink.deliveries).toEqual(read(stream, [], LIMITS).deliveries);
  });

  it('gives its memory back once it has been delivered', () => {
    const reader = new FrameReader(new RecordingSink(), LIMITS);
    const stream = hex(`93${TAG}${EVENT_TIME}81a36c6f67db000f4240${'ab'.repeat(1_000_000)}`);
    reader.feed(stream.subarray(0, -1));
    expect(reader.held_bytes).toBeGreaterThanOrEqual(1_000_000);
    reader.feed(stream.subarray(-1));
    expect(reader.held_bytes).toBe(0);
  });
});
