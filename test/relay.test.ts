import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../src/config/load.ts';
import { ConfigTree } from '../src/config/tree.ts';
import type { Config } from '../src/config/types.ts';
import { type Relay, startRelay } from '../src/relay.ts';
import { systemClock } from '../src/sys/clock.ts';
import { SAMPLES } from './support/forward-messages.ts';
import { ForwardSink } from './support/forward-sink.ts';
import { RawClient } from './support/raw-client.ts';
import { RecordingLog } from './support/recording-log.ts';
import { type TempDir, tempDir } from './support/temp-dir.ts';
import { until } from './support/wait.ts';

/** `{"ack": CHUNK_ID}`: what each event of `send` is answered with. */
const ACK_BYTES = 30;
const STOP_TIMEOUT_MS = 500;

describe('startRelay', () => {
  let dir: TempDir;
  let sink: ForwardSink;
  let log: RecordingLog;
  let relays: Relay[];
  let clients: RawClient[];

  beforeEach(async () => {
    dir = await tempDir('relay');
    sink = await ForwardSink.listen();
    log = new RecordingLog();
    relays = [];
    clients = [];
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await Promise.allSettled(relays.map((relay) => relay.stop()));
    await sink.stop();
    await dir.remove();
  });

  const toSink = (of = sink): object => ({
    type: 'forward',
    servers: [`tcp://127.0.0.1:${of.port}`],
    start_at: 'oldest',
    retry: { min: '20ms', max: '100ms' },
  });

  function configOf(outputs: object, listen: readonly string[] = ['tcp://127.0.0.1:0']): Config {
    const tree = new ConfigTree({
      inputs: { forward: listen.map((url) => ({ listen: url })) },
      journal: { dir: join(dir.path, 'journal') },
      docker: { root: 'off' },
      status: { listen: 'off' },
      shutdown: { timeout: `${STOP_TIMEOUT_MS}ms` },
      outputs,
    });
    const context = {
      env: {},
      cwd: dir.path,
      terminal: false,
      readFile: () => '',
      flags: {},
    };
    const parsed = parseConfig({ tree, problems: [] }, context);
    if (parsed.ok) return parsed.config;
    throw new Error(parsed.problems.map(({ key, message }) => `${key}: ${message}`).join('\n'));
  }

  async function start(config: Config, drop_outputs: readonly string[] = []): Promise<Relay> {
    const relay = await startRelay(config, {
      log,
      clock: systemClock,
      stdout: new Writable({ write: (_bytes, _encoding, done) => done() }),
      stdout_is_terminal: false,
      drop_outputs,
      takeover: false,
      env: {},
      pid: 1,
      version: '1.2.3',
    });
    relays.push(relay);
    return relay;
  }

  async function clientOf(relay: Relay): Promise<RawClient> {
    const [url = ''] = relay.listening;
    const client = await RawClient.connect({
      host: '127.0.0.1',
      port: Number(new URL(url).port),
    });
    clients.push(client);
    return client;
  }

  /** Sends one event `{"log": "hi"}` with a chunk id of its own, and waits for its ack. */
  async function send(client: RawClient, number = 0): Promise<void> {
    const message = Buffer.from(SAMPLES.message_chunk);
    // The last but two characters of the id, which is AAAA...==
    message[message.length - 3] = 'A'.charCodeAt(0) + number;
    const acked_bytes = client.received.length + ACK_BYTES;
    client.send(message);
    await client.receive(acked_bytes);
  }

  const sinkHas = (events: number, of = sink): Promise<unknown> =>
    until(
      () => `${of.events} of ${events} events`,
      () => of.events >= events,
    );

  it('relays an acked event to the upstream and stops cleanly', async () => {
    const relay = await start(configOf({ sink: toSink() }));
    const client = await clientOf(relay);
    await send(client);
    await sinkHas(1);
    await relay.stop();
    expect(sink.values('log', 'app')).toEqual(['hi']);
    expect(client.closed || client.ended).toBe(true);
    expect(log.said('error')).toEqual([]);
    expect(log.lines.at(-1)?.fields).toMatchObject({ waiting: { sink: 0 }, dropped: {} });
  });

  it('keeps events while the upstream is away and delivers them after a restart under the same chunk ids', async () => {
    sink.react = () => 'hold';
    const config = configOf({ sink: toSink() });
    const first = await start(config);
    await send(await clientOf(first), 0);
    await sinkHas(1);
    await sink.stop();
    await send(await clientOf(first), 1);
    await first.stop();
    const [held] = sink.ids;

    sink.react = () => 'ack';
    await sink.start();
    await start(config);
    await sinkHas(2);
    expect(sink.violations).toEqual([]);
    // The chunk whose outcome was unknown came again as it was; the sink took it once.
    expect(sink.ids.filter((id) => id === held).length).toBeGreaterThan(1);
    expect(sink.events).toBe(2);
  });

  it('ends in time with an upstream that accepts and never acks', async () => {
    sink.react = () => 'hold';
    const relay = await start(configOf({ sink: toSink() }));
    await send(await clientOf(relay));
    await sinkHas(1);
    await relay.stop();
    expect(log.lines.at(-1)?.fields).toMatchObject({ waiting: { sink: 1 } });
  });

  it('ends in time with an upstream that is dead, and says at the next start what waits', async () => {
    await sink.stop();
    const relay = await start(configOf({ sink: toSink() }));
    await send(await clientOf(relay));
    await relay.stop();
    const said = log.lines.length;
    expect(log.lines.at(-1)?.fields).toMatchObject({ waiting: { sink: 1 } });
    await start(configOf({ sink: toSink() }));
    const waits = log.lines.slice(said).find(({ message }) => message.startsWith('events of the'));
    expect(waits?.fields).toMatchObject({ waiting: { sink: 1 } });
  });

  it('refuses to start while the journal keeps the place of an output that is gone, until it is given up', async () => {
    const first = await start(configOf({ sink: toSink(), old: toSink() }));
    await first.stop();

    const without = configOf({ sink: toSink() });
    await expect(start(without)).rejects.toMatchObject({
      code: 'LB_CONFIG',
      where: 'output old',
    });
    // What was opened for the attempt is closed again: the journal is free.
    const relay = await start(without, ['old']);
    await send(await clientOf(relay));
    await sinkHas(1);
    await relay.stop();
    await start(without);
  });

  it('refuses to give up a place that the journal does not keep, and gives up none', async () => {
    await (await start(configOf({ sink: toSink(), old: toSink() }))).stop();
    const without = configOf({ sink: toSink() });
    await expect(start(without, ['old', 'odl'])).rejects.toMatchObject({
      code: 'LB_CONFIG',
      where: '--drop-output odl',
    });
    await expect(start(without)).rejects.toMatchObject({ where: 'output old' });
  });

  it('frees the journal when a listener cannot be opened', async () => {
    await (await start(configOf({ sink: toSink() }))).stop();
    const blocker = await ForwardSink.listen();
    const taken = `tcp://127.0.0.1:${blocker.port}`;
    await expect(start(configOf({ sink: toSink() }, [taken]))).rejects.toMatchObject({
      code: 'LB_LISTEN',
    });
    await blocker.stop();
    await expect(start(configOf({ sink: toSink() }))).resolves.toBeDefined();
  });

  it('counts events that no output takes', async () => {
    const relay = await start(configOf({ sink: { ...toSink(), match: 'other.**' } }));
    await send(await clientOf(relay));
    await relay.stop();
    expect(log.lines.at(-1)?.fields).toMatchObject({ dropped: { unrouted: { app: 1 } } });
    expect(sink.events).toBe(0);
  });

  describe('reload', () => {
    it('adds an output without touching a connection', async () => {
      const relay = await start(configOf({ sink: toSink() }));
      const client = await clientOf(relay);
      await send(client, 0);
      const second = await ForwardSink.listen();
      try {
        await relay.reload(configOf({ sink: toSink(), second: toSink(second) }));
        await send(client, 1);
        await sinkHas(2);
        await until('the event at the new output', () => second.events > 0);
      } finally {
        await second.stop();
      }
      expect(client.closed).toBe(false);
      expect(sink.connections_count).toBe(1);
    });

    it("changes an output's servers and re-sends what was in flight under its id", async () => {
      sink.react = () => 'hold';
      const relay = await start(configOf({ sink: toSink() }));
      const client = await clientOf(relay);
      await send(client, 0);
      await sinkHas(1);
      const second = await ForwardSink.listen();
      try {
        await relay.reload(configOf({ sink: toSink(second) }));
        await send(client, 1);
        await sinkHas(2, second);
        expect(second.ids[0]).toBe(sink.ids[0]);
        expect(second.events).toBe(2);
        expect(sink.events).toBe(1);
      } finally {
        await second.stop();
      }
      expect(client.closed).toBe(false);
      expect(sink.open_connections).toBe(0);
    });

    it('takes back a new output that cannot start, and goes on with the others', async () => {
      const before = configOf({ sink: toSink() });
      const relay = await start(before);
      const bad = { ...toSink(), servers: ['tls://127.0.0.1:1'], tls: { ca: '/nonexistent' } };
      await expect(relay.reload(configOf({ sink: toSink(), bad }))).rejects.toMatchObject({
        code: 'LB_TLS',
      });
      await send(await clientOf(relay));
      await sinkHas(1);
      await relay.stop();
      // The place that was made for it is gone again: nothing keeps the old one from starting.
      await start(before);
    });

    it('puts an output back that was exchanged before another one failed', async () => {
      const relay = await start(configOf({ sink: toSink() }));
      const second = await ForwardSink.listen();
      const bad = { ...toSink(), servers: ['tls://127.0.0.1:1'], tls: { ca: '/nonexistent' } };
      const changed = configOf({ sink: toSink(second), bad });
      await expect(relay.reload(changed)).rejects.toMatchObject({ code: 'LB_TLS' });
      await send(await clientOf(relay));
      await sinkHas(1);
      expect(second.events).toBe(0);
      await second.stop();
    });

    it('refuses an output of another type under the same name', async () => {
      const relay = await start(configOf({ sink: toSink() }));
      const file = { type: 'file', path: join(dir.path, 'events.ndjson') };
      await expect(relay.reload(configOf({ sink: file }))).rejects.toMatchObject({
        code: 'LB_CONFIG',
        where: 'output sink',
      });
      await send(await clientOf(relay));
      await sinkHas(1);
    });

    it('refuses a changed listener, and then changes nothing', async () => {
      const relay = await start(configOf({ sink: toSink() }));
      const client = await clientOf(relay);
      const second = await ForwardSink.listen();
      const listen = ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0'];
      const changed = configOf({ sink: toSink(second) }, listen);
      await expect(relay.reload(changed)).rejects.toMatchObject({ code: 'LB_CONFIG' });
      await send(client);
      await sinkHas(1);
      expect(second.connections_count).toBe(0);
      await second.stop();
    });

    it('refuses to leave out an output, and then changes nothing', async () => {
      const relay = await start(configOf({ sink: toSink(), other: toSink() }));
      const narrow = { ...toSink(), match: 'nothing' };
      await expect(relay.reload(configOf({ sink: narrow }))).rejects.toMatchObject({
        code: 'LB_CONFIG',
      });
      await send(await clientOf(relay));
      await until('both outputs', () => sink.chunks.length === 2);
    });
  });
});
