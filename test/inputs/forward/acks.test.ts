import { describe, expect, test } from 'vitest';
import { ENTRIES, ENTRY_1, hex, SAMPLES, TAG } from '../../support/forward-messages.ts';
import { ackOf, chunkId } from '../../support/forward-server.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const ID = chunkId('A');
const ACK = ackOf(ID);
const CHUNK = `81a56368756e6bb8${ID.toString('hex')}`;

const start = useForwardServer();

/** What the journal holds for the two entries of the samples. */
const body = (hex_text: string): string => hex_text.replace(/\s+/g, '');

describe('every mode is stored and acked byte for byte', () => {
  const modes: [string, string, number, string][] = [
    ['Message', `94${TAG}${ENTRY_1.slice(2)}${CHUNK}`, 1, ENTRY_1],
    ['Forward', `93${TAG}92${ENTRIES}${CHUNK}`, 2, ENTRIES],
    ['PackedForward as bin', `93${TAG}c421${ENTRIES}${CHUNK}`, 2, ENTRIES],
    ['PackedForward as str32', `93${TAG}db00000021${ENTRIES}${CHUNK}`, 2, ENTRIES],
  ];
  for (const [mode, message, events, stored] of modes) {
    test(mode, async () => {
      const { connect, journal } = await start();
      const client = await connect();
      client.send(message);
      expect(await client.receive(ACK.length / 2)).toBe(ACK);
      expect(journal.events).toBe(events);
      expect(journal.records.map((r) => r.body.toString('hex'))).toEqual([body(stored)]);
      expect(journal.records[0]?.tag).toBe('app');
    });
  }

  test('CompressedPackedForward of several gzip members stays as it came', async () => {
    const { connect, journal } = await start();
    const client = await connect();
    const sample = SAMPLES.compressed_2_members;
    client.send(
      Buffer.concat([sample.subarray(0, 82), hex(`83${CHUNK.slice(2)}`), sample.subarray(83)]),
    );
    expect(await client.receive(ACK.length / 2)).toBe(ACK);
    expect(journal.records).toMatchObject([{ codec: 1, count: 2, time_min_s: 1441588984 }]);
    expect(journal.records[0]?.body.toString('hex')).toBe(sample.subarray(7, 82).toString('hex'));
  });

  test("fluentd's id of 25 bytes keeps its newline", async () => {
    const { connect } = await start();
    const client = await connect();
    client.send(SAMPLES.packed_fluentd_chunk);
    const id = Buffer.from('AAAAAAAAAAAAAAAAAAAAAA==\n');
    expect(await client.receive(31)).toBe(ackOf(id));
    expect(ackOf(id)).toBe('81a361636bb9414141414141414141414141414141414141414141413d3d0a');
  });

  test('an id of type bin is acked too', async () => {
    const { connect } = await start();
    const client = await connect();
    client.send(`93${TAG}c421${ENTRIES}81a56368756e6bc404deadbeef`);
    expect(await client.receive(10)).toMatch(/^81a361636b(a4|c404)deadbeef$/);
  });

  test('a JSON client gets JSON acks', async () => {
    const { connect, journal } = await start();
    const client = await connect();
    client.send(Buffer.from('["app",1441588984,{"log":"hi"},{"chunk":"one"}]'));
    expect((await client.receive(13)) && client.received.toString()).toBe('{"ack":"one"}');
    expect(journal.records[0]?.body.toString('hex')).toBe('92ce55ece6f881a36c6f67a26869');
  });

  test('a chunk whose events are all invalid is acked, and each event counted', async () => {
    const { connect, journal, ledger } = await start();
    const client = await connect();
    client.send(SAMPLES.message_record_nil);
    expect(await client.receive(30)).toBe(ackOf(chunkId('A')));
    expect(journal.records).toEqual([]);
    expect(ledger.total('invalid_event')).toBe(1);
  });
});

describe('an ack', () => {
  test('leaves only after the commit', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const client = await connect();
    client.send(`94${TAG}${ENTRY_1.slice(2)}${CHUNK}`);
    await until('the event', () => server.stats.events_in === 1);
    await until('a wish to commit', () => journal.hurries === 1);
    expect(client.hex).toBe('');
    journal.commit();
    expect(await client.receive(ACK.length / 2)).toBe(ACK);
  });

  test('never comes when the commit fails: the connection is closed and a re-send stored', async () => {
    const { connect, journal, server, dedup } = await start({ automatic: false });
    const client = await connect();
    client.send(`94${TAG}${ENTRY_1.slice(2)}${CHUNK}`);
    await until('the event', () => server.stats.events_in === 1);
    journal.fail(new Error('fdatasync failed'));
    await client.untilClosed();
    expect(client.hex).toBe('');
    expect(dedup.pending_count).toBe(0);
    const again = await connect();
    again.send(`94${TAG}${ENTRY_1.slice(2)}${CHUNK}`);
    await until('the re-send', () => server.stats.events_in === 2);
    journal.commit();
    expect(await again.receive(ACK.length / 2)).toBe(ACK);
    expect(server.stats.connections_failed).toBe(1);
  });

  test("goes out in the client's order, whatever the modes", async () => {
    const { connect } = await start();
    const client = await connect();
    const ids = ['B', 'C', 'D', 'E'].map(chunkId);
    const option = (id: Buffer | undefined): string => `81a56368756e6bb8${id?.toString('hex')}`;
    const gzip = SAMPLES.compressed_by_magic.subarray(0, 82).toString('hex');
    client.send(`94${TAG}${ENTRY_1.slice(2)}${option(ids[0])}`);
    client.send(`${gzip}${option(ids[1])}`);
    client.send(`93${TAG}92${ENTRIES}${option(ids[2])}`);
    client.send(`94${TAG}${ENTRY_1.slice(2)}${option(ids[3])}`);
    expect(await client.receive(4 * 30)).toBe(ids.map(ackOf).join(''));
  });

  test('still reaches a client that has half-closed, and then FIN follows', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const client = await connect();
    client.send(`94${TAG}${ENTRY_1.slice(2)}${CHUNK}`);
    client.socket.end();
    await until('the event', () => server.stats.events_in === 1);
    journal.commit();
    await client.untilClosed();
    expect(client.hex).toBe(ACK);
    expect(client.error).toBeUndefined();
  });

  test('is not owed for messages without a chunk id', async () => {
    const { connect, journal } = await start({ automatic: false });
    const client = await connect();
    client.send(SAMPLES.docker_line);
    await until('the event', () => journal.pending_events === 1);
    expect(journal.hurries).toBe(0);
  });
});
