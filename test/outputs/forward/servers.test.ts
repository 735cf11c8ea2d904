import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { numbered } from '../../support/entries.ts';
import { freePort } from '../../support/ports.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';
import { optionsFor, Rig, range, serverOf } from './output-under-test.ts';

const RETRY = { ...optionsFor([]).retry, failover_after_ms: 200, recover_wait_ms: 100 };

let rig: Rig;
let dir: TempDir;

beforeAll(async () => {
  dir = await tempDir('forward-servers');
});
afterAll(() => dir.remove());
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

describe('failover', () => {
  it('goes to the next server while the first is down, and back when it has recovered', async () => {
    const [first, second] = [await rig.sink(), await rig.sink()];
    const output = await rig.output([first, second], { retry: RETRY });
    rig.journal.append({ body: numbered(0, 1) });
    await output.drained();
    await first.stop();
    const stateOfFirst = () => output.output.stats().details[serverOf(first).url];
    await until('it is noticed', () => stateOfFirst() !== 'up, fit');
    rig.journal.append({ body: numbered(1, 1) });
    await output.drained();
    await first.start();
    await until('the first is fit again', () => stateOfFirst() === 'up, fit');
    rig.journal.append({ body: numbered(2, 1) });
    await output.drained();
    expect(first.values('n')).toEqual([0, 2]);
    expect(second.values('n')).toEqual([1]);
    expect(output.output.stats().details['possibly_doubled']).toBe(0);
  });

  it('retries a chunk of unknown outcome on its server, which knows its id, before another gets it', async () => {
    const [first, second] = [await rig.sink(), await rig.sink()];
    first.react = () => (first.chunks.length === 1 ? 'take_and_close' : 'ack');
    const output = await rig.output([first, second], {
      retry: { ...RETRY, failover_after_ms: 60_000 },
    });
    rig.journal.append({ body: numbered(0, 5), count: 5 });
    await output.drained();
    expect(first.ids).toEqual([first.ids[0], first.ids[0]]);
    expect(first.events).toBe(5);
    expect(second.chunks).toEqual([]);
  });

  it('moves a chunk of unknown outcome after failover_after, and counts it as possibly doubled', async () => {
    const [first, second] = [await rig.sink(), await rig.sink()];
    const output = await rig.output([first, second], { retry: RETRY });
    first.react = () => 'take_and_close';
    rig.journal.append({ body: numbered(0, 5), count: 5 });
    await until('the first has it', () => first.chunks.length > 0);
    await first.stop();
    await output.drained();
    expect(second.values('n')).toEqual(range(0, 5));
    expect(second.ids[0]).toBe(first.ids[0]);
    expect(output.output.stats().details['possibly_doubled']).toBe(5);
  });
});

describe('the state', () => {
  it('is running while one of the servers is well, and retrying when none is', async () => {
    const [first, second] = [await rig.sink(), await rig.sink()];
    const { output } = await rig.output([first, second]);
    await until(
      'both are up',
      () =>
        output.stats().state === 'running' &&
        first.open_connections + second.open_connections === 2,
    );
    await second.stop();
    rig.journal.append({ body: numbered(0, 1) });
    await until('it arrived', () => output.stats().events_out === 1);
    expect(output.stats().state).toBe('running');
    await first.stop();
    await until('it is noticed', () => output.stats().state === 'retrying');
    await second.start();
    await until('it is noticed', () => output.stats().state === 'running');
  });
});

describe('weighted balance', () => {
  it('spreads tags over the servers, each tag in order on one', async () => {
    const found = [await rig.sink(), await rig.sink(), await rig.sink()];
    const output = await rig.output(found, { balance: 'weighted' });
    for (let i = 0; i < 300; i++) rig.journal.append({ tag: `t${i % 30}`, body: numbered(i, 1) });
    await output.drained();
    for (let tag = 0; tag < 30; tag++) {
      const holders = found.filter((sink) => sink.values('n', `t${tag}`).length > 0);
      expect(holders).toHaveLength(1);
      expect(holders[0]?.values('n', `t${tag}`)).toEqual(range(0, 10).map((i) => i * 30 + tag));
    }
    expect(found.every((sink) => sink.events > 0)).toBe(true);
  });

  it('leaves no tag behind on a server that died', async () => {
    const found = [await rig.sink(), await rig.sink()];
    const output = await rig.output(found, { balance: 'weighted', retry: RETRY });
    for (let i = 0; i < 40; i++) rig.journal.append({ tag: `t${i % 20}`, body: numbered(i, 1) });
    await output.drained();
    await found[0]?.stop();
    for (let i = 40; i < 80; i++) rig.journal.append({ tag: `t${i % 20}`, body: numbered(i, 1) });
    await output.drained();
    const all = found.flatMap((sink) => sink.values('n') as number[]);
    expect(all.toSorted((a, b) => a - b)).toEqual(range(0, 80));
  });
});

describe('names and addresses', () => {
  it('tries the addresses of a name in turn, and looks it up again for each connection', async () => {
    const sink = await rig.sink();
    const asked: string[] = [];
    const lookup = async (host: string): Promise<string[]> => {
      asked.push(host);
      return ['127.0.0.9', '127.0.0.1'];
    };
    const server = serverOf(sink, {
      address: { kind: 'tcp', host: 'aggregator.test', port: sink.port },
    });
    const output = await rig.output([server], {}, { lookup });
    rig.journal.append({ body: numbered(0, 1) });
    await output.drained();
    sink.cutConnections();
    rig.journal.append({ body: numbered(1, 1) });
    await output.drained();
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(new Set(asked)).toEqual(new Set(['aggregator.test']));
  });

  /** Two servers behind one name, and what the name leads to. */
  async function twoBehindOneName(failover_after_ms: number) {
    const first = await rig.sink();
    const second = await rig.sink({ host: '127.0.0.2', port: first.port });
    const addresses = ['127.0.0.1', '127.0.0.2'];
    const server = serverOf(first, {
      address: { kind: 'tcp', host: 'both.test', port: first.port },
    });
    const retry = { ...RETRY, failover_after_ms };
    const output = await rig.output([server], { retry }, { lookup: async () => addresses });
    const doubled = () => output.output.stats().details['possibly_doubled'];
    return { first, second, addresses, output, doubled };
  }

  it('retries a chunk of unknown outcome at the address that may have it', async () => {
    const { first, second, output, doubled } = await twoBehindOneName(60_000);
    first.react = () => (first.chunks.length < 4 ? 'take_and_close' : 'ack');
    rig.journal.append({ body: numbered(0, 5), count: 5 });
    await output.drained();
    expect(new Set(first.ids).size).toBe(1);
    expect(second.chunks).toEqual([]);
    expect(doubled()).toBe(0);
  });

  it('moves it to another address of the name after failover_after, and counts it as possibly doubled', async () => {
    const { first, second, output, doubled } = await twoBehindOneName(200);
    first.react = () => 'take_and_close';
    rig.journal.append({ body: numbered(0, 5), count: 5 });
    await until('the first has it', () => first.chunks.length > 0);
    await first.stop();
    await output.drained();
    expect(second.values('n')).toEqual(range(0, 5));
    expect(doubled()).toBe(5);
  });

  it('moves it at once when the name leads there no more', async () => {
    const { first, second, addresses, output, doubled } = await twoBehindOneName(60_000);
    first.react = () => 'take_and_close';
    rig.journal.append({ body: numbered(0, 5), count: 5 });
    await until('the first has it', () => first.chunks.length > 0);
    addresses.shift();
    await output.drained();
    expect(second.values('n')).toEqual(range(0, 5));
    expect(doubled()).toBe(5);
  });

  it('waits for a name that cannot be looked up yet', async () => {
    const sink = await rig.sink();
    let attempts = 0;
    const lookup = async (): Promise<string[]> => {
      if (attempts++ < 3) throw new Error('ENOTFOUND');
      return ['127.0.0.1'];
    };
    const server = serverOf(sink, { address: { kind: 'tcp', host: 'late.test', port: sink.port } });
    const output = await rig.output([server], {}, { lookup });
    rig.journal.append({ body: numbered(0, 1) });
    await output.drained();
    expect(output.output.stats().last_error).toMatch(
      /late\.test: the name cannot be looked up: ENOTFOUND/,
    );
  });

  it('names the address that refuses', async () => {
    const port = await freePort();
    const server = {
      url: 'tcp://x',
      address: { kind: 'tcp' as const, host: '127.0.0.1', port },
      weight: 1,
      standby: false,
    };
    const { output } = await rig.output([server]);
    await until('the error', () => output.stats().last_error !== undefined);
    expect(output.stats()).toMatchObject({
      state: 'retrying',
      last_error: expect.stringContaining(`127.0.0.1:${port}: connect ECONNREFUSED (LB_UPSTREAM)`),
    });
  });

  it('sends over a unix socket', async () => {
    const path = join(dir.path, 'up.sock');
    const sink = await rig.sink({ path });
    const output = await rig.output([serverOf(sink, { address: { kind: 'unix', path } })]);
    rig.journal.append({ body: numbered(0, 3), count: 3 });
    await output.drained();
    expect(sink.values('n')).toEqual([0, 1, 2]);
  });

  it('makes connections anew at their maximum age, in the middle of the stream, without losing anything', async () => {
    const sink = await rig.sink();
    const output = await rig.output([sink], { connection_max_age_ms: 30, chunk_max_bytes: 100 });
    for (let i = 0; i < 100; i++) {
      rig.journal.append({ body: numbered(i, 1) });
      if (i % 5 === 0)
        await until('it is sent', () => sink.values('n').includes(i), { interval_ms: 5 });
    }
    await output.drained();
    expect(sink.connections_count).toBeGreaterThan(2);
    expect(sink.values('n')).toEqual(range(0, 100));
    expect(output.output.stats()).toMatchObject({ retries: 0, last_error: undefined });
  });

  it('makes a connection anew at its maximum age though there is always something in flight', async () => {
    const sink = await rig.sink();
    sink.react = (chunk) => {
      setTimeout(() => sink.ack(chunk.id ?? ''), 30);
      return 'hold';
    };
    const output = await rig.output([sink], { connection_max_age_ms: 200 });
    let next = 0;
    await until(
      'there were three connections',
      async () => {
        rig.journal.append({ tag: `t${next % 5}`, body: numbered(next, 1) });
        next++;
        return sink.connections_count >= 3;
      },
      { interval_ms: 3 },
    );
    await output.drained();
    expect((sink.values('n') as number[]).toSorted((a, b) => a - b)).toEqual(range(0, next));
    expect(output.output.stats().retries).toBe(0);
  });
});

describe('the handshake', () => {
  const handshake = {
    shared_key: 's3cret',
    username: '',
    password: '',
    self_hostname: 'client.test',
  };

  it('is done with shared key and user before anything is sent', async () => {
    const sink = await rig.sink({ shared_key: 's3cret', user: { name: 'alice', password: 'pw' } });
    const output = await rig.output([sink], {
      handshake: { ...handshake, username: 'alice', password: 'pw' },
    });
    rig.journal.append({ body: numbered(0, 3), count: 3 });
    await output.drained();
    expect(sink.values('n')).toEqual([0, 1, 2]);
  });

  it.each([
    ['a wrong key', { shared_key: 'other' }, 'shared_key mismatch'],
    ['a wrong password', { username: 'alice', password: 'no' }, 'username/password mismatch'],
    [
      'our own hostname at the other end',
      { self_hostname: 'sink.test' },
      'the server has our own hostname',
    ],
  ])('that fails for %s says so, and nothing is sent', async (_, wrong, expected) => {
    const sink = await rig.sink({ shared_key: 's3cret', user: { name: 'alice', password: 'pw' } });
    const right = { ...handshake, username: 'alice', password: 'pw' };
    const { output } = await rig.output([sink], { handshake: { ...right, ...wrong } });
    rig.journal.append({ body: numbered(0, 1) });
    await until('the error', () => output.stats().last_error?.includes(expected));
    expect(sink.chunks).toEqual([]);
  });

  it('that the upstream never begins ends at connect_timeout with a hint', async () => {
    const sink = await rig.sink();
    const { output } = await rig.output([sink], { handshake, connect_timeout_ms: 100 });
    await until('the error', () =>
      output.stats().last_error?.includes('shake hands within 100 ms'),
    );
    expect(output.stats().last_error).toContain('Check that the upstream has a shared key at all.');
  });
});

describe('TLS', () => {
  let certificates: Certificates;
  let cert = Buffer.alloc(0);
  let key = Buffer.alloc(0);
  let ca = Buffer.alloc(0);
  beforeAll(async () => {
    certificates = await makeCertificates(dir.path);
    cert = await readFile(certificates.cert);
    key = await readFile(certificates.key);
    ca = await readFile(certificates.ca);
  });

  const tlsServer = (port: number, host = 'localhost') => ({
    url: `tls://${host}`,
    address: { kind: 'tls' as const, host, port },
    weight: 1,
    standby: false,
  });

  it('verifies the server by its name, or by its address', async () => {
    const sink = await rig.sink({ tls: { cert, key } });
    const tls = { ca_file: certificates.ca, verify: true, min_version: 'TLSv1.2' as const };
    for (const host of ['localhost', '127.0.0.1']) {
      const output = await rig.output([tlsServer(sink.port, host)], { tls, name: host });
      rig.journal.append({ body: numbered(0, 3), count: 3 });
      await output.drained();
      await output.output.stop(1000);
    }
    expect(sink.events).toBe(6);
  });

  it('refuses a server that no known authority signed, or with another name', async () => {
    const sink = await rig.sink({ tls: { cert, key } });
    const unknown = await rig.output([tlsServer(sink.port)], {
      tls: { verify: true, min_version: 'TLSv1.2' },
    });
    await until('the error', () =>
      /unable to verify|self.signed/.test(unknown.output.stats().last_error ?? ''),
    );
    const tls = {
      ca_file: certificates.ca,
      verify: true,
      min_version: 'TLSv1.2' as const,
      server_name: 'other.test',
    };
    const misnamed = await rig.output([tlsServer(sink.port)], { tls });
    await until('the error', () =>
      misnamed.output
        .stats()
        .last_error?.includes("Host: other.test. is not in the cert's altnames"),
    );
    expect(sink.connections_count).toBe(0);
  });

  it('shows its own certificate to a server that asks for one', async () => {
    const sink = await rig.sink({
      tls: { cert, key, ca, requestCert: true, rejectUnauthorized: true },
    });
    const tls = {
      ca_file: certificates.ca,
      cert_file: certificates.cert,
      key_file: certificates.key,
      verify: true,
      min_version: 'TLSv1.2' as const,
    };
    const output = await rig.output([tlsServer(sink.port)], { tls });
    rig.journal.append({ body: numbered(0, 3), count: 3 });
    await output.drained();
  });

  it('does not start with a file that cannot be used', async () => {
    const sink = await rig.sink();
    const missing = join(dir.path, 'missing.pem');
    const tls = { ca_file: missing, verify: true, min_version: 'TLSv1.2' as const };
    await expect(rig.output([sink], { tls })).rejects.toMatchObject({
      code: 'LB_TLS',
      where: missing,
    });
  });
});
