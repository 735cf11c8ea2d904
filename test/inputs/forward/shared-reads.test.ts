import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { SharedReads } from '../../../src/inputs/forward/shared-reads.ts';
import { RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/wait.ts';

let finish: (() => void) | undefined;

afterEach(() => finish?.());

/** A server that adopts every socket and collects what each one brings. */
async function serve(bytes: number) {
  const reads = new SharedReads(bytes);
  const sockets: Socket[] = [];
  const received: Buffer[][] = [];
  const events: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (accepted) => {
    const socket = reads.adopt(accepted);
    const own: Buffer[] = [];
    sockets.push(socket);
    received.push(own);
    socket.on('data', (chunk: Buffer) => own.push(Buffer.from(chunk)));
    socket.on('end', () => events.push('end'));
    socket.on('close', () => events.push('close'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = (server.address() as { port: number }).port;
  finish = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  const connect = (): Promise<RawClient> => RawClient.connect({ host: '127.0.0.1', port });
  return { sockets, received, events, server, connect };
}

describe('sockets that read into one buffer', () => {
  test('each bring their own bytes, whole and in order', async () => {
    const { received, connect } = await serve(1000);
    const clients = await Promise.all([connect(), connect(), connect()]);
    const sent = clients.map((_, i) => Buffer.alloc(100_000, `${i}abcdefg`));
    for (let at = 0; at < 100_000; at += 777) {
      for (const [i, client] of clients.entries())
        client.send(sent[i]?.subarray(at, at + 777) ?? '');
    }
    const bytes = (i: number): Buffer => Buffer.concat(received[i] ?? []);
    await until('all bytes', () => [0, 1, 2].every((i) => bytes(i).length === 100_000));
    for (const [i, own] of sent.entries()) expect(bytes(i).equals(own)).toBe(true);
    for (const client of clients) client.destroy();
  });

  test('stop when they are paused, also inside a read, and go on where they stopped', async () => {
    const { sockets, received, connect } = await serve(1000);
    const client = await connect();
    await until('the socket', () => sockets.length === 1);
    sockets[0]?.once('data', () => sockets[0]?.pause());
    client.send(Buffer.alloc(50_000, 'x'));
    await until('the first read', () => (received[0]?.length ?? 0) > 0);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(received[0]).toHaveLength(1);
    sockets[0]?.resume();
    await until('the rest', () => Buffer.concat(received[0] ?? []).length === 50_000);
    client.destroy();
  });

  test('tell the end once, after everything, and can still write', async () => {
    const { sockets, events, connect } = await serve(1000);
    const client = await connect();
    client.send('0102');
    client.socket.end();
    await until('the end', () => events.includes('end'));
    sockets[0]?.end('bye');
    await client.untilClosed();
    expect(client.received.toString()).toBe('bye');
    await until('the close', () => events.includes('close'));
    expect(events).toEqual(['end', 'close']);
  });

  test('do not keep their server from closing', async () => {
    const { sockets, server, connect } = await serve(1000);
    const client = await connect();
    await until('the socket', () => sockets.length === 1);
    server.close();
    await once(server, 'close');
    client.send('00');
    client.destroy();
  });

  test('are what we get: the handle is there on this Node.js', async () => {
    const { sockets, server, connect } = await serve(1000);
    const client = await connect();
    await until('the socket', () => sockets.length === 1);
    expect(sockets[0]?.remoteAddress).toBe('127.0.0.1');
    // Its server never knew this one: it stands in for the one that was accepted.
    expect((sockets[0] as unknown as { server: unknown }).server).not.toBe(server);
    client.destroy();
  });
});

test('a socket without the handle that is expected is used as it is', async () => {
  const { Socket: PlainSocket } = await import('node:net');
  const bare = new PlainSocket();
  expect(new SharedReads(10).adopt(bare)).toBe(bare);
});
