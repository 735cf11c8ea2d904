import { createHash } from 'node:crypto';
import { decodeMulti, encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { decodeSnapshot } from '../../../src/inputs/forward/dedup-entry.ts';
import type { HandshakeOptions } from '../../../src/inputs/forward/handshake-gate.ts';
import { SAMPLES } from '../../support/forward-messages.ts';
import { LOOPBACK, type ServerSetup, type TestServer } from '../../support/forward-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const KEY: HandshakeOptions = { shared_key: 's3cret', self_hostname: 'server.local' };
const USERS: HandshakeOptions = { ...KEY, users: [{ name: 'alice', password: 'pw' }] };
/** What the fluentd HELO with nonce and auth of 16 bytes takes. */
const HELO_BYTES = 63;

const startAny = useForwardServer();

const start = (handshake: HandshakeOptions, setup: ServerSetup = {}): Promise<TestServer> =>
  startAny({ listeners: [{ ...LOOPBACK, handshake }], ...setup });

interface Helo {
  readonly nonce: Uint8Array;
  readonly auth: Uint8Array;
}

async function heloOf(client: RawClient): Promise<Helo> {
  await client.receive(HELO_BYTES);
  const [helo] = [...decodeMulti(client.received)] as [[string, Helo]];
  expect(helo[0]).toBe('HELO');
  expect(helo[1]).toMatchObject({ keepalive: true });
  expect([helo[1].nonce.length, helo[1].auth.length]).toEqual([16, 16]);
  return helo[1];
}

const sha512 = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

interface Ping {
  readonly key?: string;
  readonly user?: string;
  readonly password?: string;
}

function ping(helo: Helo, { key = 's3cret', user = '', password = '' }: Ping = {}): Buffer {
  const salt = 'aabbccddeeff00112233445566778899';
  const digest = sha512(salt, 'client.local', helo.nonce, key);
  const user_digest = sha512(helo.auth, user, password);
  return Buffer.from(encode(['PING', 'client.local', salt, digest, user, user_digest]));
}

async function pongOf(client: RawClient): Promise<unknown[]> {
  await until(
    () => `a PONG, got ${client.hex}`,
    () => client.received.includes('PONG') && (client.ended || client.received.length > 200),
  );
  return [...decodeMulti(client.received)][1] as unknown[];
}

describe('a client that knows the shared key', () => {
  test('gets PONG with the digest of the server, and its events are taken', async () => {
    const { connect, server, ledger } = await start(KEY);
    const client = await connect();
    const helo = await heloOf(client);
    client.send(ping(helo));
    const salt = 'aabbccddeeff00112233445566778899';
    const digest = sha512(salt, 'server.local', helo.nonce, 's3cret');
    expect(await pongOf(client)).toEqual(['PONG', true, '', 'server.local', digest]);
    client.send(SAMPLES.docker_line);
    await until('the event', () => server.stats.events_in === 1);
    expect(ledger.toJSON()).toEqual({});
  });

  test('may send its PING byte by byte, and its first event right behind', async () => {
    const { connect, server } = await start(KEY);
    const client = await connect();
    const bytes = Buffer.concat([ping(await heloOf(client)), SAMPLES.docker_line]);
    client.socket.setNoDelay(true);
    for (const byte of bytes) client.send(Buffer.of(byte));
    await until('the event', () => server.stats.events_in === 1);
  });

  test('is known by the host name it gives, wherever it connects from', async () => {
    const { connect, dedup } = await start(KEY);
    const client = await connect();
    client.send(ping(await heloOf(client)));
    client.send(SAMPLES.message_chunk);
    await until('the chunk', () => dedup.held_count === 1);
    const { entries } = decodeSnapshot(dedup.snapshot());
    expect(entries).toMatchObject([
      { sender: 'client.local', key: expect.stringMatching(/AAAAAAAAAAAAAAAAAAAAAA==$/) },
    ]);
  });

  test('and a user passes with the right password', async () => {
    const { connect, server } = await start(USERS);
    const client = await connect();
    client.send(ping(await heloOf(client), { user: 'alice', password: 'pw' }));
    expect((await pongOf(client)).slice(0, 2)).toEqual(['PONG', true]);
    client.send(SAMPLES.docker_line);
    await until('the event', () => server.stats.events_in === 1);
  });
});

describe('a client is refused with the reason, and FIN', () => {
  const cases: [string, HandshakeOptions, (helo: Helo) => Buffer, string][] = [
    ['for another shared key', KEY, (helo) => ping(helo, { key: 'wrong' }), 'shared_key mismatch'],
    [
      'for another password',
      USERS,
      (helo) => ping(helo, { user: 'alice', password: 'no' }),
      'username/password mismatch',
    ],
    ['for no user', USERS, (helo) => ping(helo), 'username/password mismatch'],
    ['for an event in place of PING', KEY, () => SAMPLES.docker_line, 'invalid ping message'],
    ['for an object that is no array', KEY, () => Buffer.of(0x80), 'invalid ping message'],
  ];
  for (const [what, options, answer, reason] of cases) {
    test(what, async () => {
      const { connect, server, log } = await start(options);
      const client = await connect();
      client.send(answer(await heloOf(client)));
      expect(await pongOf(client)).toEqual(['PONG', false, reason, '', '']);
      await client.untilClosed();
      expect(client.error).toBeUndefined();
      expect(server.stats).toMatchObject({ handshake_failures: 1, events_in: 0 });
      expect(log.said('warn').join()).toContain(reason);
    });
  }
});

describe('the deadline', () => {
  test('closes a client that says nothing', async () => {
    const clock = new ManualClock();
    const { connect, server, log } = await start(KEY, { deps: { clock } });
    const client = await connect();
    await heloOf(client);
    clock.advance(9_999);
    expect(client.ended).toBe(false);
    clock.advance(1);
    await client.untilClosed();
    expect(server.stats.handshake_failures).toBe(1);
    expect(log.said('warn').join()).toMatch(/no PING within 10000 ms/);
  });

  test('is lifted by the handshake', async () => {
    const clock = new ManualClock();
    const { connect, server } = await start(KEY, { deps: { clock } });
    const client = await connect();
    client.send(ping(await heloOf(client)));
    await pongOf(client);
    clock.advance(60_000);
    client.send(SAMPLES.docker_line);
    await until('the event', () => server.stats.events_in === 1);
  });
});

test('a PING that is too large closes the connection', async () => {
  const { connect, server } = await start(KEY);
  const client = await connect();
  await heloOf(client);
  client.send(Buffer.concat([Buffer.from('96db00100000', 'hex'), Buffer.alloc(20_000)]));
  await client.untilClosed();
  expect(server.stats.connections_broken).toBe(1);
});

test('a heartbeat that only makes the handshake, or not even that, is no warning', async () => {
  const { connect, server, log } = await start(KEY);
  const client = await connect();
  await heloOf(client);
  await client.finish();
  expect(server.stats).toMatchObject({ connections_empty: 1, handshake_failures: 0 });
  expect(log.said('warn')).toEqual([]);
});
