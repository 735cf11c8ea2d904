import { describe, expect, it } from 'vitest';
import { decodeEvents } from '../../src/protocol/event.ts';
import { rewriteEntries } from '../../src/protocol/rewrite-entries.ts';
import { countEntries, sliceEntries } from '../../src/protocol/slice-entries.ts';
import {
  ENTRIES,
  ENTRY_1,
  ENTRY_2,
  EVENT_TIME,
  hex,
  METADATA_ENTRY,
  RECORD,
  SAMPLES,
} from '../support/forward-messages.ts';

const WITH_METADATA = `9292${EVENT_TIME}81a16b01${RECORD}`;
const MARKERS = SAMPLES.group_markers.subarray(6).toString('hex');
const KEEP = { metadata: 'keep', markers: 'keep' } as const;
const rewriteOf = (entries: string, rewrite: Parameters<typeof rewriteEntries>[1]) =>
  rewriteEntries([hex(entries)], rewrite);

describe('rewriteEntries', () => {
  it('keeps entries as they are when nothing is asked of it', () => {
    const entries = `${ENTRIES}${METADATA_ENTRY}${WITH_METADATA}${MARKERS}`;
    const { body, count } = rewriteOf(entries, KEEP);
    expect(body.toString('hex')).toBe(entries);
    expect(count).toBe(7);
  });

  it('makes classic entries, and counts the metadata that said something', () => {
    const { body, metadata_dropped } = rewriteOf(`${METADATA_ENTRY}${WITH_METADATA}${ENTRY_2}`, {
      metadata: 'drop',
      markers: 'keep',
    });
    expect(body.toString('hex')).toBe(`${ENTRY_1}${ENTRY_1}${ENTRY_2}`);
    expect(metadata_dropped).toBe(1);
  });

  it('moves metadata into the record under a key', () => {
    const { body } = rewriteOf(`${WITH_METADATA}${METADATA_ENTRY}`, {
      metadata: { key: 'meta' },
      markers: 'keep',
    });
    const records = [...decodeEvents([body])].map((event) => event.record);
    expect(records).toEqual([{ log: 'hi', meta: { k: 1 } }, { log: 'hi' }]);
  });

  it('leaves group markers out and counts them', () => {
    const rewritten = rewriteOf(MARKERS, { metadata: 'drop', markers: 'drop' });
    expect(rewritten).toMatchObject({ count: 1, markers_dropped: 2 });
    expect(rewritten.body.toString('hex')).toBe(ENTRY_1);
  });

  it('adds fields, but never over one that the record has', () => {
    const add = [
      ['host', hex('a17a')],
      ['log', hex('a17a')],
    ] as const;
    const { body } = rewriteOf(ENTRIES, { ...KEEP, add });
    const records = [...decodeEvents([body])].map((event) => event.record);
    expect(records).toEqual([
      { log: 'hi', host: 'z' },
      { log: 'yo', host: 'z' },
    ]);
  });

  it('adds a field to a record of 15', () => {
    const pairs = Array.from({ length: 15 }, (_, i) => `a161${i.toString(16).padStart(2, '0')}`);
    const { body } = rewriteOf(`92018f${pairs.join('')}`, { ...KEEP, add: [['b', hex('01')]] });
    expect(body.toString('hex')).toBe(`9201de0010${pairs.join('')}a16201`);
  });
});

describe('sliceEntries', () => {
  const entries = Array.from({ length: 7 }, (_, i) => (i % 2 === 0 ? ENTRY_1 : METADATA_ENTRY));
  const body = hex(entries.join(''));
  const cutInto = (piece_bytes: number): Buffer[] =>
    Array.from({ length: Math.ceil(body.length / piece_bytes) }, (_, i) =>
      body.subarray(i * piece_bytes, (i + 1) * piece_bytes),
    );

  it.each([1, 7, 20, 1000])('finds every range in pieces of %i bytes', (piece_bytes) => {
    const pieces = cutInto(piece_bytes);
    for (let from = 0; from <= 7; from += 1) {
      for (let to = from; to <= 8; to += 1) {
        const slice = Buffer.concat(sliceEntries(pieces, from, to)).toString('hex');
        expect(slice).toBe(entries.slice(from, to).join(''));
      }
    }
    expect(countEntries(pieces)).toBe(7);
  });

  it('copies nothing', () => {
    const [slice] = sliceEntries([body], 1, 3);
    expect(slice?.buffer).toBe(body.buffer);
  });
});
