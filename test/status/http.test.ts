import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LogboomError } from '../../src/errors.ts';
import { StatusServer, type StatusServerOptions } from '../../src/status/http/status-server.ts';
import type { RelayStatus } from '../../src/status/types.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freePort } from '../support/ports.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { sampleStatus } from '../support/status-samples.ts';
import { until } from '../support/wait.ts';

const PAGE = { type: 'text/html; charset=utf-8', body: '<!doctype html>' };
const TOKEN = 's3cret';

const servers: StatusServer[] = [];
const requests: { destroy(): unknown }[] = [];

afterEach(async () => {
  for (const each of requests.splice(0)) each.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Rig {
  readonly server: StatusServer;
  readonly clock: ManualClock;
  readonly log: RecordingLog;
  status: RelayStatus;
}

async function rigOf(options: Partial<StatusServerOptions> = {}): Promise<Rig> {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const given = { host: '127.0.0.1', port: 0, token: undefined, ...options };
  const deps = { assets: new Map([['/', PAGE]]), clock, log };
  const server = await StatusServer.open(given, deps);
  servers.push(server);
  return { server, clock, log, status: sampleStatus() };
}

async function running(options: Partial<StatusServerOptions> = {}): Promise<Rig> {
  const rig = await rigOf(options);
  rig.server.begin(() => rig.status);
  return rig;
}

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly token?: string;
}

async function open(
  { server }: Rig,
  path: string,
  { method = 'GET', host, token }: Asked = {},
): Promise<IncomingMessage> {
  const headers = {
    ...(host === undefined ? {} : { host }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const { hostname, port } = new URL(server.url);
  const asking = request({ host: hostname, port, path, method, headers, agent: false }).end();
  requests.push(asking);
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return response.setEncoding('utf8');
}

async function ask(rig: Rig, path: string, asked: Asked = {}) {
  const response = await open(rig, path, asked);
  let body = '';
  for await (const text of response) body += String(text);
  return { code: response.statusCode, body, headers: response.headers };
}

async function codes(rig: Rig, paths: readonly string[], asked: Asked = {}): Promise<object> {
  const found = await Promise.all(paths.map((path) => ask(rig, path, asked)));
  return Object.fromEntries(paths.map((path, at) => [path, found[at]?.code]));
}

const PATHS = ['/', '/healthz', '/readyz', '/status.json', '/metrics', '/api/plugins.json'];

describe('the status server', () => {
  it('answers the snapshot, the metrics and the page', async () => {
    const rig = await running();
    expect(JSON.parse((await ask(rig, '/status.json')).body)).toEqual(rig.status);
    const metrics = await ask(rig, '/metrics');
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(metrics.body).toContain('# TYPE logboom_input_events_total counter');
    expect(await ask(rig, '/')).toMatchObject({ code: 200, body: PAGE.body });
  });

  it('lets nobody keep what it answers, frame it or load from elsewhere', async () => {
    const { headers } = await ask(await running(), '/');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(
        /^default-src 'self'.*frame-ancestors 'none'/,
      ),
    });
  });

  it('answers HEAD as GET, without a body', async () => {
    const rig = await running();
    const head = await ask(rig, '/status.json', { method: 'HEAD' });
    expect(head).toMatchObject({ code: 200, body: '' });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
    expect(await ask(rig, '/events', { method: 'HEAD' })).toMatchObject({ code: 200, body: '' });
  });

  it('says 404 and 405 in plain text', async () => {
    const rig = await running();
    expect(await ask(rig, '/nope')).toMatchObject({
      code: 404,
      body: 'there is nothing at /nope; see /status.json, /metrics, /healthz\n',
    });
    expect(await ask(rig, '/status.json', { method: 'POST' })).toMatchObject({
      code: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  it('names the port that is taken, and what to do', async () => {
    const { server } = await rigOf();
    const error = await rigOf({ port: Number(new URL(server.url).port) }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LogboomError);
    expect(error).toMatchObject({
      code: 'LB_LISTEN',
      where: server.url,
      hint: expect.stringContaining('--status off'),
    });
  });

  it('frees its port though clients hold on to their connections', async () => {
    // Not one that the kernel gives to clients: it has to stay free between the two servers.
    const port = await freePort();
    const rig = await running({ port });
    const idle = connect(port, '127.0.0.1');
    requests.push(idle);
    await once(idle, 'connect');
    const events = await open(rig, '/events');
    events.resume();
    const ended = Promise.all([once(events, 'close'), once(idle.resume(), 'close')]);
    await rig.server.close();
    await ended;
    await expect(rigOf({ port })).resolves.toBeDefined();
  });

  it('answers 500 and says so in the log when a snapshot cannot be made', async () => {
    const rig = await rigOf();
    rig.server.begin(() => {
      throw new Error('broken');
    });
    expect((await ask(rig, '/status.json')).code).toBe(500);
    expect(rig.log.said('error')).toEqual([expect.stringContaining('broken')]);
  });
});

describe('health', () => {
  it('is 503 for everything but the page until the relay runs', async () => {
    const rig = await rigOf();
    const unready = Object.fromEntries(PATHS.map((path) => [path, path === '/' ? 200 : 503]));
    expect(await codes(rig, PATHS)).toEqual(unready);
    expect((await ask(rig, '/events')).code).toBe(503);
    rig.server.begin(() => rig.status);
    expect(await codes(rig, ['/healthz', '/readyz'])).toEqual({ '/healthz': 200, '/readyz': 200 });
  });

  it('is 503 with the reason while the journal takes nothing; ready it is all the same', async () => {
    const rig = await running();
    rig.status = sampleStatus({ journal: { ...rig.status.journal, state: 'disk_full' } });
    expect(await ask(rig, '/healthz')).toMatchObject({
      code: 503,
      body: 'the journal takes nothing: the disk is full: inputs are held until there is room\n',
    });
    expect((await ask(rig, '/readyz')).code).toBe(200);
  });

  it('is 503 when the relay is about to stop', async () => {
    const rig = await running();
    rig.status = sampleStatus({ state: 'stopping' });
    expect(await codes(rig, ['/healthz', '/readyz'])).toEqual({ '/healthz': 503, '/readyz': 503 });
  });
});

describe('a token', () => {
  it('guards every figure, but neither health nor the page', async () => {
    const rig = await running({ token: TOKEN });
    expect(await codes(rig, [...PATHS, '/events'])).toEqual({
      '/': 200,
      '/healthz': 200,
      '/readyz': 200,
      '/status.json': 401,
      '/metrics': 401,
      '/api/plugins.json': 401,
      '/events': 401,
    });
    expect((await ask(rig, '/metrics', { token: TOKEN })).code).toBe(200);
  });

  it.each(['', 's3cre', 's3crets', 'S3CRET'])('that is "%s" is refused', async (token) => {
    const rig = await running({ token: TOKEN });
    const { code, headers } = await ask(rig, '/metrics', { token });
    expect(code).toBe(401);
    expect(headers['www-authenticate']).toContain('Bearer');
  });
});

describe('a server on a loopback address', () => {
  it.each(['127.0.0.1:24220', 'localhost', '[::1]:24220', 'relay.localhost:80', '127.8.9.1'])(
    'is served as %s',
    async (host) => {
      expect((await ask(await running(), '/status.json', { host })).code).toBe(200);
    },
  );

  it.each(['evil.example', 'evil.example:24220', '127.0.0.1.evil.example', '10.0.0.1', '[::2]'])(
    'is not served as %s',
    async (host) => {
      expect(await codes(await running(), [...PATHS, '/events'], { host })).toEqual(
        Object.fromEntries([...PATHS, '/events'].map((path) => [path, 403])),
      );
    },
  );

  it('elsewhere is served under any name, and warned of without a token', async () => {
    const rig = await rigOf({ host: '0.0.0.0' });
    expect((await ask(rig, '/', { host: 'relay.example' })).code).toBe(200);
    expect(rig.log.said('warn')).toEqual([expect.stringContaining('give a token')]);
  });
});

describe('the event stream', () => {
  /** The next snapshot that the stream brings. */
  async function next(stream: AsyncIterator<string>): Promise<RelayStatus> {
    let text = '';
    for (;;) {
      const { value, done } = await stream.next();
      if (done === true) throw new Error(`the stream ended after ${text}`);
      text += value;
      const [, data] = /^data: (.*)\n\n/m.exec(text) ?? [];
      if (data !== undefined) return JSON.parse(data) as RelayStatus;
    }
  }

  it('brings the snapshot at once, and then every second', async () => {
    const rig = await running();
    const response = await open(rig, '/events');
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const stream: AsyncIterator<string> = response[Symbol.asyncIterator]();
    expect(await next(stream)).toEqual(rig.status);
    rig.status = sampleStatus({ pid: 77 });
    rig.clock.advance(1_000);
    expect((await next(stream)).pid).toBe(77);
  });

  it('has no timer without readers', async () => {
    const rig = await running();
    expect(rig.clock.waiting).toBe(0);
    const response = await open(rig, '/events');
    expect(rig.clock.waiting).toBe(1);
    response.destroy();
    await until('no timer is left', () => rig.clock.waiting === 0);
  });

  it('takes so many readers and no more', async () => {
    const rig = await running();
    const taken = await Promise.all(Array.from({ length: 16 }, () => open(rig, '/events')));
    expect(taken.map(({ statusCode }) => statusCode)).toEqual(Array(16).fill(200));
    expect((await ask(rig, '/events')).code).toBe(503);
    taken[0]?.destroy();
    await until('there is a place again', async () => {
      const { statusCode } = await open(rig, '/events');
      return statusCode === 200;
    });
  });

  /** A reader that does not read; a snapshot is larger than what the kernel holds for it. */
  async function sleeper(rig: Rig): Promise<Socket> {
    rig.status = sampleStatus({ version: 'x'.repeat(8 * 1024 * 1024) });
    const reader = connect(Number(new URL(rig.server.url).port), '127.0.0.1');
    requests.push(reader);
    reader.pause().write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('the stream has begun', () => rig.clock.waiting === 1);
    return reader;
  }

  it('keeps one snapshot at most for a reader that does not read', async () => {
    const rig = await running();
    const reader = await sleeper(rig);
    rig.clock.advance(20_000);
    rig.status = sampleStatus({ version: 'last' });
    let text = '';
    reader.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    reader.resume();
    await until('the first snapshot is whole', () => text.endsWith('\n\n\r\n'));
    expect(text.match(/^data: /gm)).toHaveLength(1);
    rig.clock.advance(1_000);
    await until('it gets the next one', () => text.includes('"version":"last"'));
    expect(text.match(/^data: /gm)).toHaveLength(2);
  });

  it('sends a reader away that does not read for half a minute', async () => {
    const rig = await running();
    await sleeper(rig);
    rig.clock.advance(30_000);
    expect(rig.clock.waiting).toBe(1);
    rig.clock.advance(1_000);
    await until('no timer is left', () => rig.clock.waiting === 0);
  });
});

describe('/api/plugins.json', () => {
  it("has fluentd's form", async () => {
    const rig = await running();
    const { plugins } = JSON.parse((await ask(rig, '/api/plugins.json')).body);
    expect(plugins[0]).toMatchObject({
      plugin_category: 'input',
      type: 'forward',
      output_plugin: false,
      retry_count: null,
      emit_records: rig.status.inputs.events,
    });
    const [output] = rig.status.outputs;
    expect(plugins[1]).toMatchObject({
      plugin_id: output?.name,
      plugin_category: 'output',
      output_plugin: true,
      retry_count: output?.retries,
      buffer_queue_length: output?.chunks_in_flight,
      buffer_total_queued_size: output?.lag_bytes,
      config: { '@id': output?.name },
    });
  });

  it('filters by @id and @type, and leaves the configuration out when asked', async () => {
    const rig = await running();
    const name = rig.status.outputs[0]?.name ?? '';
    const plugins = async (query: string): Promise<Record<string, unknown>[]> =>
      JSON.parse((await ask(rig, `/api/plugins.json?${query}`)).body).plugins;
    expect((await plugins(`@id=${name}`)).map(({ plugin_id }) => plugin_id)).toEqual([name]);
    expect(await plugins('@type=nothing')).toEqual([]);
    const bare = await plugins('with_config=no');
    expect(bare.length).toBe(1 + rig.status.outputs.length);
    expect(bare.some((plugin) => 'config' in plugin)).toBe(false);
  });
});
