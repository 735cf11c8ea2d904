import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inheritedSockets } from '../../../src/inputs/forward/listen-address.ts';
import type { ListenerOptions } from '../../../src/inputs/forward/options.ts';
import { SAMPLES } from '../../support/forward-messages.ts';
import { startServer, type TestServer } from '../../support/forward-server.ts';
import { freePort } from '../../support/ports.ts';
import { RawClient } from '../../support/raw-client.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

let dir: TempDir;
const servers: TestServer[] = [];
const plain: Server[] = [];

beforeEach(async () => {
  dir = await tempDir('listen');
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  for (const server of plain.splice(0)) server.close();
  await dir.remove();
});

async function start(
  address: ListenerOptions['address'],
  more: Partial<ListenerOptions> = {},
  deps = {},
): Promise<TestServer> {
  const server = await startServer({ listeners: [{ address, ...more }], deps });
  servers.push(server);
  return server;
}

async function listenPlainly(target: string | number): Promise<Server> {
  const server = createServer();
  plain.push(server);
  server.listen(target);
  await once(server, 'listening');
  return server;
}

/** A socket file whose owner is gone: libuv removes its own, so it is moved away before. */
async function leaveStale(path: string): Promise<void> {
  const server = await listenPlainly(`${path}.tmp`);
  renameSync(`${path}.tmp`, path);
  server.close();
  await once(server, 'close');
}

/** Node.js tells the descriptor of a listening socket only through its handle. */
function descriptorOf(server: Server): number {
  const handle = Reflect.get(server, '_handle') as { readonly fd: number };
  return handle.fd;
}

async function refusal(starting: Promise<unknown>): Promise<string> {
  const error = await starting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'LB_LISTEN' });
  return (error as { describe(): string }).describe();
}

describe('a unix socket', () => {
  const at = (name = 'fluent.sock'): string => join(dir.path, name);
  const unix = (path = at(), mode?: number) => ({ kind: 'unix', path, mode }) as const;

  test('takes events, acks them, and is removed at the end', async () => {
    const { server, close } = await start(unix());
    const client = await RawClient.connect({ path: at() });
    client.send(SAMPLES.message_chunk);
    expect(await client.receive(30)).toMatch(/^81a361636bb8/);
    client.destroy();
    expect(server.urls).toEqual([`unix://${at()}`]);
    await close();
    expect(existsSync(at())).toBe(false);
  });

  test.each([
    [undefined, 0o660],
    [0o666, 0o666],
    [0o600, 0o600],
  ])('of mode %o gets it, whatever the umask', async (mode, found) => {
    const before = process.umask(0o077);
    try {
      await start(unix(at(), mode));
    } finally {
      process.umask(before);
    }
    expect(statSync(at()).mode & 0o777).toBe(found);
  });

  test('takes the place of a stale one', async () => {
    await leaveStale(at());
    await start(unix());
    const client = await RawClient.connect({ path: at() });
    client.destroy();
  });

  test('does not take the place of a live one, which goes on', async () => {
    await listenPlainly(at());
    expect(await refusal(start(unix()))).toMatch(
      /unix:\/\/.*fluent\.sock: another process listens on this socket.*ss -xlp/,
    );
    const client = await RawClient.connect({ path: at() });
    client.destroy();
  });

  test('does not take the place of a file or a link', async () => {
    writeFileSync(at('file'), 'precious');
    symlinkSync(at('file'), at('link'));
    expect(await refusal(start(unix(at('file'))))).toMatch(/not a socket/);
    expect(await refusal(start(unix(at('link'))))).toMatch(/not a socket/);
  });

  test('in a folder that is missing says so', async () => {
    expect(await refusal(start(unix(at('none/fluent.sock'))))).toMatch(/ENOENT.*Create the folder/);
  });

  test('is not removed at the end if it is another one by then', async () => {
    const { close } = await start(unix());
    unlinkSync(at());
    await listenPlainly(at());
    await close();
    expect(existsSync(at())).toBe(true);
  });
});

describe('a TCP port', () => {
  test('in use names itself and how to see who holds it', async () => {
    const other = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const taken = start({ kind: 'tcp', host: '127.0.0.1', port: other.port });
    expect(await refusal(taken)).toMatch(
      new RegExp(`tcp://127.0.0.1:${other.port}: .*EADDRINUSE.*ss -tlnp sport = :${other.port}`),
    );
  });

  test('that cannot be opened leaves none of the others open', async () => {
    const other = await start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const path = join(dir.path, 'first.sock');
    const both = startServer({
      listeners: [
        { address: { kind: 'unix', path, mode: undefined } },
        { address: { kind: 'tcp', host: '127.0.0.1', port: other.port } },
      ],
    });
    await expect(both).rejects.toMatchObject({ code: 'LB_LISTEN' });
    expect(existsSync(path)).toBe(false);
  });
});

describe('sockets from systemd', () => {
  test('are those that the environment gives to this process', () => {
    const env = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'tcp:unix' };
    expect(inheritedSockets(env, 7)).toEqual([
      { fd: 3, name: 'tcp' },
      { fd: 4, name: 'unix' },
    ]);
    expect(inheritedSockets(env, 8)).toEqual([]);
    expect(inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: 'x' }, 7)).toEqual([]);
    expect(inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7)).toEqual([
      { fd: 3, name: '' },
    ]);
    expect(inheritedSockets({}, 7)).toEqual([]);
  });

  test('take events', async () => {
    const owner = await listenPlainly(0);
    const { port } = owner.address() as AddressInfo;
    const script = fileURLToPath(new URL('../../support/activated-server.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['pipe', 'pipe', 'inherit', descriptorOf(owner)],
    });
    let said = '';
    child.stdout?.on('data', (text: Buffer) => {
      said += text.toString();
    });
    owner.close();
    await until(
      () => `the server, it said ${said}`,
      () => said.includes('\n'),
    );
    const client = await RawClient.connect({ host: '127.0.0.1', port });
    client.send(SAMPLES.docker_line);
    await until(
      () => `the tag, it said ${said}`,
      () => said.includes('0717359e027e\n'),
    );
    client.destroy();
    child.stdin?.end();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });

  test('that are missing are named, with those that there are', async () => {
    const inherited = [{ fd: 3, name: 'web' }];
    const missing = start({ kind: 'systemd', name: 'logs' }, {}, { inherited });
    expect(await refusal(missing)).toMatch(
      /systemd:\/\/logs.*it gave: web \(fd 3\).*\.socket unit/,
    );
    expect(await refusal(start({ kind: 'systemd', name: undefined }))).toMatch(/it gave: none/);
  });
});

describe('the UDP heartbeat', () => {
  test('answers a datagram with one zero byte, on the same port number', async () => {
    const { port, server } = await start(
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      { udp_heartbeat: true },
    );
    const socket = createSocket('udp4');
    try {
      const answer = once(socket, 'message');
      socket.send(Buffer.alloc(2000), port, '127.0.0.1');
      socket.send(Buffer.of(0), port, '127.0.0.1');
      const [bytes] = (await answer) as [Buffer];
      expect(bytes.toString('hex')).toBe('00');
      expect(server.heartbeats_answered).toBe(1);
    } finally {
      socket.close();
    }
  });

  test('that cannot be opened is an error that names the port', async () => {
    const socket = createSocket('udp4');
    try {
      // Not one that the kernel gives to clients: TCP has to be free there.
      const port = await freePort();
      socket.bind(port, '127.0.0.1');
      await once(socket, 'listening');
      const taken = start({ kind: 'tcp', host: '127.0.0.1', port }, { udp_heartbeat: true });
      expect(await refusal(taken)).toMatch(new RegExp(`udp://127.0.0.1:${port}: .*EADDRINUSE`));
    } finally {
      socket.close();
    }
  });
});
