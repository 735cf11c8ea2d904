import { once } from 'node:events';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ListenAddress } from '../../../src/inputs/forward/listen-address.ts';
import { Listeners } from '../../../src/inputs/forward/listeners.ts';
import type { ListenerOptions } from '../../../src/inputs/forward/options.ts';
import { hasReusePort } from '../../../src/inputs/forward/port-sharing.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { SAMPLES } from '../../support/forward-messages.ts';
import { startServer, type TestServer } from '../../support/forward-server.ts';
import { freePort } from '../../support/ports.ts';
import { RawClient } from '../../support/raw-client.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

let dir: TempDir;
const opened: Listeners[] = [];
const servers: TestServer[] = [];
const plain: Server[] = [];

beforeEach(async () => {
  dir = await tempDir('beside');
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  for (const listeners of opened.splice(0)) listeners.close();
  for (const server of plain.splice(0)) server.close();
  await dir.remove();
});

const at = (name = 'in.sock'): string => join(dir.path, name);
const unix = (path = at()): ListenAddress => ({ kind: 'unix', path, mode: undefined });
const tcp = (port: number): ListenAddress => ({ kind: 'tcp', host: '127.0.0.1', port });

function listenersOf(options: readonly ListenerOptions[], connections_max = 100): Listeners {
  const deps = { clock: systemClock, log: new RecordingLog(), handshake_timeout_ms: 10_000 };
  const listeners = new Listeners(options, { ...deps, connections_max });
  opened.push(listeners);
  return listeners;
}

async function serve(listeners: Listeners): Promise<TestServer> {
  const server = await startServer({ deps: { listeners } });
  servers.push(server);
  return server;
}

/** What runs already, over unix; its successor is told `handed_over`. */
async function runningAt(path = at()): Promise<TestServer> {
  const server = await startServer({ listeners: [{ address: unix(path) }] });
  servers.push(server);
  return server;
}

async function listenPlainly(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  plain.push(server);
  await once(server, 'listening');
  return server;
}

describe('clients that come before they can be served', () => {
  test('are held unread, and lose nothing, not even if they are gone by then', async () => {
    const listeners = listenersOf([{ address: unix() }]);
    await listeners.open();
    const waiting = await RawClient.connect({ path: at() });
    waiting.send(SAMPLES.message_chunk);
    const gone = await RawClient.connect({ path: at() });
    gone.socket.end(SAMPLES.docker_line);
    await until('the bytes are sent', () => gone.socket.writableFinished);
    const { server, journal } = await serve(listeners);
    expect(await waiting.receive(30)).toMatch(/^81a361636bb8/);
    await until('both events', () => server.stats.events_in === 2);
    // The one without an id asks for no commit, and may have come behind the other's.
    journal.commit();
    expect(journal.records.map(({ tag }) => tag).toSorted()).toEqual(['0717359e027e', 'app']);
    waiting.destroy();
  });

  test('over TLS begin their handshake then', async () => {
    await mkdir(at('tls'));
    const { cert, key, ca } = await makeCertificates(at('tls'));
    const tls = { cert_file: cert, key_file: key };
    const listeners = listenersOf([{ address: { kind: 'tls', host: '127.0.0.1', port: 0 }, tls }]);
    await listeners.open();
    const port = Number(new URL(listeners.urls[0] ?? '').port);
    const connecting = RawClient.connectTls({ port, ca: await readFile(ca) });
    await serve(listeners);
    const client = await connecting;
    client.send(SAMPLES.message_chunk);
    expect(await client.receive(30)).toMatch(/^81a361636bb8/);
    client.destroy();
  });

  test('are no more than may be connected at all', async () => {
    const listeners = listenersOf([{ address: unix() }], 2);
    await listeners.open();
    const clients = [];
    for (let n = 0; n < 3; n++) clients.push(await RawClient.connect({ path: at() }));
    await clients[2]?.untilClosed();
    expect(clients.map(({ closed }) => closed)).toEqual([false, false, true]);
    for (const client of clients) client.destroy();
  });
});

describe('a unix socket that is handed over', () => {
  test("stays the other's until it is shown, and is ours from then on", async () => {
    const other = await runningAt();
    const before = statSync(at()).ino;
    const listeners = listenersOf([{ address: unix() }]);
    await listeners.openBeside(other.server.handed_over);
    expect(statSync(at()).ino).toBe(before);
    listeners.show();
    expect(statSync(at()).ino).not.toBe(before);
    await listeners.openRest();
    const client = await RawClient.connect({ path: at() });
    client.send(SAMPLES.message_chunk);
    await other.server.stop({ deadline_ms: 1000 });
    expect(other.journal.records).toEqual([]);
    expect(existsSync(at())).toBe(true);
    await serve(listeners);
    expect(await client.receive(30)).toMatch(/^81a361636bb8/);
    client.destroy();
  });

  test("stays the other's when one of the rest cannot be opened", async () => {
    const other = await runningAt();
    const before = statSync(at()).ino;
    mkdirSync(at('folder'));
    const listeners = listenersOf([{ address: unix() }, { address: unix(at('folder')) }]);
    await expect(listeners.openBeside(other.server.handed_over)).rejects.toMatchObject({
      code: 'LB_LISTEN',
    });
    expect(statSync(at()).ino).toBe(before);
    const client = await RawClient.connect({ path: at() });
    client.destroy();
  });

  test('is not taken from somebody else who listens there', async () => {
    const other = await runningAt();
    const listeners = listenersOf([{ address: unix() }]);
    const elsewhere = [{ url: `unix://${at('other.sock')}`, shares_port: false }];
    await expect(listeners.openBeside(elsewhere)).rejects.toThrow(/another process listens/);
    expect(other.server.urls).toEqual([`unix://${at()}`]);
  });
});

describe('a TCP port that is handed over', () => {
  const handedOver = (port: number, shares_port = false) => [
    { url: `tcp://0.0.0.0:${port}`, shares_port },
  ];

  test('and not shared is opened as soon as the other has closed it', async () => {
    const port = await freePort();
    const other = await listenPlainly(port);
    const listeners = listenersOf([{ address: tcp(port) }, { address: unix() }]);
    await listeners.openBeside(handedOver(port));
    expect(listeners.later).toEqual([`tcp://127.0.0.1:${port}`]);
    const opening = listeners.openRest(30_000);
    other.close();
    await opening;
    const client = await RawClient.connect({ host: '127.0.0.1', port });
    client.destroy();
  });

  test('has its certificates checked while the other still listens', async () => {
    const port = await freePort();
    await listenPlainly(port);
    const address = { kind: 'tls', host: '127.0.0.1', port } as const;
    const tls = { cert_file: at('none.pem'), key_file: at('none.pem') };
    const listeners = listenersOf([{ address, tls }]);
    await expect(listeners.openBeside(handedOver(port))).rejects.toMatchObject({ code: 'LB_TLS' });
  });

  test('and never closed is given up in time, with all the rest', async () => {
    const port = await freePort();
    await listenPlainly(port);
    const listeners = listenersOf([{ address: tcp(port) }, { address: unix() }]);
    await listeners.openBeside(handedOver(port));
    listeners.show();
    await expect(listeners.openRest(20)).rejects.toThrow(/EADDRINUSE/);
    expect(existsSync(at())).toBe(false);
  });

  test.runIf(hasReusePort(process.versions.node))(
    'and shared is opened beside the other, which nobody else can do',
    async () => {
      const port = await freePort();
      const other = listenersOf([{ address: tcp(port) }]);
      await other.open();
      const listeners = listenersOf([{ address: tcp(port) }]);
      await listeners.openBeside(other.handed_over);
      expect(listeners.later).toEqual([]);
      const third = listenersOf([{ address: tcp(port) }]);
      await expect(third.open()).rejects.toThrow(/EADDRINUSE/);
    },
  );
});

test.each([
  ['20.15.0', false],
  ['22.11.0', false],
  ['22.12.0', true],
  ['23.0.0', false],
  ['23.1.0', true],
  ['24.0.0', true],
  ['26.10.0', true],
])('Node.js %s has SO_REUSEPORT for servers: %s', (version, expected) => {
  expect(hasReusePort(version)).toBe(expected);
});
