import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../../src/journal/types.ts';
import { withoutNeighbours } from '../../../src/outputs/forward/neighbours.ts';
import { RecordSource } from '../../support/record-source.ts';

/** Records of 100 bytes in one piece of memory, every tenth with the tag `rare`. */
function readTogether(): JournalRecord[] {
  const memory = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
  const source = new RecordSource();
  for (let i = 0; i < 100; i++) {
    const tag = i % 10 === 0 ? 'rare' : 'common';
    const start = i * 100;
    const body = [memory.subarray(start, start + 40), memory.subarray(start + 40, start + 100)];
    source.append({ tag, body, count: i });
  }
  return source.records;
}

const isOf = (tag: string) => (record: JournalRecord) => record.tag.toString() === tag;

describe("records among many that are not the output's own", () => {
  it('are copied out, the same in all but their memory', () => {
    const records = readTogether();
    const own = withoutNeighbours(records, isOf('rare'));
    expect(own).toHaveLength(100);
    for (const [index, record] of records.entries()) {
      const found = own[index];
      if (index % 10 !== 0) expect(found).toBeUndefined();
      else {
        expect(found).toEqual({ ...record, body: [Buffer.concat(record.body)] });
        expect(found?.body.map(({ buffer }) => buffer.byteLength)).toEqual([100]);
      }
    }
  });

  it('stay as they are where they are the most', () => {
    const records = readTogether();
    const own = withoutNeighbours(records, isOf('common'));
    expect(own).toEqual(records.map((record, i) => (i % 10 === 0 ? undefined : record)));
    expect(own[1]).toBe(records[1]);
    expect(withoutNeighbours([], isOf('rare'))).toEqual([]);
  });
});
