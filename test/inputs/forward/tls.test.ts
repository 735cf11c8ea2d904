import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  CertificateWatch,
  loadTls,
  type TlsOptions,
} from '../../../src/inputs/forward/tls-context.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { SAMPLES } from '../../support/forward-messages.ts';
import { startServer, type TestServer } from '../../support/forward-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RawClient } from '../../support/raw-client.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

const TEN_DAYS_MS = 10 * 24 * 3600 * 1000;

let dir: TempDir;
let ours: Certificates;
let others: Certificates;
let running: TestServer | undefined;

beforeAll(async () => {
  dir = await tempDir('tls');
  const [one, two] = [join(dir.path, 'ours'), join(dir.path, 'others')];
  await mkdir(one);
  await mkdir(two);
  ours = await makeCertificates(one);
  others = await makeCertificates(two);
});

afterAll(() => dir.remove());

afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function start(tls: Partial<TlsOptions> = {}): Promise<TestServer> {
  const options = { cert_file: ours.cert, key_file: ours.key, ...tls };
  const address = { kind: 'tls', host: '127.0.0.1', port: 0 } as const;
  running = await startServer({ listeners: [{ address, tls: options }] });
  return running;
}

const pem = (file: string): Promise<Buffer> => readFile(file);

describe('a TLS listener', () => {
  test('takes events and acks them', async () => {
    const { port, server } = await start();
    const client = await RawClient.connectTls({ port, ca: await pem(ours.ca) });
    client.send(SAMPLES.message_chunk);
    expect(await client.receive(30)).toMatch(/^81a361636bb8/);
    expect(server.stats.events_in).toBe(1);
    client.destroy();
    await until('the end', () => server.stats.connections_open === 0);
  });

  test('closes and counts a client that speaks no TLS, and goes on', async () => {
    const { connect, port, server, log } = await start();
    const plain = await connect();
    plain.send(SAMPLES.docker_line);
    await plain.untilClosed();
    await until('the count', () => server.stats.tls_failures === 1);
    await until('no connection', () => server.stats.connections_open === 0);
    expect(log.said('warn').join()).toMatch(/TLS handshake failed/);
    const client = await RawClient.connectTls({ port, ca: await pem(ours.ca) });
    client.destroy();
  });

  test('refuses old versions', async () => {
    const { port } = await start({ min_version: 'TLSv1.3' });
    const old = RawClient.connectTls({ port, ca: await pem(ours.ca), maxVersion: 'TLSv1.2' });
    await expect(old).rejects.toThrow();
  });

  test('without certificate is no listener', async () => {
    const address = { kind: 'tls', host: '127.0.0.1', port: 0 } as const;
    await expect(startServer({ listeners: [{ address }] })).rejects.toMatchObject({
      code: 'LB_TLS',
    });
  });
});

describe('client certificates', () => {
  const outcome = async (port: number, from?: Certificates): Promise<'taken' | 'refused'> => {
    const own = from && { cert: await pem(from.cert), key: await pem(from.key) };
    const stats = running?.server.stats;
    const events = stats?.events_in ?? 0;
    const failures = stats?.tls_failures ?? 0;
    const client = await RawClient.connectTls({ port, ca: await pem(ours.ca), ...own }).catch(
      () => undefined,
    );
    client?.send(SAMPLES.docker_line);
    await until(
      'a decision',
      () => (stats?.events_in ?? 0) > events || (stats?.tls_failures ?? 0) > failures,
    );
    client?.destroy();
    return (stats?.events_in ?? 0) > events ? 'taken' : 'refused';
  };

  test.each([
    ['none', 'taken', 'taken', 'taken'],
    ['request', 'taken', 'taken', 'refused'],
    ['require', 'refused', 'taken', 'refused'],
  ] as const)(
    '%s: without one %s, with ours %s, with another %s',
    async (mode, none, own, other) => {
      const { port } = await start({ client_certificates: mode, ca_file: ours.ca });
      expect(await outcome(port)).toBe(none);
      expect(await outcome(port, ours)).toBe(own);
      expect(await outcome(port, others)).toBe(other);
    },
  );
});

describe('a renewed certificate', () => {
  test('is used for new connections, and old ones stay', async () => {
    const cert_file = join(dir.path, 'live.pem');
    const key_file = join(dir.path, 'live.key');
    await copyFile(ours.cert, cert_file);
    await copyFile(ours.key, key_file);
    const { port, server } = await start({ cert_file, key_file });
    const early = await RawClient.connectTls({ port, ca: await pem(ours.ca) });
    await copyFile(others.cert, cert_file);
    await copyFile(others.key, key_file);
    await server.reload();
    await expect(RawClient.connectTls({ port, ca: await pem(ours.ca) })).rejects.toThrow();
    const late = await RawClient.connectTls({ port, ca: await pem(others.ca) });
    early.send(SAMPLES.docker_line);
    late.send(SAMPLES.docker_line);
    await until('both events', () => server.stats.events_in === 2);
    early.destroy();
    late.destroy();
  });

  test('is found by itself; a broken one is warned of once and the old one stays', async () => {
    const cert_file = join(dir.path, 'watched.pem');
    const key_file = join(dir.path, 'watched.key');
    await copyFile(ours.cert, cert_file);
    await copyFile(ours.key, key_file);
    const clock = new ManualClock();
    const log = new RecordingLog();
    const renewed: unknown[] = [];
    const watch = new CertificateWatch(
      { cert_file, key_file },
      (context) => renewed.push(context.cert),
      clock,
      log,
    );
    await watch.start();
    const nextPoll = async (): Promise<void> => {
      await until('the watch', () => clock.waiting > 0);
      clock.advance(10_000);
      await until('the poll', () => clock.waiting > 0);
    };
    await nextPoll();
    expect(renewed).toEqual([]);

    const half_done = join(dir.path, 'next.pem');
    await copyFile(others.cert, half_done);
    await rename(half_done, cert_file);
    await nextPoll();
    await nextPoll();
    expect(renewed).toEqual([]);
    expect(log.said('warn')).toHaveLength(1);
    expect(log.said('warn')[0]).toMatch(/watched\.key: the key does not belong to .*watched\.pem/);

    await copyFile(others.key, key_file);
    await nextPoll();
    expect(renewed).toEqual([await pem(others.cert)]);
    watch.close();
  });
});

describe('files that cannot be used are named, with what is wrong', () => {
  test.each([
    ['a missing certificate', { cert_file: '/nowhere/cert.pem' }, /cert\.pem.*ENOENT/],
    ['a missing key', { key_file: '/nowhere/key.pem' }, /key\.pem.*ENOENT/],
    ['a certificate in place of the key', 'cert_as_key', /no usable private key/],
    ['a key in place of the certificate', 'key_as_cert', /no PEM certificate/],
    ['the key of another certificate', 'other_key', /does not belong to/],
    ['client certificates without a CA', { client_certificates: 'require' }, /no CA is given/],
    ['a broken certificate', 'broken', /broken\.pem/],
    ['an expired certificate', 'expired', /expired on/],
  ] as const)('%s', async (_what, change, message) => {
    const usual = { cert_file: ours.cert, key_file: ours.key };
    const broken = join(dir.path, 'broken.pem');
    await writeFile(broken, '-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n');
    const named = {
      cert_as_key: { ...usual, key_file: ours.cert },
      key_as_cert: { ...usual, cert_file: ours.key },
      other_key: { ...usual, key_file: others.key },
      broken: { ...usual, cert_file: broken },
      expired: usual,
    };
    const options = typeof change === 'string' ? named[change] : { ...usual, ...change };
    const now_ms = Date.now() + (change === 'expired' ? TEN_DAYS_MS : 0);
    const problem = await loadTls(options, now_ms).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(problem).toMatchObject({ code: 'LB_TLS' });
    expect((problem as { describe(): string }).describe()).toMatch(message);
  });
});
