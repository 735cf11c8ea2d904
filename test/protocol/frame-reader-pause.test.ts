import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { JsonReader } from '../../src/protocol/json-reader.ts';
import type { MessageReader } from '../../src/protocol/message-reader.ts';
import { ENTRIES, hex, SAMPLES, TAG } from '../support/forward-messages.ts';
import { RecordingSink } from '../support/recording-sink.ts';

const LOW = { ...LIMITS, tag_max_bytes: 16, frame_inline_max_bytes: 48 };
const MSGPACK = Buffer.concat([
  SAMPLES.docker_line,
  Buffer.of(0xc0),
  hex(`92${TAG}dc0014${ENTRIES.repeat(10)}`),
  SAMPLES.message_chunk,
  hex(`93${TAG}c46e${ENTRIES.repeat(10).slice(0, 220)}80`),
]);
const JSON_FORM = Buffer.from('["a",1,{"b":1}] ["a",[[1,{}],[2,{}]]]["a",3,{"c":"]"}]');

const READERS = {
  msgpack: (sink: RecordingSink) => new FrameReader(sink, LOW),
  json: (sink: RecordingSink) => new JsonReader(sink, LOW),
};
const STREAMS = { msgpack: MSGPACK, json: JSON_FORM };

describe.each(['msgpack', 'json'] as const)('pausing the %s reader', (format) => {
  const stream = STREAMS[format];

  function deliverAll(): RecordingSink {
    const sink = new RecordingSink();
    READERS[format](sink).feed(stream);
    return sink;
  }

  function pausing(chunk_bytes: number): { sink: RecordingSink; pauses: number } {
    const sink = new RecordingSink();
    const reader: MessageReader = READERS[format](sink);
    let pauses = 0;
    let delivered_while_paused = 0;
    sink.onDelivery = () => {
      if (reader.paused) delivered_while_paused += 1;
      pauses += 1;
      reader.pause();
    };
    for (let at = 0; at < stream.length; at += chunk_bytes) {
      // A buffer that is used again, as a socket's may be.
      const chunk = Buffer.from(stream.subarray(at, at + chunk_bytes));
      reader.feed(chunk);
      chunk.fill(0xc1);
    }
    for (let i = 0; i < 500 && reader.paused; i += 1) reader.resume();
    expect(delivered_while_paused).toBe(0);
    expect(reader.end()).toBe(false);
    return { sink, pauses };
  }

  it.each([1, 7, 64, 100_000])('delivers the same in chunks of %i bytes', (chunk_bytes) => {
    const { sink, pauses } = pausing(chunk_bytes);
    expect(sink.deliveries).toEqual(deliverAll().deliveries);
    expect(pauses).toBeGreaterThanOrEqual(3);
  });

  it('keeps what arrives while paused, and says how much', () => {
    const sink = new RecordingSink();
    const reader = READERS[format](sink);
    reader.pause();
    reader.feed(stream);
    expect(sink.deliveries).toEqual([]);
    expect(reader.held_bytes).toBeGreaterThanOrEqual(stream.length);
    reader.resume();
    expect(sink.deliveries).toEqual(deliverAll().deliveries);
  });

  it('goes on at once when the sink resumes inside a delivery', () => {
    const sink = new RecordingSink();
    const reader = READERS[format](sink);
    sink.onDelivery = () => {
      reader.pause();
      reader.resume();
    };
    reader.feed(stream);
    expect(sink.deliveries).toEqual(deliverAll().deliveries);
  });

  it('reports bytes that were kept back at the end', () => {
    const reader = READERS[format](new RecordingSink());
    reader.pause();
    reader.feed(stream);
    expect(reader.end()).toBe(true);
    expect(reader.held_bytes).toBeLessThan(stream.length);
  });
});
