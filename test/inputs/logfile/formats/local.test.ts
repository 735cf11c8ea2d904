import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalFormat, readLocalAttributes } from '../../../../src/inputs/logfile/formats/local.ts';
import { type Entry, localFrame } from '../../../support/docker-entries.ts';
import { hex } from '../../../support/forward-messages.ts';
import { entriesOf, type Parsed, parse } from './parsed.ts';

const format = new LocalFormat();

/** formats.md 5, as dockerd wrote them. */
const ECHO_HI = hex('00000016 0a067374646f7574 10a680e39cede3a5f518 1a026869 00000016');
const PARTIAL_ID = 'ef22'.repeat(16);
const EMPTY_LAST = hex(
  `0000005c 0a067374646f7574 109df984dfeee3a5f518 2001 2a46 0801 1240 ${Buffer.from(PARTIAL_ID).toString('hex')} 1802 0000005c`,
);

const framed = (message: string): Buffer => {
  const bytes = hex(message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes, length]);
};

const STDOUT = '0a067374646f7574';
const TIME = '10a680e39cede3a5f518';

const entry = (log: string | Buffer, fields: Partial<Entry> = {}): Entry => ({
  source: 'stdout',
  log: Buffer.from(log),
  time_s: 1795413495,
  time_ns: 7,
  ...fields,
});

const expected = ({ source, log, time_s, time_ns, partial }: Entry): Parsed => ({
  source,
  log,
  time_s,
  time_ns,
  piece: partial === undefined ? 'whole' : partial.last ? 'last' : 'part',
  partial_id: partial?.id,
  partial_ordinal: partial?.ordinal ?? 0,
  torn_bytes: 0,
});

const entries = fc.record({
  source: fc.constantFrom('stdout' as const, 'stderr' as const),
  log: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  time_s: fc.integer({ min: 1, max: 0xffffffff }),
  time_ns: fc.integer({ min: 0, max: 999_999_999 }),
});
const partials = fc.record({
  id: fc.constant(PARTIAL_ID),
  ordinal: fc.integer({ min: 1, max: 100_000 }),
  last: fc.boolean(),
});
const attributes = fc.dictionary(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }));

describe('a frame of local', () => {
  it('is read as Docker wrote it', () => {
    expect(parse(format, ECHO_HI)).toEqual({
      source: 'stdout',
      log: Buffer.from('hi'),
      time_s: 1795413560,
      time_ns: 115380262,
      piece: 'whole',
      partial_id: undefined,
      partial_ordinal: 0,
      torn_bytes: 0,
    });
  });

  it('may be an empty last piece', () => {
    expect(parse(format, EMPTY_LAST)).toMatchObject({
      log: Buffer.alloc(0),
      piece: 'last',
      partial_id: PARTIAL_ID,
      partial_ordinal: 2,
    });
  });

  it('of any entry comes out as it was, whatever attributes stand behind it', () => {
    fc.assert(
      fc.property(entries, fc.option(partials), attributes, (whole, partial, attrs) => {
        const written: Entry = partial === null ? whole : { ...whole, partial };
        const frame = localFrame(written, attrs);
        expect(parse(format, frame)).toEqual(expected(written));
        expect(readLocalAttributes(frame, 0, frame.length)).toEqual(attrs);
      }),
    );
  });

  it('is a piece without an id where Docker stored none', () => {
    expect(parse(format, framed(`${STDOUT}${TIME}1a0168 2001`))).toMatchObject({
      piece: 'part',
      partial_id: undefined,
      partial_ordinal: 0,
    });
  });

  it('may hold fields that nobody knows yet', () => {
    const unknown = '3801 39 0102030405060708 3a03616263 3d 01020304 f8ff0701';
    const found = parse(format, framed(`${unknown}${STDOUT}${TIME}1a026869${unknown}`));
    expect(found).toMatchObject({ log: Buffer.from('hi'), piece: 'whole' });
  });

  it.each([
    ['no source', `${TIME}1a026869`],
    ['no time', `${STDOUT}1a026869`],
    ['another source', `0a067374646c6f67${TIME}`],
    ['a time before 1970', `${STDOUT}10ffffffffffffffffff01`],
    ['a time after 2106', `${STDOUT}10ffffffffffffffff7f`],
    ['a varint without end', `${STDOUT}10ffffffffffffffffffffffff01`],
    ['a log that goes on behind it', `${STDOUT}${TIME}1a036869`],
    ['a log as long as protobuf can say', `${STDOUT}${TIME}1affffffff0f6869`],
    ['a message inside that goes on behind it', `${STDOUT}${TIME}2a05 080112`],
    ['a message inside that its fields exceed', `${STDOUT}${TIME}2a02 1802 1a01 61 00`],
    ['a wire type that there is not', `${STDOUT}${TIME}1f`],
    ['a cut field', `${STDOUT}${TIME}10`],
    ['NULs', '0000000000000000'],
  ])('is none with %s', (_, message) => {
    expect(parse(format, framed(message))).toBeUndefined();
  });

  it('is refused and nothing worse, whatever it holds', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat(255), (whole, place, byte) => {
        const frame = localFrame({ ...whole, partial: { id: PARTIAL_ID, ordinal: 1, last: true } });
        frame[4 + (place % (frame.length - 8))] = byte;
        const found = parse(format, frame);
        if (found !== undefined) expect(found.log.length).toBeLessThanOrEqual(frame.length);
      }),
    );
  });
});

describe('a file of local', () => {
  const frames = [
    localFrame(entry('one')),
    localFrame(entry('two', { source: 'stderr', time_ns: 0 })),
    localFrame(entry('x'.repeat(16_384), { partial: { id: PARTIAL_ID, ordinal: 1, last: false } })),
    localFrame(entry('', { partial: { id: PARTIAL_ID, ordinal: 2, last: true } })),
  ];
  const texts = frames.map((frame) => frame.toString('latin1'));
  const file = Buffer.concat(frames);

  it('parts into its frames', () => {
    expect(entriesOf(format, file)).toEqual({ entries: texts, rest: '' });
  });

  it('has no frame that is not whole', () => {
    const [first] = frames;
    for (let end = 0; end < (first?.length ?? 0); end += 1) {
      expect(format.entryEnd(file, 0, end), `${end}`).toBe(-1);
    }
  });

  it('goes on behind a frame that was cut anywhere', () => {
    const torn = localFrame(entry('torn by a full disk'));
    for (let cut = 1; cut < torn.length; cut += 1) {
      const bytes = Buffer.concat([torn.subarray(0, cut), file]);
      expect(entriesOf(format, bytes), `cut at ${cut}`).toEqual({ entries: texts, rest: '' });
    }
  });

  it('goes on behind NULs', () => {
    for (const nuls of [1, 3, 4, 5, 4096]) {
      expect(entriesOf(format, Buffer.concat([Buffer.alloc(nuls), file])).entries).toEqual(texts);
    }
  });

  it('goes on at no place whose length cannot be one', () => {
    const false_beginning = Buffer.concat([hex('78 007fffff'), hex(STDOUT)]);
    const bytes = Buffer.concat([false_beginning, file]);
    expect(format.resync(bytes, 0, bytes.length)).toBe(false_beginning.length);
  });

  it('waits for the rest of a frame that begins behind torn bytes', () => {
    const whole = frames[0] as Buffer;
    for (let cut = 1; cut < whole.length; cut += 1) {
      const bytes = Buffer.concat([Buffer.from('torn'), whole.subarray(0, cut)]);
      const { entries: found, rest } = entriesOf(format, bytes);
      expect({ found, rest }).toEqual({ found: [], rest: whole.toString('latin1', 0, cut) });
    }
  });

  it('has no frame longer than Docker reads', () => {
    const length = (bytes: number): Buffer => {
      const frame = Buffer.alloc(16);
      frame.writeUInt32BE(bytes);
      return frame;
    };
    expect(format.entryEnd(length(1_000_000), 0, 16)).toBe(-1);
    expect(format.entryEnd(length(1_000_001), 0, 16)).toBeNaN();
    expect(format.entryEnd(length(0), 0, 16)).toBeNaN();
  });
});
