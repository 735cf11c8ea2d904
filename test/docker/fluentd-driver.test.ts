import { ExtData } from '@msgpack/msgpack';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Container } from '../support/docker/container.ts';
import { DockerEngine } from '../support/docker/engine.ts';
import { type LineWriter, linesWritten, lineWriterCommand } from '../support/docker/line-writer.ts';
import { lacksPeer } from '../support/peers.ts';
import { FLAWLESS, RelayToSink } from '../support/relay-to-sink.ts';
import { printRow } from '../support/report-row.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const TIMEOUT_MS = 180_000;
/** Longer than any test. */
const LINGER_S = 600;
/** The msgpack extension type of an EventTime. */
const EVENT_TIME = 0;

interface Writing {
  readonly name: string;
  readonly writer: LineWriter & { readonly lines: number };
  /** Log options beside the address, without their prefix `fluentd-`. */
  readonly options?: Readonly<Record<string, string>>;
  /** Reach the relay through its unix socket. */
  readonly unix?: boolean;
}

describe.skipIf(lacksPeer('docker'))('containers of a real Docker Engine', () => {
  let engine: DockerEngine;
  let dir: TempDir;
  let rig: RelayToSink;

  beforeAll(async () => {
    engine = await DockerEngine.start();
    dir = await tempDir('docker-test');
  }, TIMEOUT_MS);

  afterAll(async () => {
    await engine?.stop();
    await dir?.remove();
  }, TIMEOUT_MS);

  beforeEach(async () => {
    rig = await RelayToSink.start({
      listeners: [{ listen: `unix://${dir.path}/relay.sock?mode=0660` }],
    });
  });

  afterEach(async () => {
    await rig?.dispose();
  });

  function start({ name, writer, options = {}, unix = false }: Writing): Promise<Container> {
    const address = unix ? `unix://${dir.path}/relay.sock` : `tcp://127.0.0.1:${rig.port}`;
    const prefixed = Object.entries(options).map(([key, value]) => [`fluentd-${key}`, value]);
    return engine.run({
      name,
      command: lineWriterCommand(name, writer),
      log: {
        driver: 'fluentd',
        options: { 'fluentd-address': address, ...Object.fromEntries(prefixed) },
      },
    });
  }

  /**
   * Starts all, does something in the middle, waits for every line. Containers that
   * linger are ended only then: dockerd gives an ending one's driver 10 s at most for
   * what it still has, an async one nothing.
   */
  async function judge(
    run: string,
    writings: readonly Writing[],
    meanwhile: (total: number) => Promise<void> = async () => {},
  ): Promise<void> {
    const written = writtenBy(writings);
    const total = [...written.values()].reduce((sum, lines) => sum + lines, 0);
    const containers = await Promise.all(writings.map(start));
    await meanwhile(total);
    // If some never arrive, the report says which.
    await rig.arrived(total).catch(() => {});
    await Promise.all(containers.map((container) => container.remove()));
    const report = await rig.finish(written);
    printRow(run, report);
    expect(report).toMatchObject(FLAWLESS);
  }

  it(
    'deliver every line once and in order over tcp and unix, sync and async, with and without acks',
    async () => {
      const both = { lines: 3_000, rate: 1_000, stderr_every: 10, linger_s: LINGER_S };
      // One stream only: with two, the driver's two writers take each other's acks from the one
      // connection, close it under each other and, in Docker 20.10, crash the daemon.
      const stdout = { lines: 3_000, rate: 1_000, linger_s: LINGER_S };
      await judge('docker: tcp and unix, sync, async, acks', [
        { name: 'tcp-sync', writer: both },
        { name: 'tcp-async', writer: both, options: { async: 'true' } },
        { name: 'tcp-ack', writer: stdout, options: { 'request-ack': 'true' } },
        { name: 'unix-sync', writer: both, unix: true },
        {
          name: 'unix-async-ack',
          writer: both,
          options: { async: 'true', 'request-ack': 'true', 'sub-second-precision': 'true' },
          unix: true,
        },
        { name: 'unix-ack', writer: stdout, options: { 'request-ack': 'true' }, unix: true },
      ]);
    },
    TIMEOUT_MS,
  );

  it(
    'with acks lose and double nothing while the relay is killed three times',
    async () => {
      const writer = { lines: 4_000, rate: 800, linger_s: LINGER_S };
      const options = { 'request-ack': 'true', 'retry-wait': '200ms' };
      const names = ['kill-1', 'kill-2', 'kill-3', 'kill-4'];
      const writings = names.map((name, i) => ({ name, writer, options, unix: i % 2 === 1 }));
      await judge('docker: acks, relay killed 3 times', writings, async (total) => {
        for (const share of [0.15, 0.35, 0.55]) {
          await rig.arrived(total * share);
          await rig.killAndStartAgain();
        }
      });
    },
    TIMEOUT_MS,
  );

  it(
    'lose nothing while the upstream is away',
    async () => {
      const writer = { lines: 3_000, rate: 1_000, stderr_every: 10 };
      const writings = ['away-1', 'away-2'].map((name) => ({ name, writer }));
      await judge('docker: upstream away meanwhile', writings, async (total) => {
        await rig.arrived(total * 0.3);
        await rig.sink.stop();
        // Every container has written everything before the upstream is back.
        await until('the containers end', async () => (await engine.running()).size === 0, {
          timeout_ms: 60_000,
        });
        expect(rig.distinct).toBeLessThan(total);
        await rig.sink.start();
      });
    },
    TIMEOUT_MS,
  );

  it(
    'are seen with the fields, tag and time that the driver sends',
    async () => {
      const writer = { lines: 1, rate: 1, stderr_every: 1 };
      const plain = await start({ name: 'plain', writer });
      const tagged = await engine.run({
        name: 'tagged',
        command: lineWriterCommand('tagged', writer),
        labels: { 'com.example.team': 'river', other: 'unused' },
        env: { STAGE: 'test' },
        log: {
          driver: 'fluentd',
          options: {
            'fluentd-address': `tcp://127.0.0.1:${rig.port}`,
            'fluentd-sub-second-precision': 'true',
            tag: 'docker.{{.Name}}',
            labels: 'com.example.team',
            env: 'STAGE',
          },
        },
      });
      await rig.arrived(4);

      const [first] = rig.events.filter(({ record }) => record['log'] === 'plain stdout 1');
      expect(first?.tag).toBe(plain.id.slice(0, 12));
      expect(first?.time).toBeTypeOf('number');
      expect(first?.record).toEqual({
        container_id: plain.id,
        container_name: '/plain',
        source: 'stdout',
        log: 'plain stdout 1',
      });
      const [second] = rig.events.filter(({ record }) => record['log'] === 'tagged stderr 1');
      expect(second?.tag).toBe('docker.tagged');
      expect(second?.time).toEqual(new ExtData(EVENT_TIME, expect.objectContaining({ length: 8 })));
      expect(second?.record).toEqual({
        container_id: tagged.id,
        container_name: '/tagged',
        source: 'stderr',
        log: 'tagged stderr 1',
        'com.example.team': 'river',
        STAGE: 'test',
      });
    },
    TIMEOUT_MS,
  );

  it(
    'have long lines passed on in the fragments that the driver made',
    async () => {
      const writer = { lines: 2, rate: 100, long_every: 1, long_bytes: 40_000 };
      await start({ name: 'long', writer });
      await until(
        () => `${rig.events.length} of 6 fragments arrived`,
        () => rig.events.length >= 6,
      );
      const fragments = rig.events.map(({ record }) => record);
      expect(fragments.map(({ log }) => String(log).length)).toEqual([
        ...[16_384, 16_384, 7_232],
        ...[16_384, 16_384, 7_232],
      ]);
      expect(fragments.map((record) => record['partial_message'])).toEqual(Array(6).fill('true'));
      expect(fragments.map((record) => record['partial_ordinal'])).toEqual([
        ...['1', '2', '3'],
        ...['1', '2', '3'],
      ]);
      expect(fragments.map((record) => record['partial_last'])).toEqual([
        ...['false', 'false', 'true'],
        ...['false', 'false', 'true'],
      ]);
      expect(new Set(fragments.map((record) => record['partial_id'])).size).toBe(2);
      const line = fragments.slice(3).map(({ log }) => log);
      expect(line.join('')).toBe(`long stdout 2 ${'x'.repeat(40_000 - 'long stdout 2 '.length)}`);
    },
    TIMEOUT_MS,
  );
});

function writtenBy(writings: readonly Writing[]): Map<string, number> {
  const streams = writings.map(({ name, writer }) => linesWritten(name, writer, writer.lines));
  return new Map(streams.flatMap((written) => [...written]));
}
