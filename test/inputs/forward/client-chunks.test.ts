import { describe, expect, test } from 'vitest';
import { type AckChannel, ClientChunks } from '../../../src/inputs/forward/client-chunks.ts';
import { CHUNK_SPACE, ChunkDedup } from '../../../src/inputs/forward/dedup.ts';
import { chunkKey } from '../../../src/inputs/forward/dedup-entry.ts';
import { ForwardStats } from '../../../src/inputs/forward/stats.ts';
import { ackOf, chunkId } from '../../support/forward-server.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';

const BODY = { tag_crc: 1, body_bytes: 2, body_crc: 3 };
const never = (): boolean => false;
const always = (): boolean => true;

/** A client's chunks over a journal that commits on demand, and a socket that keeps each write. */
function setup({ acks_max = 100, dedup = new ChunkDedup() } = {}) {
  const journal = new MemoryJournal({ automatic: false, spaces: [[CHUNK_SPACE, dedup]] });
  const writes: string[] = [];
  const failures: Error[] = [];
  const written: ((error?: Error | null) => void)[] = [];
  const channel: AckChannel = {
    write: (ack, done) => {
      writes.push(ack.toString('hex'));
      written.push(done);
    },
    fail: (error) => failures.push(error),
    dropped: () => {},
    relieved: () => {},
  };
  const deps = { journal, dedup, stats: new ForwardStats(), limits: { acks_max } };
  const chunks = new ClientChunks(deps, 'host', 'msgpack', channel);
  const store = (letter: string): void =>
    chunks.accept(chunks.claim(chunks.named(chunkId(letter), BODY)));
  const socketTakesAll = (): void => {
    for (const done of written.splice(0)) done();
  };
  return { journal, dedup, chunks, writes, failures, store, socketTakesAll };
}

describe('acks', () => {
  test('leave after the commit, each in a write of its own, in the order of the chunks', () => {
    const { journal, store, writes } = setup();
    for (const letter of ['A', 'B', 'C']) store(letter);
    expect(writes).toEqual([]);
    journal.commit();
    expect(writes).toEqual(['A', 'B', 'C'].map((letter) => ackOf(chunkId(letter))));
  });

  test('of a later commit wait for it', () => {
    const { journal, store, writes } = setup();
    store('A');
    journal.commit();
    store('B');
    expect(writes).toHaveLength(1);
    journal.commit();
    expect(writes).toHaveLength(2);
  });

  test('ask the journal to hurry, and for one call a commit', () => {
    const { journal, store } = setup();
    let calls = 0;
    const onCommit = journal.onCommit.bind(journal);
    journal.onCommit = (done) => {
      calls++;
      onCommit(done);
    };
    for (const letter of ['A', 'B', 'C']) store(letter);
    expect([calls, journal.hurries]).toEqual([1, 3]);
  });

  test('that are ready wait for those before them', () => {
    const { chunks, journal, store, writes } = setup();
    const large = chunks.claim(chunks.named(chunkId('L'), BODY));
    store('A');
    chunks.acceptDurable(large);
    expect(writes).toEqual([]);
    journal.commit();
    expect(writes).toEqual([ackOf(chunkId('A')), ackOf(chunkId('L'))]);
  });

  test('of a commit that failed never leave', () => {
    const { dedup, journal, store, writes, failures } = setup();
    store('A');
    journal.fail(new Error('disk'));
    expect([writes, failures.length, dedup.pending_count]).toEqual([[], 1, 0]);
  });

  test('are owed until the socket has taken them, and no longer once the connection is closed', () => {
    const { chunks, journal, store, socketTakesAll, writes } = setup();
    store('A');
    journal.commit();
    expect(chunks.owed).toBe(1);
    socketTakesAll();
    expect(chunks.owed).toBe(0);
    store('B');
    chunks.close(false);
    journal.commit();
    expect(writes).toHaveLength(1);
  });
});

describe('what the client has received', () => {
  /** `A` is stored, durable, and its ack with the kernel. */
  function acked(options: Parameters<typeof setup>[0] = {}) {
    const client = setup(options);
    client.store('A');
    client.journal.commit();
    client.socketTakesAll();
    const delivery = (): string | undefined =>
      client.dedup.find('host', chunkKey('host', chunkId('A'), BODY))?.delivery;
    return { ...client, delivery };
  }

  test('is not known when its ack is written', () => {
    expect(acked().delivery()).toBe('written');
  });

  test('is known when it goes on', () => {
    const { chunks, delivery } = acked();
    chunks.bytesArrived();
    expect(delivery()).toBe('received');
  });

  test('is known after its orderly end', () => {
    const { chunks, delivery } = acked();
    chunks.close(true);
    expect(delivery()).toBe('received');
  });

  test('is not after its connection failed', () => {
    const { chunks, delivery } = acked();
    chunks.close(false);
    expect(delivery()).toBe('open');
  });

  test('is not when it had not waited for the ack; only much later', () => {
    const { chunks, journal, store, socketTakesAll, delivery } = acked({ acks_max: 2 });
    store('B');
    chunks.bytesArrived();
    journal.commit();
    socketTakesAll();
    chunks.bytesArrived();
    expect(delivery()).toBe('written');
    store('C');
    journal.commit();
    socketTakesAll();
    chunks.bytesArrived();
    expect(delivery()).toBe('received');
  });

  test('decides about an equal chunk under an id made from its content', () => {
    const { chunks, dedup, delivery } = acked();
    const other = setup({ dedup });
    const named = other.chunks.named(chunkId('A'), BODY);
    expect(other.chunks.takeResend(named, 1, always)).toBe(false);
    expect(other.chunks.takeResend(named, 1, never)).toBe(true);
    expect(delivery()).toBe('open');
    // The first connection's end says nothing any more: the ack goes out on the other one.
    chunks.close(true);
    expect(delivery()).toBe('open');
    expect(other.chunks.takeResend(named, 1, always)).toBe(true);
  });
});
