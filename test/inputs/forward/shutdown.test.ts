import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ENTRY_1, hex, SAMPLES, TAG } from '../../support/forward-messages.ts';
import { ackOf, chunkId } from '../../support/forward-server.ts';
import { freePort } from '../../support/ports.ts';
import { RawClient } from '../../support/raw-client.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const start = useForwardServer();

const chunked = (letter: string): Buffer =>
  hex(`94${TAG}${ENTRY_1.slice(2)}81a56368756e6bb8${chunkId(letter).toString('hex')}`);

/** Sends, and then nothing of this process runs for a while, as when memory is collected. */
async function sendAndStandStill(client: RawClient, bytes: Buffer): Promise<void> {
  // This turn of the event loop has read; the next begins with timers, long due by then.
  await setImmediate();
  client.send(bytes);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
}

describe('stop', () => {
  test('reads what clients have sent already, commits it, acks it, and ends with FIN', async () => {
    const { connect, journal, server } = await start();
    const client = await connect();
    const lines = Array.from({ length: 20_000 }, () => SAMPLES.docker_line);
    client.send(Buffer.concat([...lines, chunked('A')]));
    await server.stop({ deadline_ms: 10_000 });
    await client.untilClosed();
    expect(client.error).toBeUndefined();
    expect(client.hex).toBe(ackOf(chunkId('A')));
    expect(journal.events).toBe(20_001);
  });

  test('accepts nothing more', async () => {
    // Not one that the kernel gives to others as soon as it is free.
    const port = await freePort();
    const { server } = await start({
      listeners: [{ address: { kind: 'tcp', host: '127.0.0.1', port } }],
    });
    await server.stop({ deadline_ms: 1000 });
    await expect(RawClient.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test('takes a client whose connection was made just before', async () => {
    const { port, server } = await start();
    const connecting = RawClient.connect({ host: '127.0.0.1', port });
    const client = await connecting;
    client.send(SAMPLES.docker_line);
    await server.stop({ deadline_ms: 10_000 });
    expect(server.stats.events_in).toBe(1);
    client.destroy();
  });

  test('takes all clients whose connections were made just before, however many', async () => {
    const { port, server } = await start();
    const clients = Array.from(
      { length: 30 },
      () => new RawClient(connectSocket({ host: '127.0.0.1', port })),
    );
    // No longer: each turn of the event loop, the server accepts one.
    await Promise.all(clients.map(({ socket }) => once(socket, 'connect')));
    for (const client of clients) client.send(SAMPLES.docker_line);
    await server.stop({ deadline_ms: 10_000 });
    expect(server.stats.events_in).toBe(30);
    expect(clients.map(({ error }) => error)).toEqual(clients.map(() => undefined));
  });

  test('acks what came while this process stood still', async () => {
    const { connect, server } = await start();
    const client = await connect();
    client.send(SAMPLES.docker_line);
    await until('the first event', () => server.stats.events_in === 1);
    const stopping = server.stop({ deadline_ms: 10_000 });
    await until('nothing listens', () => server.urls.join() === 'tcp://127.0.0.1:0');
    await sendAndStandStill(client, chunked('A'));
    await stopping;
    await client.untilClosed();
    expect(client.hex).toBe(ackOf(chunkId('A')));
  });

  test('reads what came behind the FIN while this process stood still', async () => {
    const { port, server } = await start();
    const client = await RawClient.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    client.send(SAMPLES.docker_line);
    await until('the first event', () => server.stats.events_in === 1);
    const stopping = server.stop({ deadline_ms: 10_000 });
    await client.untilEnded();
    await sendAndStandStill(client, SAMPLES.docker_line);
    await stopping;
    expect(server.stats.events_in).toBe(2);
    client.destroy();
  });

  test('goes on reading a client that ignores the FIN, as Docker does', async () => {
    const { port, server, journal } = await start();
    const client = await RawClient.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    client.send(SAMPLES.docker_line);
    await until('the first event', () => server.stats.events_in === 1);
    const stopping = server.stop({ deadline_ms: 10_000 });
    await client.untilEnded();
    client.send(SAMPLES.docker_line);
    await stopping;
    expect(server.stats.events_in).toBe(2);
    expect(journal.pending_events).toBe(2);
    client.destroy();
  });

  test('reads a client that came when there was no room, as soon as there is', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const first = await connect();
    const lines = Buffer.concat(Array.from({ length: 1000 }, () => SAMPLES.docker_line));
    for (let sent_events = 1000; journal.waiting_bytes < 8 * 1024 * 1024; sent_events += 1000) {
      first.send(lines);
      await until('the lines', () => server.stats.events_in === sent_events);
    }
    journal.become('disk_full');
    const before = server.stats.events_in;
    const held = await connect();
    held.send(SAMPLES.docker_line);
    await until('both clients', () => server.stats.connections_open === 2);
    const stopping = server.stop({ deadline_ms: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(held.ended).toBe(false);
    journal.become('writable');
    await stopping;
    expect(server.stats.events_in).toBe(before + 1);
  });

  test('waits for the commit that acks depend on', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const client = await connect();
    client.send(chunked('A'));
    await until('the event', () => server.stats.events_in === 1);
    const stopping = server.stop({ deadline_ms: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(client.ended).toBe(false);
    journal.commit();
    await stopping;
    await client.untilClosed();
    expect(client.hex).toBe(ackOf(chunkId('A')));
  });

  test('ends at the deadline, also with a client that never stops and a commit that never comes', async () => {
    const { connect, server, log } = await start({ automatic: false });
    const waiting = await connect();
    waiting.send(chunked('A'));
    const busy = await connect();
    const sending = setInterval(() => busy.send(SAMPLES.docker_line), 5);
    try {
      await until('events', () => server.stats.events_in > 3);
      await server.stop({ deadline_ms: 500 });
    } finally {
      clearInterval(sending);
    }
    await waiting.untilClosed();
    await busy.untilClosed();
    expect(waiting.hex).toBe('');
    expect(log.said('warn').join()).toMatch(/cut off while they sent, or waited for their acks/);
  });
});
