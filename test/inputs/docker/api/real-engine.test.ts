import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiRegistry } from '../../../../src/inputs/docker/api/api-registry.ts';
import { EngineApi } from '../../../../src/inputs/docker/api/engine-api.ts';
import { systemClock } from '../../../../src/sys/clock.ts';
import type { Container } from '../../../support/docker/container.ts';
import { DockerEngine } from '../../../support/docker/engine.ts';
import { lineWriterCommand } from '../../../support/docker/line-writer.ts';
import { lacksPeer } from '../../../support/peers.ts';
import { RecordingLog } from '../../../support/recording-log.ts';
import { until } from '../../../support/wait.ts';
import { LogSourceRig } from './log-source-rig.ts';

const TIMEOUT_MS = 180_000;
const WRITER = { lines: 2_000, rate: 1_000, stderr_every: 5 };

describe.skipIf(lacksPeer('docker'))('the API of a real Docker Engine', () => {
  let engine: DockerEngine;
  let registry: ApiRegistry;
  let rigs: LogSourceRig[];

  beforeAll(async () => {
    engine = await DockerEngine.start();
  }, TIMEOUT_MS);

  afterAll(async () => {
    await engine?.stop();
  }, TIMEOUT_MS);

  beforeEach(async () => {
    rigs = [];
    const endpoint = { url: 'unix://engine', socketPath: engine.socket_path };
    const api = new EngineApi(endpoint, systemClock);
    registry = new ApiRegistry({ api, clock: systemClock, log: new RecordingLog() });
    await registry.start();
  });

  afterEach(async () => {
    for (const rig of rigs) await rig.stop();
    await registry.stop();
  });

  function follow({ id }: Container, tty = false): LogSourceRig {
    const isRunning = (): boolean => registry.get(id)?.running ?? false;
    const rig = new LogSourceRig({
      socket_path: engine.socket_path,
      container_id: id,
      tty,
      isRunning,
    });
    registry.subscribe({
      added: () => {},
      changed: (container) => container.id === id && rig.wake(),
      removed: () => {},
    });
    rigs.push(rig);
    rig.start();
    return rig;
  }

  const committed = (rig: LogSourceRig, count: number) =>
    until(
      () => `${rig.committed.length} of ${count} lines; ${rig.log.said('warn').join('; ')}`,
      () => rig.committed.length >= count,
      { timeout_ms: 60_000 },
    );

  it.each([
    ['json-file', { 'max-size': '60k', 'max-file': '9' }],
    ['json-file', { 'max-size': '60k', 'max-file': '9', compress: 'true' }],
    ['local', {}],
  ] as const)(
    'shows every line of %s %o once and in order, over crashes and a restart of the container',
    async (driver, options) => {
      const name = `api-${driver}-${'compress' in options}`;
      const container = await engine.run({
        name,
        command: lineWriterCommand(name, WRITER),
        log: { driver, options },
      });
      const rig = follow(container);
      for (const share of [100, 700, 1_500]) {
        await committed(rig, share);
        await rig.crash();
      }
      const lines_per_run = WRITER.lines + WRITER.lines / WRITER.stderr_every;
      await committed(rig, lines_per_run);
      await until('it has ended', () => registry.get(container.id)?.running === false);
      await container.start();
      await committed(rig, 2 * lines_per_run);
      await until('it has ended again', () => registry.get(container.id)?.running === false);
      await rig.crash();
      for (const [stream, count] of [
        ['stdout', WRITER.lines],
        ['stderr', WRITER.lines / WRITER.stderr_every],
      ] as const) {
        const run = Array.from(
          { length: count },
          (_, i) => `${stream} ${name} ${stream} ${i + 1}\n`,
        );
        const seen = rig.committed.filter((line) => line.startsWith(stream));
        expect(seen).toEqual([...run, ...run]);
      }
      await container.remove();
      rig.wake();
      await until('the end is seen', () => rig.end === 'removed');
      await until('it is gone', () => registry.get(container.id) === undefined);
    },
    TIMEOUT_MS,
  );

  it(
    'shows the long lines of both streams in the pieces that Docker made',
    async () => {
      const writer = { lines: 4, rate: 100, long_every: 1, long_bytes: 40_000 };
      const container = await engine.run({
        name: 'api-long',
        command: lineWriterCommand('api-long', writer),
        log: { driver: 'json-file' },
      });
      const rig = follow(container);
      await committed(rig, 12);
      await rig.crash();
      // One that runs still is not started again.
      await container.ended();
      await container.start();
      rig.wake();
      await committed(rig, 24);
      const pieces = rig.committed.map((line) => line.length - 'stdout '.length);
      expect(pieces).toEqual(Array.from({ length: 8 }, () => [16_384, 16_384, 7_233]).flat());
      await container.remove();
    },
    TIMEOUT_MS,
  );

  it(
    'shows what a TTY printed, its unterminated end too',
    async () => {
      const container = await engine.run({
        name: 'api-tty',
        command: ['/bin/sh', '-c', 'echo one; echo two >&2; printf "$ "'],
        tty: true,
        log: { driver: 'json-file' },
      });
      await container.ended();
      const rig = follow(container, true);
      await committed(rig, 3);
      await rig.crash();
      expect(rig.committed).toEqual(['stdout one\r\n', 'stdout two\r\n', 'stdout $ ']);
      await container.remove();
    },
    TIMEOUT_MS,
  );

  it(
    'tells of a container what was given to it',
    async () => {
      const container = await engine.run({
        name: 'api-told',
        command: ['/bin/sleep', '600'],
        labels: { team: 'river' },
        env: { STAGE: 'test' },
        log: { driver: 'json-file', options: { tag: 'x.{{.Name}}' } },
      });
      const told = await until('it is known', () => registry.get(container.id));
      await until('it runs', () => registry.get(container.id)?.running);
      expect(told).toMatchObject({
        name: 'api-told',
        image_name: 'logboom-test',
        labels: { team: 'river' },
        command: ['/bin/sleep', '600'],
        log_driver: 'json-file',
        log_options: { tag: 'x.{{.Name}}' },
      });
      expect(told.env).toContain('STAGE=test');
      await container.rename('api-renamed');
      await until(
        'its new name is known',
        () => registry.get(container.id)?.name === 'api-renamed',
      );
      await container.remove();
      await until('it is gone', () => registry.get(container.id) === undefined);
    },
    TIMEOUT_MS,
  );
});
