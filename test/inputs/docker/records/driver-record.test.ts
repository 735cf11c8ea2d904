import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DriverRecord } from '../../../../src/inputs/docker/records/driver-record.ts';
import type { Identity } from '../../../../src/inputs/docker/types.ts';
import { LocalFormat } from '../../../../src/inputs/logfile/formats/local.ts';
import { createLogLine } from '../../../../src/inputs/logfile/types.ts';
import { decodeEvents, type Event } from '../../../../src/protocol/event.ts';
import {
  type DriverOptions,
  driverBody,
  type Entry,
  loggedEntry as entry,
  localFrame,
} from '../../../support/docker-entries.ts';
import { MemoryJournal, type MemoryRecord } from '../../../support/memory-journal.ts';

const CONTAINER_ID = '7175395e0'.padEnd(64, '0');
const PARTIAL_ID = 'ef22'.repeat(16);
const TAG = Buffer.from('docker.app');

const identity = (fields: Partial<Identity> = {}): Identity => ({
  container_id: CONTAINER_ID,
  container_name: '/app',
  tag: 'docker.app',
  extra: {},
  sub_second: false,
  ...fields,
});

const LAST = { partial: { id: PARTIAL_ID, ordinal: 2, last: true } };

/** The record that the entries become, in their order. */
function written(of: Identity, entries: readonly Entry[]): MemoryRecord {
  const journal = new MemoryJournal({ automatic: false });
  const format = new LocalFormat();
  const line = createLogLine();
  const record = new DriverRecord(of);
  for (const each of entries) {
    const frame = localFrame(each);
    expect(format.parse(frame, 0, frame.length, line)).toBe(true);
    record.write(line, journal.builder(TAG, 0, TAG.length, 0, 0));
  }
  journal.commit();
  return journal.records[0] as MemoryRecord;
}

const eventOf = (of: Identity, each: Entry): Event => {
  const [event] = decodeEvents([written(of, [each]).body]);
  expect(event).toBeDefined();
  return event as Event;
};

describe('DriverRecord', () => {
  it('writes the very bytes that the driver sent for `echo hi` (formats.md 3.2)', () => {
    const { body, count, time_min_s, time_max_s } = written(identity(), [entry('hi')]);
    const sent = driverBody(entry('hi'), { container_id: CONTAINER_ID });
    expect(body.toString('hex')).toBe(`92${sent.toString('hex')}`);
    expect({ count, time_min_s, time_max_s }).toEqual({
      count: 1,
      time_min_s: 1795413617,
      time_max_s: 1795413617,
    });
  });

  it('writes the very bytes of an empty last piece, with a label and nanoseconds', () => {
    const extra = { 'a.b': '1' };
    const { body } = written(identity({ extra, sub_second: true }), [entry('', LAST)]);
    const options: DriverOptions = { container_id: CONTAINER_ID, sub_second: true, extra };
    expect(body.toString('hex')).toBe(`92${driverBody(entry('', LAST), options).toString('hex')}`);
  });

  it('says of a piece that is not the last that it is not', () => {
    const piece = entry('x', { partial: { id: PARTIAL_ID, ordinal: 12_345, last: false } });
    expect(eventOf(identity(), piece).record).toEqual({
      container_id: CONTAINER_ID,
      container_name: '/app',
      source: 'stdout',
      log: 'x',
      partial_message: 'true',
      partial_id: PARTIAL_ID,
      partial_ordinal: '12345',
      partial_last: 'false',
    });
  });

  it('writes times behind 2038', () => {
    const event = eventOf(identity(), entry('x', { time_s: 0xfffffff0 }));
    expect(event).toMatchObject({ time_s: 0xfffffff0, time_ns: 0 });
    const exact = eventOf(identity({ sub_second: true }), entry('x', { time_s: 0xfffffff0 }));
    expect(exact).toMatchObject({ time_s: 0xfffffff0, time_ns: 952463603 });
  });

  it('lets extra fields take the place of others, and partial fields that of extra ones', () => {
    const extra = {
      source: 'me',
      log: 'label',
      container_name: 'other',
      partial_id: 'mine',
      z: '',
    };
    const whole = {
      container_id: CONTAINER_ID,
      container_name: 'other',
      source: 'me',
      log: 'label',
    };
    expect(eventOf(identity({ extra }), entry('hi')).record).toEqual({
      ...whole,
      partial_id: 'mine',
      z: '',
    });
    expect(eventOf(identity({ extra }), entry('hi', LAST)).record).toEqual({
      ...whole,
      z: '',
      partial_message: 'true',
      partial_id: PARTIAL_ID,
      partial_ordinal: '2',
      partial_last: 'true',
    });
  });

  it('writes what the driver would have sent, for any line and any labels', () => {
    const names = fc.oneof(
      fc.constantFrom('log', 'source', 'container_id', 'partial_id', 'partial_last', '__proto__x'),
      fc.string({ minLength: 1, maxLength: 40 }),
    );
    const extras = fc.dictionary(names, fc.string({ maxLength: 300 }), {
      maxKeys: 20,
      noNullPrototype: true,
    });
    const logs = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom(31, 32, 255, 256, 16_384, 65_535, 65_536)
        .map((bytes) => Buffer.alloc(bytes, 'x')),
    );
    const partials = fc.record({
      id: fc.constant(PARTIAL_ID),
      ordinal: fc.integer({ min: 1, max: 1000 }),
      last: fc.boolean(),
    });
    fc.assert(
      fc.property(
        extras,
        logs,
        fc.option(partials),
        fc.boolean(),
        (extra, log, partial, sub_second) => {
          const each = entry(Buffer.from(log), partial === null ? {} : { partial });
          const { body } = written(identity({ extra, sub_second }), [each]);
          const sent = driverBody(each, { container_id: CONTAINER_ID, extra, sub_second });
          const [event] = decodeEvents([body]);
          const [expected] = decodeEvents([Buffer.concat([Buffer.of(0x92), sent])]);
          expect(event).toEqual(expected);
          expect(body).toHaveLength(1 + sent.length);
        },
      ),
    );
  });

  it('writes lines behind each other, each of its source', () => {
    const { body, count } = written(identity(), [
      entry('a'),
      entry('b', { source: 'stderr' }),
      entry('c', LAST),
    ]);
    const records = [...decodeEvents([body])].map(({ record }) => record);
    expect(count).toBe(3);
    expect(records).toMatchObject([
      { log: 'a', source: 'stdout' },
      { log: 'b', source: 'stderr' },
      { log: 'c', source: 'stdout', partial_ordinal: '2' },
    ]);
  });
});
