import { once } from 'node:events';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/types.ts';
import { type Relay, startRelay } from '../../src/relay.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { FakeEngine } from '../support/fake-engine.ts';
import { ForwardSink } from '../support/forward-sink.ts';
import { freePort } from '../support/ports.ts';
import { RelayRig } from '../support/relay-rig.ts';
import { until } from '../support/wait.ts';

const cri = (text: string, at: number): string =>
  `2026-11-23T06:00:0${at}.000000000Z stdout F ${text}\n`;

describe('the relay', () => {
  let rig: RelayRig;
  let engine: FakeEngine;
  let relays: Relay[];

  beforeEach(async () => {
    rig = await RelayRig.open();
    engine = await FakeEngine.start();
    relays = [];
  });

  afterEach(async () => {
    await Promise.allSettled(relays.map((relay) => relay.stop()));
    await engine.dispose();
    await rig.dispose();
  });

  async function start(changed: (config: Config) => Config): Promise<Relay> {
    const relay = await startRelay(changed(rig.config({ sink: rig.toSink() })), {
      log: rig.log,
      clock: systemClock,
      stdout: rig.stdout,
      stdout_is_terminal: false,
      drop_outputs: [],
      takeover: false,
      env: {},
      pid: 1,
      version: '0.0.0',
    });
    relays.push(relay);
    return relay;
  }

  const logs = (tag: string): unknown[] => rig.sink.values('log', tag);
  const arrived = (tag: string, ...lines: string[]): Promise<unknown> =>
    until(
      () => `${lines.join()} in ${logs(tag).join()}`,
      () => logs(tag).length >= lines.length && logs(tag).join() === lines.join(),
    );

  const withTail = (config: Config): Config => {
    const paths = [join(rig.dir.path, 'pods/*/*/*.log')];
    const tail = { paths, exclude: [], tag: '{pod}', start_at: 'oldest' } as const;
    // The same files by two entries: each is read once all the same.
    return { ...config, inputs: { ...config.inputs, tail: [tail, { ...tail, tag: 'again' }] } };
  };

  it("reads Kubernetes' files from their positions on, through restarts", async () => {
    const folder = join(rig.dir.path, 'pods', 'shop_web_uid', 'app');
    await mkdir(folder, { recursive: true });
    const file = join(folder, '0.log');
    await writeFile(file, cri('one', 1));
    const first = await start(withTail);
    await arrived('web', 'one');
    await first.stop();
    expect(rig.lastWords).toMatchObject({ docker: { lines: 1, gaps: [] } });
    await appendFile(file, cri('two', 2));
    await start(withTail);
    await arrived('web', 'one', 'two');
    expect(logs('again')).toEqual([]);
  });

  it('takes files that were created while it was away from their beginning', async () => {
    const later = (config: Config): Config => {
      const { inputs } = withTail(config);
      const tail = inputs.tail.map((entry) => ({ ...entry, start_at: 'newest' as const }));
      return { ...config, inputs: { ...inputs, tail } };
    };
    await (await start(later)).stop();
    const folder = join(rig.dir.path, 'pods', 'shop_late_uid', 'app');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, '0.log'), cri('first', 1));
    await start(later);
    await arrived('late', 'first');
  });

  it('answers a health check while it runs, and no longer', async () => {
    const port = await freePort();
    const health = { host: '127.0.0.1', port };
    const withHealth = (config: Config): Config => ({
      ...config,
      inputs: { ...config.inputs, health },
    });
    const relay = await start(withHealth);
    const check = connect(health).resume();
    const closed = once(check, 'close');
    await once(check, 'connect');
    await relay.stop();
    await closed;
    const [error] = (await once(connect(health), 'error')) as unknown[];
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('does not start without the health check that it was told to give, and frees the journal', async () => {
    const blocker = await ForwardSink.listen();
    const health = { host: '127.0.0.1', port: blocker.port };
    const inputs = (config: Config) => ({ ...config.inputs, health });
    const attempt = start((config) => ({ ...config, inputs: inputs(config) }));
    await expect(attempt).rejects.toMatchObject({ code: 'LB_LISTEN' });
    await blocker.stop();
    await start((config) => config);
  });

  it('reads containers through the Engine where no files are known', async () => {
    const container = engine.add('c', 'web');
    const entry = { stream: 'stdout', time_s: 1_795_414_942, time_ns: 1, line: 'hi\n' } as const;
    engine.write(container, entry);
    await start((config) => ({
      ...config,
      docker: {
        ...config.docker,
        api_socket: engine.socket_path,
        tag: '{{.Name}}',
        start_at: 'oldest',
      },
    }));
    await arrived('web', 'hi');
  });
});
