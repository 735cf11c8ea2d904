import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogboomError } from '../../../../src/errors.ts';
import {
  decodeEntry,
  decodeSnapshot,
  encodeChange,
  encodeForget,
  encodeSnapshot,
  KIND,
  type MergeChange,
} from '../../../../src/inputs/docker/merge/merge-codec.ts';
import { MergeStates } from '../../../../src/inputs/docker/merge/merge-states.ts';
import type { LaneChange } from '../../../../src/inputs/docker/merge/reconcile.ts';
import type { LogPlace } from '../../../../src/inputs/logfile/types.ts';

const U48_MAX = 2 ** 48 - 1;
const U32_MAX = 2 ** 32 - 1;
const KEY_MAX = 2 ** 53 - 1;

const NO_CHANGE: LaneChange = {
  ahead_first: 0,
  ahead_added: [],
  ahead_taken: [],
  seen: undefined,
};

/** Written by version 1. */
const PINNED = `
  01 77000000
  01 ${'ab'.repeat(32)}
  010203040506 000000001000 deadbeef
  01 010203040506 000000000400 0000cafe
  070000000000 03000000 ffffffffffff3f43 000000000000f87f 0000000000002840 00000000
  00 000000000000 00000000 00000000
`.replace(/\s+/g, '');

const place: fc.Arbitrary<LogPlace> = fc.record({
  fingerprint: fc.nat(U48_MAX),
  offset: fc.nat(U48_MAX),
  check: fc.nat(U32_MAX),
});

const lane: fc.Arbitrary<LaneChange> = fc
  .record({
    ahead_first: fc.nat(2 ** 40),
    ahead_added: fc.array(fc.oneof(fc.nat(KEY_MAX), fc.constant(Number.NaN)), { maxLength: 20 }),
    taken: fc.array(fc.nat(U32_MAX), { maxLength: 20 }),
    seen: fc.option(place, { nil: undefined }),
  })
  .map(({ taken, ...rest }) => {
    return { ...rest, ahead_taken: taken.map((behind) => rest.ahead_first + behind) };
  });

const change: fc.Arbitrary<MergeChange> = fc.record({
  container_id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((id) => {
    return Buffer.from(id).toString('hex');
  }),
  journaled: place,
  lanes: fc.tuple(lane, lane),
});

/** What may come of damaged bytes: something else, or a plain word about it. */
const EXPECTED = [undefined, 'LB_JOURNAL_CORRUPT', 'LB_JOURNAL_VERSION'];

/** What `decode` throws. */
function codeOf(decode: () => unknown): string | undefined {
  try {
    decode();
  } catch (error) {
    return error instanceof LogboomError ? error.code : String(error);
  }
  return undefined;
}

describe('an entry of the merge', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(change, (written) => {
        expect(decodeEntry(encodeChange(written))).toEqual({ kind: KIND.change, change: written });
      }),
    );
  });

  it('that forgets a container names it', () => {
    const container_id = '0123456789abcdef'.repeat(4);
    expect(decodeEntry(encodeForget(container_id))).toEqual({ kind: KIND.forget, container_id });
  });

  it('that is cut anywhere is corrupt', () => {
    fc.assert(
      fc.property(change, fc.nat(), (written, at) => {
        const bytes = encodeChange(written);
        const cut = bytes.subarray(0, at % bytes.length);
        expect(codeOf(() => decodeEntry(cut))).toBe('LB_JOURNAL_CORRUPT');
      }),
    );
  });

  it('that is damaged is corrupt or another entry, and nothing worse', () => {
    fc.assert(
      fc.property(change, fc.nat(), fc.nat(255), (written, at, byte) => {
        const bytes = encodeChange(written);
        bytes[at % bytes.length] = byte;
        expect(EXPECTED).toContain(codeOf(() => decodeEntry(bytes)));
      }),
    );
  });

  it('may not be any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(EXPECTED).toContain(codeOf(() => decodeEntry(Buffer.from(bytes))));
      }),
    );
  });

  it('of a kind that is not known is from a newer version', () => {
    const bytes = encodeForget('ab'.repeat(32));
    bytes[0] = 3;
    expect(codeOf(() => decodeEntry(bytes))).toBe('LB_JOURNAL_VERSION');
  });

  it('does not make room for more keys than it has bytes', () => {
    const bytes = encodeChange({
      container_id: 'ab'.repeat(32),
      journaled: { fingerprint: 1, offset: 2, check: 3 },
      lanes: [NO_CHANGE, NO_CHANGE],
    });
    bytes.writeUInt32LE(U32_MAX, 33 + 16 + 7);
    expect(codeOf(() => decodeEntry(bytes))).toBe('LB_JOURNAL_CORRUPT');
  });
});

describe('a snapshot of the merge', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
        const entries = changes.map((one) => ({ kind: KIND.change, change: one }));
        expect(decodeSnapshot(encodeSnapshot(changes))).toEqual(entries);
      }),
    );
  });

  it('that is damaged or cut is corrupt or another one, and nothing worse', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), fc.nat(), fc.nat(255), (all, at, byte) => {
        const bytes = encodeSnapshot(all);
        const cut = bytes.subarray(0, at % (bytes.length + 1));
        bytes[at % bytes.length] = byte;
        for (const damaged of [bytes, cut]) {
          expect(EXPECTED).toContain(codeOf(() => decodeSnapshot(damaged)));
        }
      }),
    );
  });

  it('of nothing at all is corrupt, and one of a newer version is called that', () => {
    expect(codeOf(() => decodeSnapshot(Buffer.alloc(0)))).toBe('LB_JOURNAL_CORRUPT');
    expect(codeOf(() => decodeSnapshot(Buffer.of(2)))).toBe('LB_JOURNAL_VERSION');
    expect(decodeSnapshot(Buffer.of(1))).toEqual([]);
  });

  it('that an older logboom wrote is read for ever', () => {
    const states = new MergeStates();
    states.restore(Buffer.from(PINNED, 'hex'));
    expect([...states.ids()]).toEqual(['ab'.repeat(32)]);
    expect(states.get('ab'.repeat(32))).toEqual({
      journaled: { fingerprint: 0x010203040506, offset: 4096, check: 0xdeadbeef },
      lanes: [
        {
          ahead_first: 7,
          ahead: [KEY_MAX, Number.NaN, 12],
          seen: { fingerprint: 0x010203040506, offset: 1024, check: 0xcafe },
        },
        { ahead_first: 0, ahead: [], seen: undefined },
      ],
    });
    expect(states.snapshot().toString('hex')).toBe(PINNED);
  });
});

describe('states that changes are applied to', () => {
  it('are the same after a snapshot at any point', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(), (all, at) => {
        // One container, whose first number only grows, as a lane has it.
        let first = 0;
        const entries = all.map((one) => {
          const lanes = one.lanes.map((of_one) => {
            first += of_one.ahead_added.length % 3;
            return { ...of_one, ahead_first: first, ahead_taken: [] };
          });
          const [stdout = NO_CHANGE, stderr = NO_CHANGE] = lanes;
          return encodeChange({ ...one, container_id: 'cd'.repeat(32), lanes: [stdout, stderr] });
        });
        const whole = new MergeStates();
        const [before, behind] = [new MergeStates(), new MergeStates()];
        for (const entry of entries) whole.apply(entry);
        for (const entry of entries.slice(0, at % entries.length)) before.apply(entry);
        behind.restore(before.snapshot());
        for (const entry of entries.slice(at % entries.length)) behind.apply(entry);
        expect(behind.snapshot()).toEqual(whole.snapshot());
      }),
    );
  });

  it('forget a container', () => {
    const states = new MergeStates();
    states.restore(Buffer.from(PINNED, 'hex'));
    states.apply(encodeForget('ab'.repeat(32)));
    expect([...states.ids()]).toEqual([]);
  });
});
