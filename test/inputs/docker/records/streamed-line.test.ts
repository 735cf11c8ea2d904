import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamedLine, streamKey } from '../../../../src/inputs/docker/records/streamed-line.ts';
import { LocalFormat } from '../../../../src/inputs/logfile/formats/local.ts';
import { lineKey } from '../../../../src/inputs/logfile/line-key.ts';
import { createLogLine, SOURCE } from '../../../../src/inputs/logfile/types.ts';
import { mapHeader, str } from '../../../../src/protocol/msgpack-write.ts';
import {
  type DriverOptions,
  driverBody,
  type Entry,
  loggedEntry as entry,
  localFrame,
} from '../../../support/docker-entries.ts';
import { hex } from '../../../support/forward-messages.ts';

const CONTAINER_ID = '7175395e0'.padEnd(64, '0');
const PARTIAL_ID = 'ef22'.repeat(16);

/** Reads a body that lies between other bytes. */
function read(body: Buffer, line = new StreamedLine()): StreamedLine | undefined {
  const buf = Buffer.concat([Buffer.from('tag'), body, Buffer.of(0x80)]);
  return line.read(buf, 3, 3 + body.length) ? line : undefined;
}

const body = (each: Entry, options: Partial<DriverOptions> = {}): Buffer =>
  driverBody(each, { container_id: CONTAINER_ID, ...options });

const textOf = (line: StreamedLine | undefined, start: number, end: number): string =>
  line?.buf.toString('latin1', start, end) ?? '';

describe('StreamedLine', () => {
  it('finds the fields of a captured message (formats.md 3.2)', () => {
    const id = Buffer.from(CONTAINER_ID).toString('hex');
    const line = read(
      hex(`d26b03d671 84 ac636f6e7461696e65725f6964 d940${id}
        ae636f6e7461696e65725f6e616d65 a72f7265665f6631
        a6736f75726365 a67374646f7574 a36c6f67 a26869`),
    );
    expect(line).toMatchObject({
      source: SOURCE.stdout,
      time_s: 0x6b03d671,
      time_ns: 0,
      partial_id_start: -1,
      partial_ordinal: 0,
      partial_last: false,
    });
    expect(textOf(line, line?.log_start ?? 0, line?.log_end ?? 0)).toBe('hi');
    expect(textOf(line, line?.container_id_start ?? 0, line?.container_id_end ?? 0)).toBe(
      CONTAINER_ID,
    );
  });

  it('finds them in any order, in str of any width, among any labels', () => {
    const logs = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(255, 256, 65_536).map((bytes) => Buffer.alloc(bytes, 'x')),
    );
    const label = fc.string({ minLength: 1, maxLength: 40 }).map((text) => `l.${text}`);
    const order = fc.infiniteStream(fc.nat());
    const line = new StreamedLine();
    fc.assert(
      fc.property(
        logs,
        fc.dictionary(label, fc.string()),
        order,
        fc.boolean(),
        fc.boolean(),
        (log, extra, picks, sub_second, partial) => {
          const each = entry(Buffer.from(log), {
            source: 'stderr',
            ...(partial ? { partial: { id: PARTIAL_ID, ordinal: 17, last: true } } : {}),
          });
          const shuffled = (keys: string[]): string[] =>
            keys
              .map((key) => ({ key, at: picks.next().value }))
              .toSorted((a, b) => a.at - b.at)
              .map(({ key }) => key);
          const found = read(body(each, { extra, sub_second, order: shuffled }), line);
          expect(found).toMatchObject({
            source: SOURCE.stderr,
            time_s: each.time_s,
            time_ns: sub_second ? each.time_ns : 0,
            partial_ordinal: partial ? 17 : 0,
            partial_last: partial,
          });
          expect(textOf(found, line.log_start, line.log_end) === each.log.toString('latin1')).toBe(
            true,
          );
          const id = textOf(found, line.partial_id_start, line.partial_id_end);
          expect(id).toBe(partial ? PARTIAL_ID : '');
        },
      ),
    );
  });

  it('keeps nothing of the message before', () => {
    const line = new StreamedLine();
    const partial = { id: PARTIAL_ID, ordinal: 3, last: true };
    expect(read(body(entry('a', { partial })), line)?.partial_ordinal).toBe(3);
    expect(read(body(entry('b')), line)).toMatchObject({
      partial_id_start: -1,
      partial_ordinal: 0,
      partial_last: false,
    });
    expect(read(hex('01 80'), line)).toBeUndefined();
  });

  const without = (...names: string[]): Buffer =>
    body(entry('hi'), { order: (keys) => keys.filter((key) => !names.includes(key)) });

  it.each([
    ['no record', hex('01')],
    ['a record that is no map', hex('01 a26869')],
    ['an empty record', hex('01 80')],
    ['no time', Buffer.concat([hex('c0'), body(entry('hi')).subarray(5)])],
    ['no container id', without('container_id')],
    ['no log', without('log')],
    ['no source', without('source')],
    ['another source', body(entry('hi'), { extra: { source: 'journal' } })],
    ['a short container id', body(entry('hi'), { container_id: 'abc' })],
    ['a log that is no str', hex('01 81 a36c6f67 05')],
    ['a cut record', body(entry('hi')).subarray(0, -1)],
  ])('is none with %s', (_, bytes) => {
    expect(read(bytes)).toBeUndefined();
  });

  it('passes over values of any kind, and keys that are no fixstr', () => {
    const odd = [
      hex('05 c0'),
      Buffer.concat([str('log'), hex('9201c3')]),
      Buffer.concat([str('foo'), hex('81a16101')]),
      Buffer.concat([str('partial_last'), hex('cb0000000000000000')]),
      Buffer.concat([str('k'.repeat(40)), str('partial_last')]),
      Buffer.concat([str('partial_lost'), str('true')]),
    ];
    const whole = body(entry('hi'));
    const pairs = whole.subarray(6);
    const line = read(
      Buffer.concat([whole.subarray(0, 5), mapHeader(4 + odd.length), ...odd, pairs]),
    );
    expect(textOf(line, line?.log_start ?? 0, line?.log_end ?? 0)).toBe('hi');
    expect(line).toMatchObject({ partial_last: false, partial_id_start: -1 });
  });

  it('takes no ordinal that is no number', () => {
    for (const ordinal of ['', 'x', '-1', '1.5', '9999999999']) {
      const found = read(body(entry('a'), { extra: { partial_ordinal: ordinal } }));
      expect(found?.partial_ordinal, ordinal).toBe(0);
    }
  });
});

describe('streamKey', () => {
  it('is the key of the same line in the cache', () => {
    const format = new LocalFormat();
    const cached = createLogLine();
    const entries = fc.record({
      source: fc.constantFrom('stdout' as const, 'stderr' as const),
      log: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      time_s: fc.integer({ min: 1, max: 0x7fffffff }),
      time_ns: fc.integer({ min: 0, max: 999_999_999 }),
    });
    const partials = fc.record({
      id: fc.constantFrom(PARTIAL_ID, 'ab'.repeat(32)),
      ordinal: fc.integer({ min: 1, max: 100_000 }),
      last: fc.boolean(),
    });
    fc.assert(
      fc.property(entries, fc.option(partials), fc.boolean(), (whole, partial, sub_second) => {
        const each: Entry = partial === null ? whole : { ...whole, partial };
        const frame = localFrame(each);
        expect(format.parse(frame, 0, frame.length, cached)).toBe(true);
        const streamed = read(body(each, { sub_second, order: (keys) => keys.toReversed() }));
        expect(streamed && streamKey(streamed)).toBe(lineKey(cached, sub_second));
      }),
    );
  });
});
