import { it } from 'vitest';
import type { DockerEngine } from './engine.ts';
import { RUN_TIMEOUT_MS, runScenario } from './scenario.ts';
import type { Writing } from './writing.ts';

/** Containers of a kind, which must come through what every kind has to. */
export interface SwapSubjects {
  /** Begins the titles of their rows. */
  readonly kind: string;
  readonly engine: () => DockerEngine;
  readonly writings: readonly Writing[];
}

/** Declares a test for each signal that ends a relay. */
export function itSurvivesSwaps({ kind, engine, writings }: SwapSubjects): void {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(
      `lose and double nothing when the relay is swapped three times with ${signal}`,
      () =>
        runScenario(engine(), {
          run: `${kind}: ${signal}, 3 times`,
          expected: 'kept',
          writings,
          meanwhile: (rig) => rig.swapTimes(3, signal),
        }),
      RUN_TIMEOUT_MS,
    );
  }
}

/** Declares a test with swaps while nobody takes what the relay has. */
export function itSurvivesAnOutage({ kind, engine, writings }: SwapSubjects): void {
  it(
    'lose and double nothing while the upstream is away and the relay is swapped',
    () =>
      runScenario(engine(), {
        run: `${kind}: upstream away throughout, SIGTERM and SIGKILL`,
        expected: 'kept',
        writings,
        async meanwhile(rig) {
          await rig.sink.stop();
          await rig.swapTimes(1, 'SIGTERM');
          await rig.swapTimes(1, 'SIGKILL');
          await rig.writers.stop();
          await rig.sink.start();
        },
      }),
    RUN_TIMEOUT_MS,
  );
}
