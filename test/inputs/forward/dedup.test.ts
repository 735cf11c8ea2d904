import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkDedup, type DedupLimits, senderKey } from '../../../src/inputs/forward/dedup.ts';
import {
  type ChunkBody,
  chunkKey,
  decodeEntry,
  decodeSnapshot,
  encodeEntry,
  encodeSnapshot,
} from '../../../src/inputs/forward/dedup-entry.ts';
import type { HeldChunk } from '../../../src/inputs/forward/sender-window.ts';

const LIMITS: DedupLimits = { sender_max_ids: 4, max_ids: 12, max_senders: 3 };
const body = (crc: number): ChunkBody => ({ tag_crc: 1, body_bytes: 100, body_crc: crc });
const keyOf = (sender: string, id: string, crc = 7): string =>
  chunkKey(sender, Buffer.from(id), body(crc));

/** Stores a chunk as a connection does; returns its journal entry. */
function store(
  dedup: ChunkDedup,
  sender: string,
  id: string,
  { connection = dedup.newConnection(), settles = false, crc = 7 } = {},
): Buffer {
  const { entry } = dedup.begin(sender, keyOf(sender, id, crc), connection, settles);
  dedup.apply(entry);
  return entry;
}

const find = (dedup: ChunkDedup, sender: string, id: string, crc = 7): HeldChunk | undefined =>
  dedup.find(sender, keyOf(sender, id, crc));

function reopened(dedup: ChunkDedup, ...entries: Buffer[]): ChunkDedup {
  const again = new ChunkDedup(LIMITS);
  again.restore(dedup.snapshot());
  for (const entry of entries) again.apply(entry);
  return again;
}

describe('a chunk', () => {
  test('is pending until its commit is durable, and only then in a snapshot', () => {
    const dedup = new ChunkDedup(LIMITS);
    const { chunk, entry } = dedup.begin('host', keyOf('host', 'id'), dedup.newConnection(), false);
    expect(find(dedup, 'host', 'id')).toBe(chunk);
    expect(find(reopened(dedup), 'host', 'id')).toBeUndefined();
    dedup.apply(entry);
    expect(find(dedup, 'host', 'id')).toBe(chunk);
    expect(find(reopened(dedup), 'host', 'id')).toMatchObject({ key: chunk.key, delivery: 'open' });
  });

  test('whose commit failed is as if it had never come, and those who wait for it learn it', () => {
    const dedup = new ChunkDedup(LIMITS);
    const { chunk } = dedup.begin('host', keyOf('host', 'id'), dedup.newConnection(), false);
    const heard: unknown[] = [];
    dedup.whenDurable(chunk, (error) => heard.push(error));
    const error = new Error('disk');
    dedup.abandon(chunk, error);
    expect(heard).toEqual([error]);
    expect(find(dedup, 'host', 'id')).toBeUndefined();
  });

  test('calls those who wait for it when it is durable, or at once if it is', () => {
    const dedup = new ChunkDedup(LIMITS);
    const { chunk, entry } = dedup.begin('host', keyOf('host', 'id'), dedup.newConnection(), false);
    const heard: string[] = [];
    dedup.whenDurable(chunk, () => heard.push('first'));
    expect(heard).toEqual([]);
    dedup.apply(entry);
    dedup.whenDurable(chunk, () => heard.push('second'));
    expect(heard).toEqual(['first', 'second']);
  });

  test('is known by its sender: the same id of another one is another chunk', () => {
    const dedup = new ChunkDedup(LIMITS);
    store(dedup, 'one', 'id');
    expect(find(dedup, 'two', 'id')).toBeUndefined();
  });

  test('gives way to a later one of the same id and body', () => {
    const dedup = new ChunkDedup(LIMITS);
    store(dedup, 'host', 'id');
    const { connection } = decodeEntry(store(dedup, 'host', 'id'));
    expect(find(dedup, 'host', 'id')?.connection).toBe(connection);
    expect(dedup.held_count).toBe(1);
  });

  test('is known by its body too: another one under its id does not take its place', () => {
    const dedup = new ChunkDedup(LIMITS);
    store(dedup, 'host', 'id', { crc: 7 });
    const later = store(dedup, 'host', 'id', { crc: 8 });
    for (const known of [dedup, reopened(dedup), reopened(dedup, later)]) {
      expect(find(known, 'host', 'id', 7)).toMatchObject({ key: keyOf('host', 'id', 7) });
      expect(find(known, 'host', 'id', 8)).toMatchObject({ key: keyOf('host', 'id', 8) });
      expect(known.held_count).toBe(2);
    }
    const others = [{ body_crc: 9 }, { body_bytes: 101 }, { tag_crc: 2 }];
    for (const other of others) {
      const key = chunkKey('host', Buffer.from('id'), { ...body(7), ...other });
      expect(dedup.find('host', key)).toBeUndefined();
    }
  });

  test('waits for its own commit, not for that of another body under its id', () => {
    const dedup = new ChunkDedup(LIMITS);
    const connection = dedup.newConnection();
    const first = dedup.begin('host', keyOf('host', 'id'), connection, false);
    const second = dedup.begin('host', keyOf('host', 'id', 8), connection, false);
    const heard: string[] = [];
    dedup.whenDurable(first.chunk, () => heard.push('first'));
    dedup.whenDurable(second.chunk, () => heard.push('second'));
    dedup.apply(second.entry);
    expect(heard).toEqual(['second']);
    dedup.apply(first.entry);
    expect(heard).toEqual(['second', 'first']);
    expect(find(dedup, 'host', 'id', 7)).toBe(first.chunk);
  });
});

describe('after a restart', () => {
  test('chunks are found from the snapshot and the entries behind it', () => {
    const dedup = new ChunkDedup(LIMITS);
    store(dedup, 'host', 'a');
    const snapshot = dedup.snapshot();
    const b = store(dedup, 'host', 'b');
    const again = new ChunkDedup(LIMITS);
    again.restore(snapshot);
    again.apply(b);
    expect(find(again, 'host', 'a')).toMatchObject({ delivery: 'open' });
    expect(find(again, 'host', 'b')).toMatchObject({ delivery: 'open' });
  });

  test('an earlier chunk counts as received if the client went on behind it', () => {
    const dedup = new ChunkDedup(LIMITS);
    const connection = dedup.newConnection();
    store(dedup, 'host', 'a', { connection });
    const snapshot = dedup.snapshot();
    const b = store(dedup, 'host', 'b', { connection, settles: true });
    const again = new ChunkDedup(LIMITS);
    again.restore(snapshot);
    again.apply(b);
    expect(find(again, 'host', 'a')?.delivery).toBe('received');
    expect(find(again, 'host', 'b')?.delivery).toBe('open');
  });

  test('connections get numbers that no earlier one had', () => {
    const dedup = new ChunkDedup(LIMITS);
    const connection = dedup.newConnection();
    const entry = store(dedup, 'host', 'a', { connection });
    const again = new ChunkDedup(LIMITS);
    again.restore(undefined);
    again.apply(entry);
    expect(again.newConnection()).toBeGreaterThan(connection);
    expect(reopened(dedup).newConnection()).toBeGreaterThan(connection);
  });

  test('received chunks stay received', () => {
    const dedup = new ChunkDedup(LIMITS);
    store(dedup, 'host', 'a');
    const chunk = find(dedup, 'host', 'a');
    if (chunk !== undefined) dedup.settle(chunk);
    expect(find(reopened(dedup), 'host', 'a')?.delivery).toBe('received');
  });
});

describe('the window', () => {
  test('of a sender keeps the chunks whose ack it may lack, however many others come', () => {
    const dedup = new ChunkDedup(LIMITS);
    store(dedup, 'host', 'lost');
    for (let i = 0; i < 100; i++) {
      store(dedup, 'host', `n${i}`);
      const chunk = find(dedup, 'host', `n${i}`);
      if (chunk !== undefined) dedup.settle(chunk);
    }
    expect(find(dedup, 'host', 'lost')).toBeDefined();
    expect(dedup.held_count).toBe(1 + LIMITS.sender_max_ids);
  });

  test('of a sender that never takes an ack is bounded', () => {
    const dedup = new ChunkDedup(LIMITS);
    for (let i = 0; i < 100; i++) store(dedup, 'host', `n${i}`);
    expect(dedup.held_count).toBe(LIMITS.sender_max_ids);
    expect(find(dedup, 'host', 'n99')).toBeDefined();
    expect(find(dedup, 'host', 'n0')).toBeUndefined();
  });

  test('of all senders is bounded: the one with the most loses first', () => {
    const dedup = new ChunkDedup({ sender_max_ids: 100, max_ids: 10, max_senders: 3 });
    store(dedup, 'small', 'kept');
    for (let i = 0; i < 50; i++) store(dedup, 'flood', `n${i}`);
    expect(dedup.held_count).toBe(10);
    expect(find(dedup, 'small', 'kept')).toBeDefined();
  });

  test('forgets the sender that was silent for longest', () => {
    const dedup = new ChunkDedup(LIMITS);
    for (const sender of ['a', 'b', 'c', 'd']) store(dedup, sender, 'id');
    expect(find(dedup, 'a', 'id')).toBeUndefined();
    expect(find(dedup, 'd', 'id')).toBeDefined();
    expect(dedup.held_count).toBe(3);
  });
});

describe('what is written down', () => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const latin1 = (maxLength: number): fc.Arbitrary<string> =>
    fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const entries = fc
    .record({
      sender: latin1(255),
      id: fc.uint8Array({ maxLength: 256 }),
      body: fc.record({ tag_crc: u32, body_bytes: u32, body_crc: u32 }),
      connection: u32,
      received: fc.boolean(),
      settles: fc.boolean(),
    })
    .map(({ id, body, ...entry }) => ({
      ...entry,
      key: chunkKey(entry.sender, Buffer.from(id), body),
    }));

  test('has the bytes that earlier versions wrote', () => {
    const key = chunkKey('ab', Buffer.from('xyz'), { tag_crc: 2, body_bytes: 3, body_crc: 4 });
    const entry = { key, sender: 'ab', connection: 1, received: false, settles: true };
    expect(encodeEntry(entry).toString('hex')).toBe(
      '020000000100000002000000030000000402616278797a',
    );
  });

  test('is read back as it was', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 20 }), u32, (chunks, next_connection) => {
        for (const chunk of chunks) expect(decodeEntry(encodeEntry(chunk))).toEqual(chunk);
        const window = { next_connection, entries: chunks };
        expect(decodeSnapshot(encodeSnapshot(window))).toEqual(window);
      }),
    );
  });

  test('and damaged lets only our own errors out', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const codes = /^LB_JOURNAL_(CORRUPT|VERSION)$/;
        for (const decode of [decodeEntry, decodeSnapshot]) {
          try {
            decode(Buffer.from(bytes));
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(codes) });
          }
        }
      }),
    );
  });

  test('names even the longest sender within its bounds, and each differently', () => {
    const [a, b] = [senderKey('x'.repeat(5000)), senderKey('x'.repeat(5001))];
    expect(a.length).toBeLessThanOrEqual(255);
    expect(a).not.toBe(b);
  });
});
