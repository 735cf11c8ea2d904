import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { LINGER_S, RUN_TIMEOUT_MS } from '../support/docker/scenario.ts';
import { relayProcess, SwapRig } from '../support/docker/swap-rig.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import { several, type Writing } from '../support/docker/writing.ts';
import { lacksPeer } from '../support/peers.ts';
import { printRow } from '../support/report-row.ts';

/** Without the Docker input the relay must be seen to lose lines: a judge that finds none proves nothing. */
describe.skipIf(lacksPeer('docker'))('the rig of the swap tests', () => {
  const engine = useEngine();
  let rig: SwapRig;

  beforeEach(async () => {
    rig = await SwapRig.start(engine(), { reads_docker: false, startRelay: relayProcess });
  });

  afterEach(async () => {
    await rig?.dispose();
  }, RUN_TIMEOUT_MS);

  const async: Writing = {
    name: 'async',
    driver: 'fluentd',
    options: { 'fluentd-async': 'true', 'fluentd-retry-wait': '200ms' },
    writer: { lines: 'until told', rate: 1_000, stderr_every: 10 },
  };

  it(
    'sees what the async driver discards when containers end while the relay is away',
    async () => {
      await rig.writers.start(several(2, async));
      await rig.writers.writtenMore(500);
      await rig.swap('SIGTERM', async () => {
        await rig.writers.writtenMore(500);
        await rig.writers.end();
      });
      const report = await rig.finish();
      printRow('rig, without the Docker input: async, containers end', report);
      expect(report.lost).toBeGreaterThan(100);
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'sees what a killed relay has not read yet',
    async () => {
      const writer: LineWriter = { lines: 'until told', rate: 1_500, linger_s: LINGER_S };
      await rig.writers.start(several(3, { name: 'sync', driver: 'fluentd', writer }));
      await rig.swapTimes(3, 'SIGKILL');
      const report = await rig.finish();
      printRow('rig, without the Docker input: sync, 3 times SIGKILL', report);
      expect(report.lost).toBeGreaterThan(0);
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'writes the lines that it says: long and alike, with a tail, in several runs',
    async () => {
      const writer = { lines: 200, rate: 2_000 };
      await rig.writers.start([
        {
          name: 'long',
          driver: 'json-file',
          writer: { ...writer, long_every: 10, long_bytes: 40_000, count_pieces: true, tail: true },
        },
        {
          name: 'alike',
          driver: 'json-file',
          writer: { ...writer, same_every: 5, bad_utf8: true },
        },
        { name: 'runs', driver: 'json-file', writer: { ...writer, runs: 2 } },
        { name: 'terminal', driver: 'json-file', writer, tty: true },
      ]);
      await rig.writers.ended();
      await rig.writers.container('runs').start();
      await rig.writers.ended();

      const long = await jsonLines('long');
      expect(long.filter((log) => log.startsWith('long stdout.3 '))).toHaveLength(20);
      expect(long.filter((log) => log.length === 16_384)).toHaveLength(40);
      expect(long.at(-1)).toBe('long stdout 201');
      const alike = await jsonLines('alike');
      expect(alike.filter((log) => log === 'alike stdout same\n')).toHaveLength(1_000);
      expect(alike[0]).toBe('alike stdout 1 \ufffd\ufffd\ufffd\n');
      const runs = await jsonLines('runs');
      expect(runs).toHaveLength(400);
      expect(runs.slice(199, 201)).toEqual(['runs.1 stdout 200\n', 'runs.2 stdout 1\n']);
      expect((await jsonLines('terminal'))[0]).toBe('terminal stdout 1\r\n');
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'makes dockerd rotate, compress and cache as it does in the field',
    async () => {
      const writer = { lines: 4_000, rate: 4_000, pad_bytes: 200 };
      const rotation = { 'max-size': '50k', 'max-file': '40', compress: 'true' };
      await rig.writers.start([
        { name: 'json', driver: 'json-file', options: rotation, writer },
        { name: 'local', driver: 'local', options: rotation, writer },
        { name: 'cached', driver: 'fluentd', writer },
      ]);
      await rig.writers.ended();

      const names = await filesOf('json');
      const { id } = rig.writers.container('json');
      expect(names).toContain(`${id}-json.log`);
      expect(names).toContain(`${id}-json.log.5.gz`);
      expect(await filesOf('local', 'local-logs')).toContain('container.log.5.gz');
      const cache = await readFile(
        join(engine().containers_dir, rig.writers.container('cached').id, 'container-cached.log'),
      );
      expect(cache.includes('cached stdout 4000 ')).toBe(true);
    },
    RUN_TIMEOUT_MS,
  );

  /** The `log` of every line in a container's json-file. */
  async function jsonLines(name: string): Promise<string[]> {
    const { id } = rig.writers.container(name);
    const text = await readFile(join(engine().containers_dir, id, `${id}-json.log`), 'utf8');
    const lines = text.trimEnd().split('\n');
    return lines.map((line) => (JSON.parse(line) as { log: string }).log);
  }

  function filesOf(name: string, folder = ''): Promise<string[]> {
    return readdir(join(engine().containers_dir, rig.writers.container(name).id, folder));
  }
});
