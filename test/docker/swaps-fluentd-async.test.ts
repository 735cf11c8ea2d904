import { describe, it } from 'vitest';
import { itSurvivesAnOutage, itSurvivesSwaps } from '../support/docker/common-swaps.ts';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { LINGER_S, RUN_TIMEOUT_MS, runScenario } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import type { Writing } from '../support/docker/writing.ts';
import { lacksPeer } from '../support/peers.ts';

const ASYNC = { 'fluentd-async': 'true', 'fluentd-retry-wait': '200ms' };
const ENDING: LineWriter = { lines: 'until told', rate: 1_000, stderr_every: 10 };
const LINGERING: LineWriter = { ...ENDING, linger_s: LINGER_S };

const containers = (writer: LineWriter): Writing[] => [
  { name: 'plain', driver: 'fluentd', options: ASYNC, writer },
  {
    ...{ name: 'unix-blocking', driver: 'fluentd', via: 'unix', writer },
    options: { ...ASYNC, mode: 'blocking', 'fluentd-sub-second-precision': 'true' },
  },
  {
    ...{ name: 'acks', driver: 'fluentd', writer },
    options: { ...ASYNC, 'fluentd-request-ack': 'true' },
  },
];

/** Docker discards what an asynchronous driver still holds when its container ends; its cache keeps it. */
describe.skipIf(lacksPeer('docker'))('containers with the asynchronous fluentd driver', () => {
  const engine = useEngine();
  const subjects = { kind: 'fluentd async', engine, writings: containers(LINGERING) };

  itSurvivesSwaps(subjects);

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(
      `lose and double nothing when they end while the relay is away after ${signal}`,
      () =>
        runScenario(engine(), {
          run: `fluentd async: containers end while the relay is away, ${signal}`,
          expected: 'kept',
          writings: containers(ENDING),
          async meanwhile(rig) {
            await rig.writers.writtenMore(500);
            await rig.swap(signal, async () => {
              await rig.writers.writtenMore(1_000);
              await rig.writers.end();
            });
          },
        }),
      RUN_TIMEOUT_MS,
    );
  }

  it(
    'lose and double nothing when they end under a relay that runs',
    () =>
      runScenario(engine(), {
        run: 'fluentd async: containers end faster than they send, no swap',
        expected: 'kept',
        writings: containers({ ...ENDING, lines: 8_000, rate: 10_000 }),
        meanwhile: (rig) => rig.writers.ended(),
      }),
    RUN_TIMEOUT_MS,
  );

  itSurvivesAnOutage(subjects);
});
