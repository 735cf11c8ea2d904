import { describe, it } from 'vitest';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { LINGER_S, RUN_TIMEOUT_MS, runScenario } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import { lacksPeer } from '../support/peers.ts';

const ASYNC = { 'fluentd-async': 'true', 'fluentd-retry-wait': '200ms' };
const ENDING: LineWriter = { lines: 'until told', rate: 1_000 };
const LINGERING: LineWriter = { ...ENDING, linger_s: LINGER_S };
const RETRY = { 'fluentd-retry-wait': '200ms' };

/** What Docker itself does not keep cannot be saved; it must not be lost in silence either. */
describe.skipIf(lacksPeer('docker'))('lines that Docker does not keep', () => {
  const engine = useEngine();
  const fluentd = { driver: 'fluentd' } as const;

  it(
    'are named where the cache is off',
    () =>
      runScenario(engine(), {
        run: 'named: cache-disabled, container ends while the relay is away',
        expected: [{ container: 'uncached', reason: /cache/ }],
        writings: [
          {
            ...{ ...fluentd, name: 'uncached', writer: ENDING },
            options: { ...ASYNC, 'cache-disabled': 'true' },
          },
        ],
        async meanwhile(rig) {
          await rig.writers.writtenMore(500);
          await rig.swap('SIGKILL', async () => {
            await rig.writers.writtenMore(500);
            await rig.writers.end();
          });
        },
      }),
    RUN_TIMEOUT_MS,
  );

  it(
    'are named where the asynchronous queue or the ring before the driver is full',
    () =>
      runScenario(engine(), {
        run: 'named: async queue of 100 lines, ring of 2 KB, relay away',
        expected: [
          { container: 'queue', reason: /queue|buffer/ },
          { container: 'ring', reason: /ring|non-blocking/ },
        ],
        writings: [
          {
            ...{ ...fluentd, name: 'queue', writer: LINGERING },
            options: { ...ASYNC, 'fluentd-buffer-limit': '100' },
          },
          {
            ...{ ...fluentd, name: 'ring', writer: LINGERING },
            options: { ...RETRY, mode: 'non-blocking', 'max-buffer-size': '2k' },
          },
        ],
        async meanwhile(rig) {
          await rig.swapTimes(1, 'SIGKILL', 1_500);
          await rig.writers.writtenMore(500);
        },
      }),
    RUN_TIMEOUT_MS,
  );

  it(
    'are named where max-file=1 deleted them while the relay was away',
    () =>
      runScenario(engine(), {
        run: 'named: json-file, max-file=1, several rotations while the relay is away',
        expected: [{ container: 'single', reason: /rotat|gone|lost/ }],
        writings: [
          {
            ...{ driver: 'json-file', name: 'single', writer: { ...ENDING, pad_bytes: 200 } },
            options: { 'max-size': '20k', 'max-file': '1' },
          },
        ],
        async meanwhile(rig) {
          await rig.swapTimes(1, 'SIGKILL', 1_500);
          await rig.writers.end();
        },
      }),
    RUN_TIMEOUT_MS,
  );

  it(
    'are named where a container was removed while the relay was away',
    () =>
      runScenario(engine(), {
        run: 'named: containers removed while the relay is away',
        expected: [
          { container: 'file', reason: /removed|gone/ },
          { container: 'async', reason: /removed|gone/ },
        ],
        writings: [
          { driver: 'json-file', name: 'file', writer: ENDING },
          { ...fluentd, name: 'async', writer: ENDING, options: ASYNC },
        ],
        async meanwhile(rig) {
          const { writers } = rig;
          await writers.writtenMore(500);
          await rig.swap('SIGKILL', async () => {
            await writers.writtenMore(500);
            await writers.end();
            for (const name of writers.names) await writers.container(name).remove();
          });
        },
      }),
    RUN_TIMEOUT_MS,
  );
});
