import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { sendWithFluentOrg } from '../support/clients/node-clients.ts';
import { forwardReceiver, receivedFile } from '../support/fluentd/config.ts';
import { Fluentd } from '../support/fluentd/fluentd.ts';
import { LineCounter, type LineReport } from '../support/line-counter.ts';
import { lacksPeer } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';
import { RelayProcess } from '../support/relay-process.ts';
import { writeConfig } from '../support/relay-to-sink.ts';
import { printRow } from '../support/report-row.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const TIMEOUT_MS = 180_000;
const ARRIVAL_TIMEOUT_MS = 90_000;
const SHARED_KEY = 'a shared key';
/** One output of the relay and one receiver of Fluentd for each. */
const WAYS = ['plain', 'keyed', 'tls', 'gzip'] as const;
const SENDERS = ['a', 'b', 'c', 'd'];
/** Of an event as a receiver writes it. */
const RECORD_START = '{"log":';

describe.skipIf(lacksPeer('fluentd', 'openssl'))('a real Fluentd as the upstream', () => {
  let dir: TempDir;
  let fluentd: Fluentd;
  let relay: RelayProcess;
  let relay_port: number;

  beforeEach(async () => {
    dir = await tempDir('upstream');
    const certificates = await makeCertificates(dir.path);
    const ports = { plain: 0, keyed: 0, tls: 0, gzip: 0 };
    for (const way of WAYS) ports[way] = await freePort();
    const receiver = (name: keyof typeof ports, secured = {}): string =>
      forwardReceiver({ name, port: ports[name], dir: dir.path, ...secured });
    fluentd = await Fluentd.start(
      dir.path,
      receiver('plain') +
        receiver('keyed', { shared_key: SHARED_KEY }) +
        receiver('tls', { shared_key: SHARED_KEY, tls: certificates }) +
        receiver('gzip'),
    );

    const auth = { shared_key: SHARED_KEY, self_hostname: 'relay.test' };
    // Fluentd takes seconds to come back; pauses that grow meanwhile would only lengthen the test.
    const forward = { type: 'forward', retry: { min: '100ms', max: '500ms' } };
    relay_port = await freePort();
    const listen = `tcp://127.0.0.1:${relay_port}`;
    const config = await writeConfig(dir.path, {
      inputs: { forward: [{ listen }] },
      outputs: {
        plain: { ...forward, servers: [`tcp://127.0.0.1:${ports.plain}`] },
        keyed: { ...forward, servers: [`tcp://127.0.0.1:${ports.keyed}`], auth },
        tls: {
          ...forward,
          servers: [`tls://127.0.0.1:${ports.tls}`],
          auth,
          tls: { ca: certificates.ca },
        },
        gzip: { ...forward, servers: [`tcp://127.0.0.1:${ports.gzip}`], compress: 'gzip' },
      },
    });
    relay = await RelayProcess.start({ args: ['--config', config], listening: [listen] });
  }, TIMEOUT_MS);

  afterEach(async () => {
    await relay?.kill();
    await fluentd?.kill();
    await dir?.remove();
  }, TIMEOUT_MS);

  /** Several clients at once, each waiting for its acks. */
  async function send(lines: number): Promise<void> {
    const to = { port: relay_port, mode: 'Message', ack: true, sub_second: true } as const;
    await Promise.all(
      SENDERS.map((name) => sendWithFluentOrg({ name, tag: `up.${name}`, lines, ...to })),
    );
  }

  async function counterOf(way: string): Promise<LineCounter> {
    const counter = new LineCounter();
    const content = await readFile(receivedFile(dir.path, way), 'utf8').catch(() => '');
    // The last line may still be being written. A Fluentd that is killed leaves a piece of one,
    // and when it runs again appends the whole chunk to that piece.
    for (const line of content.split('\n').slice(0, -1)) {
      const record = line.slice(Math.max(0, line.lastIndexOf(RECORD_START)));
      counter.note((JSON.parse(record) as { log: string }).log);
    }
    return counter;
  }

  /** Waits for all lines, or long enough to call them lost. */
  async function reportOf(way: string, lines: number): Promise<LineReport> {
    const complete = async (): Promise<boolean> =>
      (await counterOf(way)).distinct >= SENDERS.length * lines;
    await until('', complete, { timeout_ms: ARRIVAL_TIMEOUT_MS, interval_ms: 250 }).catch(() => {});
    const counter = await counterOf(way);
    return counter.report(new Map(SENDERS.map((name) => [`${name} post`, lines])));
  }

  it(
    'writes every event of plain, shared-key, TLS and gzip connections once, in order',
    async () => {
      const lines = 2_000;
      await send(lines);
      for (const way of WAYS) {
        const report = await reportOf(way, lines);
        printRow(`fluentd upstream: ${way}, acks`, report);
        expect(report).toMatchObject({ lost: 0, doubled: 0, out_of_order: 0, examples: [] });
      }
      expect(await relay.stop()).toEqual({ code: 0, signal: null });
    },
    TIMEOUT_MS,
  );

  it(
    'gets every event although it is killed and started again meanwhile',
    async () => {
      const lines = 10_000;
      const sent = send(lines);
      await until(
        () => `nothing arrives; ${relay.describe()}`,
        async () => (await counterOf('plain')).distinct > 0,
        { timeout_ms: ARRIVAL_TIMEOUT_MS },
      );
      await fluentd.kill();
      await sent;
      await fluentd.startAgain();
      for (const way of WAYS) {
        const report = await reportOf(way, lines);
        // Fluentd forgets the ids of its chunks: what it had not acked may stand there twice.
        printRow(`fluentd upstream: ${way}, fluentd killed once`, report);
        expect(report.lost).toBe(0);
      }
      expect(await relay.stop()).toEqual({ code: 0, signal: null });
    },
    TIMEOUT_MS,
  );
});
