import { describe, expect, it } from 'vitest';
import { Extension } from '../../src/protocol/decode.ts';
import { decodeEvents } from '../../src/protocol/event.ts';
import {
  ENTRIES,
  EVENT_TIME,
  hex,
  METADATA_ENTRY,
  RECORD,
  SAMPLES,
} from '../support/forward-messages.ts';

const events = (entries: string): unknown[] => [...decodeEvents([hex(entries)])];
const record = (msgpack: string): unknown => {
  const [event] = decodeEvents([hex(`9201${msgpack}`)]);
  return event?.record;
};

describe('decodeEvents', () => {
  it('yields time, metadata and record', () => {
    expect(events(`${ENTRIES}9292${EVENT_TIME}81a16b01${RECORD}`)).toEqual([
      { time_s: 1441588984, time_ns: 123456789, record: { log: 'hi' } },
      { time_s: 1441588985, time_ns: 0, record: { log: 'yo' } },
      { time_s: 1441588984, time_ns: 123456789, record: { log: 'hi' }, metadata: { k: 1 } },
    ]);
  });

  it('takes a body in pieces that are cut anywhere', () => {
    const body = hex(ENTRIES);
    const pieces = [body.subarray(0, 5), body.subarray(5, 25), body.subarray(25)];
    expect([...decodeEvents(pieces)]).toEqual(events(ENTRIES));
    expect([...decodeEvents([])]).toEqual([]);
  });

  it('passes over group markers and what is no event', () => {
    const markers = SAMPLES.group_markers.subarray(6).toString('hex');
    expect(events(`a26869${markers}92c0`)).toHaveLength(1);
    expect([...decodeEvents([hex(markers)], { markers: true })]).toHaveLength(3);
    expect(events(METADATA_ENTRY)).toHaveLength(1);
  });
});

describe('values for people', () => {
  it('shows bytes that are not UTF-8 as U+FFFD and keeps the rest', () => {
    expect(record('81a16ca3ff7ac3')).toEqual({ l: '\ufffdz\ufffd' });
  });

  it('keeps integers of 64 bits', () => {
    expect(record('82a161cfffffffffffffffffa162d30000000000000005')).toEqual({
      a: 2n ** 64n - 1n,
      b: 5,
    });
  });

  it('shows bin and ext as bytes', () => {
    expect(record('82a162c402fffea165d405aa')).toEqual({
      b: Buffer.of(0xff, 0xfe),
      e: new Extension(5, Buffer.of(0xaa)),
    });
  });

  it('takes the key __proto__ for a key', () => {
    const shown = record('81a95f5f70726f746f5f5f81a16101') as object;
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(shown)).toBe(Object.prototype);
  });

  it('shows keys that are no str as text; the last of equal keys wins', () => {
    expect(record('8401a16ec0a1789101a17901a17a')).toEqual({ '1': 'z', null: 'x', '[1]': 'y' });
  });

  it('shows nested values and every kind of number', () => {
    expect(record('85a16192c2c3a162ca3f800000a163cb3ff8000000000000a164fba165d1ff00')).toEqual({
      a: [false, true],
      b: 1,
      c: 1.5,
      d: -5,
      e: -256,
    });
  });
});
