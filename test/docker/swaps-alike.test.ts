import { describe, it } from 'vitest';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { LINGER_S, RUN_TIMEOUT_MS, runScenario } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import type { Writing } from '../support/docker/writing.ts';
import { lacksPeer } from '../support/peers.ts';

const ASYNC = { 'fluentd-async': 'true', 'fluentd-retry-wait': '200ms' };
const SUB_SECOND = { 'fluentd-sub-second-precision': 'true' };

/** Lines that differ in nothing, also not in their whole second; and containers that differ in no name. */
describe.skipIf(lacksPeer('docker'))('what looks alike', () => {
  const engine = useEngine();
  const fluentd = { driver: 'fluentd' } as const;

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(
      `equal lines are neither lost nor doubled when the relay is swapped with ${signal}`,
      () => {
        const few: LineWriter = {
          ...{ lines: 'until told', rate: 250, same_every: 3 },
          linger_s: LINGER_S,
        };
        const many: LineWriter = { ...few, rate: 2, burst_ms: 500, same_every: 400 };
        return runScenario(engine(), {
          run: `equal lines: sync and async, whole seconds and not, ${signal}`,
          expected: 'kept',
          writings: [
            { ...fluentd, name: 'sync', writer: few },
            { ...fluentd, name: 'sync-sub-second', writer: few, options: SUB_SECOND },
            { ...fluentd, name: 'async', writer: few, options: ASYNC },
            { ...fluentd, name: 'async-many', writer: many, options: ASYNC },
          ],
          async meanwhile(rig) {
            await rig.writers.written(2);
            await rig.swapTimes(2, signal, 2);
          },
        });
      },
      RUN_TIMEOUT_MS,
    );
  }

  it(
    'a container that is renamed keeps its lines, before, during and after a swap',
    () => {
      const writer: LineWriter = {
        ...{ lines: 'until told', rate: 1_000, stderr_every: 10 },
        linger_s: LINGER_S,
      };
      return runScenario(engine(), {
        run: 'renames: while the relay runs and while it is away',
        expected: 'kept',
        writings: [
          { ...fluentd, name: 'sync', writer },
          { ...fluentd, name: 'async', writer, options: ASYNC },
          { driver: 'json-file', name: 'file', writer },
        ],
        async meanwhile(rig) {
          const { writers } = rig;
          const renameAll = async (suffix: string): Promise<void> => {
            for (const name of writers.names) {
              await writers.container(name).rename(`${name}-${suffix}`);
            }
          };
          await writers.writtenMore(300);
          await renameAll('while-it-runs');
          await writers.writtenMore(300);
          await rig.swap('SIGKILL', async () => {
            await renameAll('while-it-is-away');
            await writers.writtenMore(300);
          });
          await writers.writtenMore(300);
        },
      });
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'a container that takes the name of another one, as Compose does it, is not taken for it',
    () => {
      const writer: LineWriter = { lines: 'until told', rate: 1_000, stderr_every: 10 };
      const pair = (which: string): Writing[] => [
        {
          ...{ ...fluentd, name: `${which}-async`, writer, options: ASYNC },
          container_name: 'web-async',
        },
        { driver: 'json-file', name: `${which}-file`, writer, container_name: 'web-file' },
      ];
      return runScenario(engine(), {
        run: 'one name: two containers, one after the other, around a swap',
        expected: 'kept',
        writings: pair('first'),
        async meanwhile(rig) {
          const { writers } = rig;
          const first = writers.names;
          await writers.writtenMore(500);
          await rig.swap('SIGKILL', async () => {
            await writers.writtenMore(500);
            await writers.end();
            for (const name of first) await writers.container(name).rename(`${name}-old`);
            await writers.start(pair('second'));
            const second = writers.names.filter((name) => !first.includes(name));
            await writers.written(500, second);
          });
        },
      });
    },
    RUN_TIMEOUT_MS,
  );
});
