import { describe, expect, it } from 'vitest';
import type { Chunk } from '../../../src/outputs/forward/chunk.ts';
import { ChunkIds } from '../../../src/outputs/forward/chunk-id.ts';
import { storedPiece } from '../../../src/outputs/forward/pieces.ts';
import { makeChunk } from '../../../src/outputs/forward/planner.ts';
import { storedWire } from '../../../src/outputs/forward/prepare.ts';
import { REWRITE_NONE } from '../../../src/outputs/forward/rewrite-spec.ts';
import { Stragglers } from '../../../src/outputs/forward/stragglers.ts';
import { RecordSource } from '../../support/record-source.ts';

const MEMORY_BYTES = 100_000;

/** A chunk of two records that lie in a large piece of memory, ready to be sent. */
function chunkFrom(first_seq: number): Chunk {
  const memory = Buffer.from(Array.from({ length: MEMORY_BYTES }, (_, i) => i % 251));
  const source = new RecordSource();
  for (let seq = 1; seq <= first_seq + 1; seq++) {
    const body = [
      memory.subarray(seq * 10, seq * 10 + 4),
      memory.subarray(seq * 10 + 4, seq * 10 + 10),
    ];
    source.append({ body });
  }
  const pieces = source.records.slice(first_seq - 1).map(storedPiece);
  const ids = new ChunkIds({ journal_id: Buffer.alloc(16), epoch: 1, output_name: 'main' });
  const chunk = makeChunk(pieces, 'app', 0, REWRITE_NONE, ids);
  chunk.wire = storedWire(chunk);
  return chunk;
}

const memoryOf = ({ pieces, wire }: Chunk): number[] =>
  [...pieces.flatMap(({ body }) => body), ...(wire?.body ?? [])].map(
    ({ buffer }) => buffer.byteLength,
  );

const wireBytes = ({ wire }: Chunk): Buffer => Buffer.concat(wire?.body ?? []);

describe('a chunk that stays behind', () => {
  it('is copied out once it is older than the last batches, the same bytes', () => {
    const stragglers = new Stragglers(3);
    const [old, young] = [chunkFrom(1), chunkFrom(25)];
    const before = wireBytes(old);
    for (const end_seq of [10, 20, 30]) stragglers.partFrom(end_seq, [old, young]);
    expect(Math.min(...memoryOf(old))).toBe(MEMORY_BYTES);
    stragglers.partFrom(40, [old, young]);
    expect(Math.max(...memoryOf(old))).toBeLessThan(MEMORY_BYTES);
    expect(Math.min(...memoryOf(young))).toBe(MEMORY_BYTES);
    expect(wireBytes(old)).toEqual(before);
    expect(Buffer.concat(old.pieces.flatMap(({ body }) => body))).toEqual(before);
    for (const { record } of old.pieces) expect(record).not.toHaveProperty('body');
    const once = old.wire;
    old.standAlone();
    expect(old.wire).toBe(once);
  });

  it('keeps what was made for it to be sent', () => {
    const chunk = chunkFrom(1);
    const made = Buffer.from('compressed');
    chunk.wire = { tag: chunk.tag, codec: 1, body: [made], bytes: made.length, events: 2 };
    chunk.standAlone();
    expect(chunk.wire.body[0]).toBe(made);
  });
});
