/** A stop, and clients that are amid something. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/sys/clock.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { SAMPLES } from '../../support/forward-messages.ts';
import { RawClient } from '../../support/raw-client.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const start = useForwardServer();

const FIRST_HALF = SAMPLES.docker_line.subarray(0, 50);
const SECOND_HALF = SAMPLES.docker_line.subarray(50);

let dir: TempDir | undefined;
const ended: (() => void)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0)) end();
  await dir?.remove();
  dir = undefined;
});

/** Clients that connect again as soon as they are connected, to a process whose turns take their time. */
function connectForEver(port: number): void {
  let going_on = true;
  ended.push(() => {
    going_on = false;
  });
  const again = (): void => {
    if (!going_on) return;
    const socket = connectSocket({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.once('connect', () => {
      socket.destroy();
      again();
    });
  };
  const takeTime = (): void => {
    if (!going_on) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
    setImmediate(takeTime);
  };
  for (let i = 0; i < 6; i++) again();
  takeTime();
}

/** A way to `port` on which each byte takes its time; resolves with its own port and the first answer. */
async function slowWayTo(port: number): Promise<{ port: number; answered: () => boolean }> {
  let answered = false;
  const delay_ms = 20;
  const pass = (from: Socket, to: Socket, seen: () => void): void => {
    from.on('error', () => {});
    from.on('data', (bytes: Buffer) => {
      seen();
      setTimeout(() => to.write(bytes), delay_ms);
    });
    from.on('close', () => setTimeout(() => to.destroy(), delay_ms));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connectSocket({ host: '127.0.0.1', port, allowHalfOpen: true });
    pass(client, upstream, () => {});
    pass(upstream, client, () => {
      answered = true;
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ended.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, answered: () => answered };
}

describe('a stop', () => {
  test('ends although clients never cease to come', async () => {
    let now_ms = 0;
    // A quarter of the time is over after some looks at the clock; else it would go on for ever.
    const clock = { ...systemClock, monotonic_ms: () => (now_ms += 10) };
    const { server, port } = await start({ deps: { clock } });
    connectForEver(port);
    await until('some came', () => server.stats.connections_total > 10);
    await server.closeListeners({ deadline_ms: 4000 });
    await server.stop({ deadline_ms: 4000 });
    expect(server.stats.connections_open).toBe(0);
  });

  test.each(['alone', 'beside another'])(
    'serves a client that is amid its TLS handshake, %s',
    async (company) => {
      dir = await tempDir('last-clients');
      const { ca: ca_file, cert, key } = await makeCertificates(dir.path);
      const address = { kind: 'tls', host: '127.0.0.1', port: 0 } as const;
      const tls = { cert_file: cert, key_file: key };
      const { server, port } = await start({ listeners: [{ address, tls }] });
      const ca = await readFile(ca_file);
      const other = company === 'alone' ? undefined : await RawClient.connectTls({ port, ca });
      const way = await slowWayTo(port);
      const client = connectTls({ host: '127.0.0.1', port: way.port, servername: 'localhost', ca });
      client.on('error', () => {});
      client.once('secureConnect', () => client.write(SAMPLES.docker_line));
      ended.push(
        () => client.destroy(),
        () => other?.destroy(),
      );
      await until('the server answered', way.answered, { interval_ms: 1 });
      await server.stop({ deadline_ms: 20_000 });
      expect(server.stats).toMatchObject({ events_in: 1, tls_failures: 0 });
    },
  );

  test('does not wait for one that connected to a TLS port and says nothing', async () => {
    dir = await tempDir('last-clients');
    const { cert, key } = await makeCertificates(dir.path);
    const address = { kind: 'tls', host: '127.0.0.1', port: 0 } as const;
    const tls = { cert_file: cert, key_file: key };
    const { server, connect } = await start({ listeners: [{ address, tls }] });
    await connect();
    await until('it came', () => server.stats.connections_open === 1);
    await server.stop({ deadline_ms: 100_000 });
    expect(server.stats.connections_open).toBe(0);
  });

  test('waits for the rest of a message', async () => {
    const { server, port } = await start();
    const client = await RawClient.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    ended.push(() => client.destroy());
    client.send(Buffer.concat([SAMPLES.docker_line, FIRST_HALF]));
    await until('the first', () => server.stats.events_in === 1);
    const stopping = server.stop({ deadline_ms: 20_000 });
    // Longer than it would take to find it silent.
    await sleep(400);
    client.send(SECOND_HALF);
    await until('the second', () => server.stats.events_in === 2);
    client.socket.end();
    await stopping;
    expect(server.stats.messages_cut_off).toBe(0);
  });

  test('counts the message of which the rest never came, and names its client', async () => {
    const { server, log, port } = await start();
    const client = await RawClient.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    ended.push(() => client.destroy());
    client.send(Buffer.concat([SAMPLES.docker_line, FIRST_HALF]));
    await until('the first', () => server.stats.events_in === 1);
    await server.stop({ deadline_ms: 300 });
    expect(server.stats.messages_cut_off).toBe(1);
    expect(log.said('warn').join()).toMatch(
      /clients were cut off .*"peers":\["127\.0\.0\.1:\d+ to /,
    );
  });

  test('names a client that goes on sending and asks for no acks', async () => {
    const { server, log, connect } = await start();
    const busy = await connect();
    const sending = setInterval(() => busy.send(SAMPLES.docker_line), 5);
    ended.push(() => clearInterval(sending));
    await until('events', () => server.stats.events_in > 3);
    await server.stop({ deadline_ms: 300 });
    expect(log.said('warn').join()).toMatch(/"connections":1,"awaiting_acks":0,"peers"/);
  });
});
