import { describe, it } from 'vitest';
import { itSurvivesAnOutage, itSurvivesSwaps } from '../support/docker/common-swaps.ts';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { LINGER_S, RUN_TIMEOUT_MS, runScenario } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import type { Writing } from '../support/docker/writing.ts';
import { lacksPeer } from '../support/peers.ts';

/** They linger: dockerd gives an ending container's driver 10 s at most for what it still has. */
const WRITER: LineWriter = {
  ...{ lines: 'until told', rate: 1_000, stderr_every: 10 },
  linger_s: LINGER_S,
};

/** The default mode, in which Docker's cache is written through a ring, and `blocking`, in which it is not. */
const CONTAINERS: Writing[] = [
  { name: 'tcp-unset', driver: 'fluentd', writer: WRITER },
  { name: 'unix-unset', driver: 'fluentd', writer: WRITER, via: 'unix' },
  { name: 'tcp-blocking', driver: 'fluentd', writer: WRITER, options: { mode: 'blocking' } },
];

describe.skipIf(lacksPeer('docker'))('containers with the synchronous fluentd driver', () => {
  const engine = useEngine();
  const subjects = { kind: 'fluentd sync', engine, writings: CONTAINERS };

  itSurvivesSwaps(subjects);

  it(
    'lose and double nothing through twenty kills in a row',
    () =>
      runScenario(engine(), {
        run: 'fluentd sync: SIGKILL, 20 times in a row',
        expected: 'kept',
        writings: CONTAINERS,
        meanwhile: (rig) => rig.swapTimes(20, 'SIGKILL', 50),
      }),
    RUN_TIMEOUT_MS,
  );

  itSurvivesAnOutage(subjects);

  it(
    'lose and double nothing when relay and upstream are killed together',
    () =>
      runScenario(engine(), {
        run: 'fluentd sync: relay and upstream killed together, 3 times',
        expected: 'kept',
        writings: CONTAINERS,
        async meanwhile(rig) {
          for (let kill = 0; kill < 3; kill++) {
            await rig.writers.writtenMore(400);
            await Promise.all([rig.relay.kill(), rig.sink.stop()]);
            await rig.writers.writtenMore(400);
            await Promise.all([rig.relay.startAgain(), rig.sink.start()]);
          }
        },
      }),
    RUN_TIMEOUT_MS,
  );
});
