import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { LogboomError } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { ENTRY_1, EVENT_TIME, hex, RECORD, SAMPLES, TAG } from '../support/forward-messages.ts';
import { RecordingSink } from '../support/recording-sink.ts';

const LIMITED = {
  tag_max_bytes: 8,
  chunk_id_max_bytes: 4,
  option_max_bytes: 32,
  event_max_bytes: 100,
  message_max_bytes: 400,
  nesting_max_levels: 6,
  frame_inline_max_bytes: 64,
};

function refusal(
  stream: Buffer,
  cuts: readonly number[],
): { error: LogboomError; delivered: number } {
  const sink = new RecordingSink();
  const reader = new FrameReader(sink, LIMITED);
  let from = 0;
  try {
    for (const cut of [...cuts, stream.length]) {
      reader.feed(stream.subarray(from, cut));
      from = cut;
    }
  } catch (error) {
    const delivered = sink.deliveries.length;
    reader.feed(SAMPLES.forward);
    reader.resume();
    expect(sink.deliveries).toHaveLength(delivered);
    expect(reader.end()).toBe(false);
    if (error instanceof LogboomError) return { error, delivered };
    throw error;
  }
  throw new Error('nothing was refused');
}

const nested = (levels: number): string => `${'91'.repeat(levels)}c0`;

/** What a peer may send, its code, and words of its message. */
const REFUSED: ReadonlyArray<readonly [string, string, ErrorCode, RegExp]> = [
  ['an integer', '01', 'LB_PROTOCOL_SYNTAX', /an array, found .* 0x01/],
  ['a map', '80', 'LB_PROTOCOL_SYNTAX', /an array, found .* 0x80/],
  ['an empty array', '90', 'LB_PROTOCOL_SYNTAX', /2 to 4 elements, found 0/],
  ['an array of 1', `91${TAG}`, 'LB_PROTOCOL_SYNTAX', /2 to 4 elements, found 1/],
  ['an array of 5', `95${TAG}${EVENT_TIME}${RECORD}8080`, 'LB_PROTOCOL_SYNTAX', /found 5/],
  ['a huge array', 'ddffffffff', 'LB_PROTOCOL_SYNTAX', /found 4294967295 elements/],
  ['a tag that is no str', `9301${EVENT_TIME}${RECORD}`, 'LB_PROTOCOL_SYNTAX', /a str as tag/],
  ['a Message of 2', `92${TAG}${EVENT_TIME}`, 'LB_PROTOCOL_SYNTAX', /3 or 4 elements in Message/],
  ['a Forward of 4', `94${TAG}908080`, 'LB_PROTOCOL_SYNTAX', /2 or 3 elements in Forward/],
  ['an option that is no map', `93${TAG}90a161`, 'LB_PROTOCOL_SYNTAX', /a map or nil as option/],
  ['a chunk that is no str', `93${TAG}9081a56368756e6b01`, 'LB_PROTOCOL_SYNTAX', /option chunk/],
  [
    'an unknown codec',
    `93${TAG}9081aa636f6d70726573736564a3787a78`,
    'LB_PROTOCOL_SYNTAX',
    /found "xzx"/,
  ],
  [
    'gzip that is none',
    `93${TAG}c4026869 81aa636f6d70726573736564a4677a6970`,
    'LB_PROTOCOL_SYNTAX',
    /gzip/,
  ],
  [
    'a signal that is no number',
    `93${TAG}9081ad666c75656e745f7369676e616cff`,
    'LB_PROTOCOL_SYNTAX',
    /found -1/,
  ],
  ['the byte c1', `93${TAG}${EVENT_TIME}81a161c1`, 'LB_PROTOCOL_SYNTAX', /0xc1/],
  ['the byte c1 in a payload', `92${TAG}c401c1`, 'LB_PROTOCOL_SYNTAX', /0xc1/],
  ['the byte c1 in an entry', `92${TAG}91c1`, 'LB_PROTOCOL_SYNTAX', /0xc1/],
  [
    'a long tag',
    `93d909${'61'.repeat(9)}${EVENT_TIME}${RECORD}`,
    'LB_PROTOCOL_LIMIT',
    /9 > 8 bytes \(tag_max/,
  ],
  [
    'a tag that is only claimed',
    '93dbffffffff',
    'LB_PROTOCOL_LIMIT',
    /tag_max_bytes|message_max_bytes/,
  ],
  [
    'a long chunk id',
    `93${TAG}9081a56368756e6ba56161616161`,
    'LB_PROTOCOL_LIMIT',
    /5 > 4 .*chunk_id_max/,
  ],
  [
    'a long chunk id in Message mode',
    `94${TAG}${EVENT_TIME}8081a56368756e6ba56161616161`,
    'LB_PROTOCOL_LIMIT',
    /5 > 4/,
  ],
  [
    'a large option',
    `93${TAG}9081a161d920${'61'.repeat(32)}`,
    'LB_PROTOCOL_LIMIT',
    /37 > 32 .*option_max/,
  ],
  [
    'a payload that is only claimed',
    `92${TAG}db7fffffff`,
    'LB_PROTOCOL_LIMIT',
    /message_max_bytes/,
  ],
  [
    'a list of entries that is only claimed',
    `92${TAG}dd7fffffff`,
    'LB_PROTOCOL_LIMIT',
    /message_max_bytes/,
  ],
  [
    'a map that is only claimed',
    `93${TAG}${EVENT_TIME}df7fffffff`,
    'LB_PROTOCOL_LIMIT',
    /_max_bytes/,
  ],
  [
    'a str that is only claimed',
    `93${TAG}${EVENT_TIME}81a161db7fffffff`,
    'LB_PROTOCOL_LIMIT',
    /_max_bytes/,
  ],
  [
    'a large event',
    `93${TAG}${EVENT_TIME}81a161d964${'61'.repeat(100)}`,
    'LB_PROTOCOL_LIMIT',
    /event_max/,
  ],
  [
    'a large entry',
    `92${TAG}9192${EVENT_TIME}81a161d964${'61'.repeat(100)}`,
    'LB_PROTOCOL_LIMIT',
    /event_max/,
  ],
  ['many entries', `92${TAG}dc0020${ENTRY_1.repeat(32)}`, 'LB_PROTOCOL_LIMIT', /message_max_bytes/],
  [
    'levels in a record',
    `93${TAG}${EVENT_TIME}81a161${nested(5)}`,
    'LB_PROTOCOL_LIMIT',
    /nesting_max_levels/,
  ],
  [
    'levels in an entry',
    `92${TAG}9192${EVENT_TIME}81a161${nested(3)}`,
    'LB_PROTOCOL_LIMIT',
    /nesting_max_levels/,
  ],
];

describe('what is refused', () => {
  it.each(REFUSED)('%s', (_name, bytes, code, message) => {
    const stream = hex(`${SAMPLES.message_golang.toString('hex')}${bytes}`);
    const { error, delivered } = refusal(stream, []);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(
      `begins at byte ${SAMPLES.message_golang.length} of the stream`,
    );
    expect(delivered).toBe(1);
  });

  it.each(REFUSED)('%s, wherever it is cut', (_name, bytes, code) => {
    const stream = hex(`${SAMPLES.message_golang.toString('hex')}${bytes}`);
    for (let cut = 1; cut < stream.length; cut += 1) {
      const { error, delivered } = refusal(stream, [cut]);
      expect([error.code, delivered]).toEqual([code, 1]);
    }
    const { error } = refusal(stream, Array.from(stream.keys()).slice(1));
    expect(error.code).toBe(code);
  });
});

describe('what is just within the limits', () => {
  it.each([
    ['a tag', `93a8${'61'.repeat(8)}${EVENT_TIME}${RECORD}`],
    ['a chunk id', `93${TAG}9081a56368756e6ba461616161`],
    ['an option', `93${TAG}9081a161d91b${'61'.repeat(27)}`],
    ['levels in a record', `93${TAG}${EVENT_TIME}81a161${nested(4)}`],
    ['levels in an entry', `92${TAG}9192${EVENT_TIME}81a161${nested(2)}`],
    ['an event', `93${TAG}${EVENT_TIME}81a161d950${'61'.repeat(80)}`],
  ])('is taken: %s', (_name, bytes) => {
    const stream = hex(bytes);
    for (let cut = 1; cut < stream.length; cut += 1) {
      const sink = new RecordingSink();
      const reader = new FrameReader(sink, LIMITED);
      reader.feed(stream.subarray(0, cut));
      reader.feed(stream.subarray(cut));
      expect(sink.deliveries).toHaveLength(1);
    }
  });
});

describe('a length that is only claimed', () => {
  it('costs no memory', () => {
    const sink = new RecordingSink();
    const reader = new FrameReader(sink, LIMITS);
    reader.feed(hex(`92${TAG}db10000000`));
    reader.feed(hex(ENTRY_1));
    expect(reader.held_bytes).toBeLessThan(4096);
  });
});

it('an error of the sink comes out as it is, and the reader is dead', () => {
  const sink = new RecordingSink();
  const reader = new FrameReader(sink, LIMITS);
  const failure = new LogboomError('LB_JOURNAL_CLOSED', 'closed');
  sink.onDelivery = () => {
    throw failure;
  };
  expect(() => reader.feed(SAMPLES.forward)).toThrow(failure);
  expect(() => reader.feed(SAMPLES.forward)).not.toThrow();
});

it('refuses limits that leave no room for the head of a message', () => {
  const limits = { ...LIMITS, frame_inline_max_bytes: LIMITS.tag_max_bytes };
  expect(() => new FrameReader(new RecordingSink(), limits)).toThrow(RangeError);
});
