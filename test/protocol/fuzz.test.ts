import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogboomError } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import { AckParser } from '../../src/protocol/ack.ts';
import { createReader } from '../../src/protocol/create-reader.ts';
import { decodeEvents } from '../../src/protocol/event.ts';
import { HandshakeReader } from '../../src/protocol/handshake.ts';
import { checkPing } from '../../src/protocol/handshake-server.ts';
import { SAMPLE_NAMES, SAMPLES } from '../support/forward-messages.ts';
import { RecordingSink } from '../support/recording-sink.ts';

const LOW = { ...LIMITS, tag_max_bytes: 16, frame_inline_max_bytes: 48, event_max_bytes: 4096 };
const NEIGHBOUR = Buffer.concat(SAMPLE_NAMES.map((name) => SAMPLES[name]));
const JSON_STREAM = Buffer.from(
  '["app",1,{"log":"h\\u00e9"}]["app",[[1.5,{"a":[1,{}]}]],{"chunk":"x"}]',
);

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));

/** A valid stream with some bytes replaced, removed or put in. */
const mutated = (stream: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .array(
      fc.record({
        at: fc.nat(stream.length - 1),
        removed: fc.nat(3),
        put: fc.uint8Array({ maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((edits) =>
      edits.reduce(
        (buf, { at, removed, put }) =>
          Buffer.concat([buf.subarray(0, at), put, buf.subarray(at + removed)]),
        stream,
      ),
    );

/**
 * What comes of a stream: what was delivered, and whether that was all. A faulty
 * message may be refused before its last byte or behind it, as the cuts have it;
 * so being refused and being cut off are one here.
 */
function outcome(stream: Buffer, chunk_bytes: number): unknown {
  const sink = new RecordingSink();
  const reader = createReader(stream[0] ?? 0, sink, LOW);
  const { deliveries } = sink;
  try {
    for (let at = 0; at < stream.length; at += chunk_bytes) {
      reader.feed(stream.subarray(at, at + chunk_bytes));
    }
    return { deliveries, clean: !reader.end() };
  } catch (error) {
    if (error instanceof LogboomError) return { deliveries, clean: false };
    throw error;
  }
}

function onlyOwnErrors(run: () => void): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(LogboomError);
  }
}

describe('hostile bytes', () => {
  it.each([
    ['random', bytes],
    ['Forward, mutated', mutated(NEIGHBOUR)],
    ['JSON, mutated', mutated(JSON_STREAM)],
  ])('%s: only our own errors escape, and cutting changes nothing', (_name, streams) => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 60 }), (stream, chunk_bytes) => {
        expect(outcome(stream, chunk_bytes)).toEqual(outcome(stream, stream.length || 1));
      }),
      { numRuns: 1000 },
    );
  });

  it('leave the reader of another connection unharmed', () => {
    const expected = outcome(NEIGHBOUR, NEIGHBOUR.length);
    fc.assert(
      fc.property(mutated(NEIGHBOUR), (stream) => {
        const sink = new RecordingSink();
        const neighbour = createReader(NEIGHBOUR[0] as number, sink, LOW);
        neighbour.feed(NEIGHBOUR.subarray(0, 100));
        outcome(stream, 64);
        neighbour.feed(NEIGHBOUR.subarray(100));
        expect({ deliveries: sink.deliveries, clean: !neighbour.end() }).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('what was delivered as entries can be decoded', () => {
    fc.assert(
      fc.property(mutated(NEIGHBOUR), (stream) => {
        const sink = new RecordingSink();
        const reader = createReader(0x94, sink, LIMITS);
        onlyOwnErrors(() => reader.feed(stream));
        for (const { body, codec, attrs, count } of sink.deliveries) {
          if (codec !== 0 || attrs >> 8 !== 0) continue;
          const events = [...decodeEvents([Buffer.from(body, 'hex')], { markers: true })];
          expect(events).toHaveLength(count);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('as acks and handshakes let only our own errors escape', () => {
    const challenge = { nonce: Buffer.alloc(16), auth: Buffer.alloc(16) };
    const secrets = { hostname: 'server', shared_key: 'key', users: new Map([['a', 'b']]) };
    const ack = Buffer.from('82a178c0a361636ba3616263', 'hex');
    const ping = Buffer.from('96a450494e47a163a173a164a175a170', 'hex');
    fc.assert(
      fc.property(fc.oneof(bytes, mutated(ack), mutated(ping)), (stream) => {
        onlyOwnErrors(() => new AckParser().feed(stream));
        onlyOwnErrors(() => {
          const whole = new HandshakeReader(8192).feed(stream);
          if (whole !== undefined) checkPing(whole.message, challenge, secrets);
        });
      }),
      { numRuns: 1000 },
    );
  });
});
