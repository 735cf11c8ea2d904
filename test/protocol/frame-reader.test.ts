import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { ATTR, CODEC, signalOf } from '../../src/protocol/codec.ts';
import { MODE } from '../../src/protocol/frame.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import {
  CHUNK_ID,
  ENTRIES,
  ENTRY_1,
  ENTRY_2,
  EVENT_TIME,
  METADATA_ENTRY,
  RECORD,
  SAMPLE_NAMES,
  SAMPLES,
  type SampleName,
} from '../support/forward-messages.ts';
import { type Delivery, RecordingSink } from '../support/recording-sink.ts';

function read(chunks: readonly Buffer[], limits = LIMITS): RecordingSink {
  const sink = new RecordingSink();
  const reader = new FrameReader(sink, limits);
  for (const chunk of chunks) reader.feed(chunk);
  expect(reader.end()).toBe(false);
  return sink;
}

function readOne(name: SampleName): Delivery {
  const { deliveries } = read([SAMPLES[name]]);
  expect(deliveries).toHaveLength(1);
  return deliveries[0] as Delivery;
}

const SAME = {
  tag: 'app',
  count: 2,
  invalid: 0,
  irregular: false,
  body: ENTRIES,
  codec: CODEC.none,
};
const RANGE = { time_min_s: 1441588984, time_max_s: 1441588985 };

describe('each message shape', () => {
  it.each([
    'message_int_time',
    'message_nil_option',
    'message_3_elements',
    'message_ext8_time',
  ] as const)('delivers %s as one event', (name) => {
    const time = { message_int_time: 'ce55ece6f8', message_nil_option: 'ce55ece6f8' };
    const sent =
      name === 'message_ext8_time'
        ? 'c7080055ece6f8075bcd15'
        : name === 'message_3_elements'
          ? EVENT_TIME
          : time[name];
    expect(readOne(name)).toEqual({
      ...SAME,
      mode: MODE.message,
      count: 1,
      attrs: 0,
      body: `92${sent}${RECORD}`,
      time_min_s: 1441588984,
      time_max_s: 1441588984,
      chunk: undefined,
    });
  });

  it('finds the chunk id of a message that asks for an ack', () => {
    expect(readOne('message_chunk').chunk).toBe(CHUNK_ID);
    expect(readOne('docker_line_with_ack').chunk).toBe(CHUNK_ID);
  });

  it("keeps the line feed that ends fluentd's chunk ids", () => {
    expect(readOne('packed_fluentd_chunk').chunk).toBe(`${CHUNK_ID}\n`);
  });

  it('moves the metadata of Message mode into its entry', () => {
    expect(readOne('message_metadata')).toMatchObject({
      attrs: ATTR.metadata,
      irregular: true,
      count: 1,
      body: `9292${EVENT_TIME}81a16b01${RECORD}`,
    });
  });

  it.each(['forward', 'forward_no_option', 'forward_array16', 'forward_array32'] as const)(
    'delivers the entries of %s end to end',
    (name) => {
      expect(readOne(name)).toMatchObject({ ...SAME, ...RANGE, mode: MODE.forward, attrs: 0 });
    },
  );

  it.each([
    'packed_bin8',
    'packed_bin16',
    'packed_bin32',
    'packed_str8',
    'packed_str16',
    'packed_fluentd',
    'packed_fluentd_chunk',
    'packed_unknown_options',
  ] as const)('delivers the payload of %s as it is', (name) => {
    expect(readOne(name)).toMatchObject({ ...SAME, ...RANGE, mode: MODE.packed, attrs: 0 });
  });

  it('takes a payload in a fixstr', () => {
    expect(readOne('packed_fixstr')).toMatchObject({ count: 1, body: ENTRY_1 });
  });

  it('delivers messages without events too, so that they are acked', () => {
    expect(readOne('forward_empty')).toMatchObject({ count: 0, invalid: 0, body: '' });
    expect(readOne('packed_empty')).toMatchObject({ count: 0, invalid: 0, body: '' });
  });

  it('marks entries with metadata', () => {
    const body = `${METADATA_ENTRY}${ENTRY_2}`;
    const expected = { count: 2, attrs: ATTR.metadata, irregular: false, body };
    expect(readOne('forward_metadata')).toMatchObject(expected);
  });

  it('keeps group markers out of the time range and marks them', () => {
    const attrs = ATTR.metadata | ATTR.group_markers;
    const expected = { count: 3, attrs, time_min_s: 1441588984, time_max_s: 1441588984 };
    expect(readOne('group_markers')).toMatchObject({ ...expected, irregular: false });
  });

  it('passes compressed payloads on, with the count that the sender claims', () => {
    expect(readOne('compressed_2_members')).toMatchObject({ codec: CODEC.gzip, count: 2 });
    expect(readOne('compressed_zstd')).toMatchObject({ codec: CODEC.zstd, count: 0 });
  });

  it('recognizes gzip by its first bytes alone', () => {
    expect(readOne('compressed_by_magic')).toMatchObject({ codec: CODEC.gzip, count: 2 });
  });

  it('leaves the payload of another signal alone', () => {
    const { attrs, count, body, invalid } = readOne('signal_metrics');
    expect({ signal: signalOf(attrs), count, body, invalid }).toEqual({
      signal: 1,
      count: 1,
      body: 'a26869',
      invalid: 0,
    });
  });
});

describe('events that cannot be kept byte for byte', () => {
  it('gives missing times the arrival time and rewrites floats', () => {
    const arrival = 'd700112233440a0b0c0d';
    const { body, count, invalid, irregular } = readOne('irregular_times');
    expect({ count, invalid, irregular }).toEqual({ count: 4, invalid: 0, irregular: true });
    const [entry, marker] = [`92${arrival}${RECORD}`, `92d70055ece6f8`];
    expect(body.startsWith(`${entry}${entry}${marker}`)).toBe(true);
    expect(body.endsWith(ENTRY_1)).toBe(true);
  });

  it('leaves out and counts what is no [time, map]', () => {
    const expected = { count: 1, invalid: 3, irregular: true, body: ENTRY_1 };
    expect(readOne('invalid_events')).toMatchObject(expected);
  });

  it('still delivers a message whose only event is invalid: it is acked and counted', () => {
    const expected = { count: 0, invalid: 1, irregular: true, body: '', chunk: CHUNK_ID };
    expect(readOne('message_record_nil')).toMatchObject(expected);
  });

  it('keeps the whole entries of a payload that breaks off, and counts the rest', () => {
    const expected = { count: 1, invalid: 1, irregular: true, body: ENTRY_1 };
    expect(readOne('packed_cut_off')).toMatchObject(expected);
  });
});

describe('however the bytes are cut', () => {
  it.each(SAMPLE_NAMES)('%s gives the same cut in two at every offset', (name) => {
    const stream = Buffer.concat([SAMPLES[name], SAMPLES.message_golang]);
    const { deliveries } = read([stream]);
    expect(deliveries).toHaveLength(2);
    for (let cut = 1; cut < stream.length; cut += 1) {
      const parts = [stream.subarray(0, cut), stream.subarray(cut)];
      expect(read(parts).deliveries).toEqual(deliveries);
    }
  });

  it('every sample gives the same byte by byte', () => {
    const stream = Buffer.concat(SAMPLE_NAMES.map((name) => SAMPLES[name]));
    const bytes = Array.from(stream, (_, i) => stream.subarray(i, i + 1));
    expect(read(bytes).deliveries).toEqual(read([stream]).deliveries);
  });

  it('does not look at chunks after feed() has returned', () => {
    const stream = Buffer.concat([SAMPLES.docker_line, SAMPLES.forward]);
    const sink = new RecordingSink();
    const reader = new FrameReader(sink, LIMITS);
    const reused = Buffer.alloc(7);
    for (let at = 0; at < stream.length; at += reused.length) {
      const bytes = stream.copy(reused, 0, at, at + reused.length);
      reader.feed(reused.subarray(0, bytes));
      reused.fill(0xc1);
    }
    expect(sink.deliveries).toEqual(read([stream]).deliveries);
  });

  it('takes work in proportion to the bytes, also byte by byte', () => {
    const walked = (entries: number): number => {
      const header = Buffer.from(`92a3617070dd${entries.toString(16).padStart(8, '0')}`, 'hex');
      const stream = Buffer.concat([header, Buffer.from(ENTRY_1.repeat(entries), 'hex')]);
      const sink = new RecordingSink();
      const reader = new FrameReader(sink, LIMITS);
      for (let i = 0; i < stream.length; i += 1) reader.feed(stream.subarray(i, i + 1));
      expect(sink.deliveries).toHaveLength(1);
      return reader.walked_bytes / stream.length;
    };
    expect(walked(100)).toBeLessThanOrEqual(3);
    expect(walked(10_000)).toBeLessThanOrEqual(3);
  });
});

describe('heartbeats', () => {
  it('takes nil between messages for one', () => {
    const nil = Buffer.of(0xc0);
    const sink = read([nil, Buffer.concat([SAMPLES.forward, nil, nil, SAMPLES.forward])]);
    expect(sink.heartbeats).toBe(3);
    expect(sink.deliveries).toHaveLength(2);
  });
});

describe('the end of the stream', () => {
  it('tells whether it came inside a message', () => {
    const reader = new FrameReader(new RecordingSink(), LIMITS);
    reader.feed(SAMPLES.forward.subarray(0, 9));
    expect(reader.end()).toBe(true);
  });

  it('makes later calls do nothing', () => {
    const sink = new RecordingSink();
    const reader = new FrameReader(sink, LIMITS);
    reader.end();
    reader.feed(SAMPLES.forward);
    reader.resume();
    expect(sink.deliveries).toEqual([]);
    expect(reader.end()).toBe(false);
  });
});
