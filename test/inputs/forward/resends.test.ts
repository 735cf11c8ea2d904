import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ChunkDedup } from '../../../src/inputs/forward/dedup.ts';
import { numbered } from '../../support/entries.ts';
import { ENTRIES, ENTRY_1, ENTRY_2, hex, SAMPLES, TAG } from '../../support/forward-messages.ts';
import { ackOf, chunkId, type TestServer } from '../../support/forward-server.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const start = useForwardServer();

/** Docker's ids hold a time: never taken for a digest. */
const ID = Buffer.from('Z2FiAAAAAAAAAAAAAAAAAAA=').subarray(0, 24);
const ACK = ackOf(ID);
const ACK_BYTES = ACK.length / 2;
const option = (id: Buffer): string => `81a56368756e6bb8${id.toString('hex')}`;
const message = (id: Buffer = ID, entry = ENTRY_1): Buffer =>
  hex(`94${TAG}${entry.slice(2)}${option(id)}`);

describe('the re-send of a chunk that is held', () => {
  test('on a new connection is acked, dropped and counted by client', async () => {
    const { connect, journal, ledger, server } = await start();
    const first = await connect();
    first.send(message());
    await first.receive(ACK_BYTES);
    first.destroy();
    const second = await connect();
    second.send(message());
    expect(await second.receive(ACK_BYTES)).toBe(ACK);
    expect(journal.events).toBe(1);
    expect(server.stats.resends_dropped).toBe(1);
    expect(ledger.toJSON()).toEqual({ resent: { '127.0.0.1': 1 } });
  });

  test('waits for the first one whose commit is under way', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const first = await connect();
    first.send(message());
    await until('the chunk', () => server.stats.events_in === 1);
    first.destroy();
    const second = await connect();
    second.send(message());
    await until('the re-send', () => server.stats.resends_dropped === 1);
    expect(second.hex).toBe('');
    journal.commit();
    expect(await second.receive(ACK_BYTES)).toBe(ACK);
    expect(journal.events).toBe(1);
  });

  test('whose first commit fails is not acked, so that the client sends it again', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const first = await connect();
    first.send(message());
    await until('the chunk', () => server.stats.events_in === 1);
    const second = await connect();
    second.send(message());
    await until('the re-send', () => server.stats.resends_dropped === 1);
    journal.fail(new Error('fdatasync failed'));
    await second.untilClosed();
    expect(second.hex).toBe('');
  });

  test('is known after a restart', async () => {
    const before = await start();
    const first = await before.connect();
    first.send(message());
    await first.receive(ACK_BYTES);
    const dedup = new ChunkDedup();
    dedup.restore(before.dedup.snapshot());
    const after = await start({ dedup });
    const second = await after.connect();
    second.send(message());
    expect(await second.receive(ACK_BYTES)).toBe(ACK);
    expect(after.journal.events).toBe(0);
  });

  test('keeps its place in the order of acks', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const first = await connect();
    first.send(message());
    await until('the chunk', () => server.stats.events_in === 1);
    journal.commit();
    await first.receive(ACK_BYTES);
    const second = await connect();
    const other = chunkId('C');
    second.send(Buffer.concat([message(other), message()]));
    await until('the re-send', () => server.stats.resends_dropped === 1);
    expect(second.hex).toBe('');
    journal.commit();
    expect(await second.receive(2 * ACK_BYTES)).toBe(ackOf(other) + ACK);
  });

  test('of a large message is dropped as well', async () => {
    const { connect, journal } = await start({ limits: { frame_inline_max_bytes: 8192 } });
    const payload = numbered(0, 2000);
    const head = hex(`93${TAG}c600000000`);
    head.writeUInt32BE(payload.length, head.length - 4);
    const large = Buffer.concat([head, payload, hex(option(ID))]);
    for (let i = 0; i < 2; i++) {
      const client = await connect();
      client.send(large);
      expect(await client.receive(ACK_BYTES)).toBe(ACK);
      client.destroy();
    }
    expect(journal.events).toBe(2000);
  });
});

describe('a chunk under an id that is known', () => {
  test('but with another body is stored and acked', async () => {
    const { connect, journal } = await start();
    const client = await connect();
    client.send(message(ID, ENTRY_1));
    await client.receive(ACK_BYTES);
    client.send(message(ID, ENTRY_2));
    expect(await client.receive(2 * ACK_BYTES)).toBe(ACK + ACK);
    expect(journal.events).toBe(2);
  });

  test('but with another body leaves both known: each re-send is dropped, also after a restart', async () => {
    const bodies = [message(ID, ENTRY_1), message(ID, ENTRY_2)];
    const sendAll = async ({ connect }: TestServer): Promise<void> => {
      // Each from a client of its own, as processes that draw the same ids.
      for (const body of bodies) {
        const client = await connect();
        client.send(body);
        expect(await client.receive(ACK_BYTES)).toBe(ACK);
        client.destroy();
      }
    };
    const before = await start();
    await sendAll(before);
    await sendAll(before);
    expect(before.journal.events).toBe(2);
    const dedup = new ChunkDedup();
    dedup.restore(before.dedup.snapshot());
    const after = await start({ dedup });
    await sendAll(after);
    expect(after.journal.events).toBe(0);
    expect(after.server.stats.resends_dropped).toBe(2);
  });

  test('but with another tag is stored', async () => {
    const { connect, journal } = await start();
    const client = await connect();
    client.send(message());
    await client.receive(ACK_BYTES);
    client.send(hex(`94a3617071${ENTRY_1.slice(2)}${option(ID)}`));
    await client.receive(2 * ACK_BYTES);
    expect(journal.records.map(({ tag }) => tag)).toEqual(['app', 'apq']);
  });
});

describe('an id that is made from the content', () => {
  const content = hex(ENTRIES);
  const digest = createHash('sha512').update(content).digest().subarray(0, 16);
  const derived = Buffer.from(digest.toString('base64'));
  const forward = hex(`93${TAG}92${ENTRIES}${option(derived)}`);
  const ack = ackOf(derived);

  test('names another chunk once the client went on behind its ack', async () => {
    const { connect, journal, server } = await start();
    const client = await connect();
    client.send(forward);
    await client.receive(ack.length / 2);
    client.send(forward);
    expect(await client.receive(ack.length)).toBe(ack + ack);
    expect(journal.events).toBe(4);
    expect(server.stats.equal_chunks_kept).toBe(1);
  });

  test('names another chunk after an orderly end of the connection', async () => {
    const { connect, journal } = await start();
    for (let i = 0; i < 2; i++) {
      const client = await connect();
      client.send(forward);
      await client.receive(ack.length / 2);
      await client.finish();
    }
    expect(journal.events).toBe(4);
  });

  test('is a re-send when the connection was reset before the next message', async () => {
    const { connect, journal, server } = await start();
    const first = await connect();
    first.send(forward);
    await first.receive(ack.length / 2);
    first.socket.resetAndDestroy();
    await until('the end', () => server.stats.connections_open === 0);
    const second = await connect();
    second.send(forward);
    expect(await second.receive(ack.length / 2)).toBe(ack);
    expect(journal.events).toBe(2);
  });

  test('is a re-send while the ack has not been written', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const first = await connect();
    first.send(forward);
    await until('the chunk', () => server.stats.events_in === 2);
    const second = await connect();
    second.send(forward);
    await until('the re-send', () => server.stats.resends_dropped === 1);
    journal.commit();
    expect(await second.receive(ack.length / 2)).toBe(ack);
    expect(journal.events).toBe(2);
  });

  test('is a re-send from a client that does not wait for its acks, whatever came in between', async () => {
    const { connect, journal, server } = await start();
    const first = await connect();
    const others = ['B', 'C', 'D'].map((letter) => message(chunkId(letter)));
    first.send(Buffer.concat([...others, forward]));
    await first.receive(4 * ACK_BYTES);
    first.send(others[0] ?? '');
    await first.receive(5 * ACK_BYTES);
    first.socket.resetAndDestroy();
    await until('the end', () => server.stats.connections_open === 0);
    const second = await connect();
    second.send(forward);
    expect(await second.receive(ack.length / 2)).toBe(ack);
    expect(journal.events).toBe(5);
  });

  test('of a compressed payload goes by its shape', async () => {
    const { connect, journal } = await start();
    const client = await connect();
    const payload = gzipSync(content);
    const size = Buffer.of(payload.length).toString('hex');
    const packed = hex(`93${TAG}c4${size}${payload.toString('hex')}${option(derived)}`);
    client.send(packed);
    await client.receive(ack.length / 2);
    client.send(packed);
    await client.receive(ack.length);
    expect(journal.records).toHaveLength(2);
  });
});

test('a shape that is no digest is never taken for one', async () => {
  const { connect, journal } = await start();
  const client = await connect();
  client.send(SAMPLES.packed_fluentd_chunk);
  await client.receive(31);
  client.send(SAMPLES.packed_fluentd_chunk);
  await client.receive(62);
  expect(journal.events).toBe(2);
});
