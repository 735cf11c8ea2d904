import { readdirSync } from 'node:fs';
import zstd from '@foxglove/wasm-zstd';
import { beforeAll, describe, expect, test } from 'vitest';
import { entry, numbered, pack } from '../../support/entries.ts';
import { hex, TAG } from '../../support/forward-messages.ts';
import { ackOf, chunkId } from '../../support/forward-server.ts';
import { PACKED_ID, packed, packedGzip, sendAndAck, stored } from '../../support/packed-chunks.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const start = useForwardServer();

beforeAll(() => zstd.isLoaded);

const ACK = ackOf(PACKED_ID);

describe('a large message', () => {
  const SMALL = { frame_inline_max_bytes: 8192, record_max_bytes: 300_000 };
  const many = numbered(0, 12_000, 'padding'.repeat(10));

  const forms: [string, Buffer][] = [
    ['PackedForward', packed(many)],
    [
      'Forward',
      Buffer.concat([hex(`93${TAG}dc2ee0`), many, pack({ chunk: PACKED_ID.toString() })]),
    ],
    ['gzip', packedGzip(many)],
  ];
  for (const [form, message] of forms) {
    test(`in ${form} becomes records of one commit, cut between events, and one ack`, async () => {
      const server = await start({ limits: { ...SMALL, chunk_max_bytes: 32_768 } });
      await sendAndAck(server, message);
      expect(stored(server).equals(many)).toBe(true);
      expect(server.journal.events).toBe(12_000);
      expect(new Set(server.journal.records.map(({ commit }) => commit)).size).toBe(1);
      for (const { body } of server.journal.records)
        expect(body.length).toBeLessThanOrEqual(300_000);
      expect(server.journal.records.length).toBeGreaterThan(3);
    });

    test(`in ${form} goes through a file when memory is short, which leaves nothing behind`, async () => {
      const server = await start({
        limits: { ...SMALL, chunk_max_bytes: 32_768, spool_memory_max_bytes: 16_384 },
      });
      await sendAndAck(server, message);
      expect(stored(server).equals(many)).toBe(true);
      if (form !== 'gzip') expect(server.server.stats.spooled_messages).toBe(1);
      expect(readdirSync(server.spool_dir)).toEqual([]);
    });
  }

  test('holds back what follows on its connection, so that order stays', async () => {
    const server = await start({ limits: SMALL });
    const client = await server.connect();
    const last = chunkId('C');
    const follower = hex(`94${TAG}ce000003e881a16b0181a56368756e6bb8${last.toString('hex')}`);
    client.send(Buffer.concat([follower, packed(many), follower]));
    expect(await client.receive(3 * 30)).toBe(ackOf(last) + ACK + ackOf(last));
    const first = hex('92ce000003e881a16b01');
    expect(stored(server).equals(Buffer.concat([first, many]))).toBe(true);
  });

  test('that breaks off leaves nothing, and the same one sent again is stored once', async () => {
    const server = await start({ limits: { ...SMALL, spool_memory_max_bytes: 16_384 } });
    const client = await server.connect();
    const message = packed(many);
    client.send(message.subarray(0, message.length - 1000));
    await until('most of it', () => server.server.stats.bytes_in === message.length - 1000);
    client.destroy();
    await until('the end', () => server.server.stats.connections_open === 0);
    expect(server.journal.pending_events).toBe(0);
    expect(server.dedup.pending_count).toBe(0);
    await sendAndAck(server, message);
    expect(server.journal.events).toBe(12_000);
  });

  test('whose commit fails closes its connection without an ack', async () => {
    const server = await start({ limits: SMALL });
    server.journal.large_error = new Error('disk');
    const client = await server.connect();
    client.send(packed(many));
    await client.untilClosed();
    expect(client.hex).toBe('');
    expect(server.dedup.pending_count).toBe(0);
    server.journal.large_error = undefined;
    await sendAndAck(server, packed(many));
  });

  test('with times that are missing or wrong is stored as clean entries', async () => {
    const server = await start({ limits: SMALL });
    const odd = Buffer.concat([
      numbered(0, 500),
      entry({ odd: 1 }, 0),
      pack(7),
      numbered(500, 500),
    ]);
    await sendAndAck(server, packed(odd));
    expect(server.journal.events).toBe(1001);
    expect(server.ledger.total('invalid_event')).toBe(1);
  });

  test('without a chunk id is stored too', async () => {
    const server = await start({ limits: SMALL });
    const client = await server.connect();
    const head = hex(`92${TAG}c600000000`);
    head.writeUInt32BE(many.length, head.length - 4);
    client.send(Buffer.concat([head, many]));
    await until('the events', () => server.journal.events === 12_000);
    expect(client.hex).toBe('');
  });
});
