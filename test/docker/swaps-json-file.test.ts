import { describe, it } from 'vitest';
import { itSurvivesSwaps } from '../support/docker/common-swaps.ts';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { RUN_TIMEOUT_MS, runScenario } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import { several, type Writing } from '../support/docker/writing.ts';
import { lacksPeer } from '../support/peers.ts';

const WRITER: LineWriter = { lines: 'until told', rate: 1_000, stderr_every: 10 };
/** Long enough for several rotations in a second; Docker counts in decimal: `20k` is 20,000 bytes. */
const ROTATED: LineWriter = { lines: 'until told', rate: 1_000, pad_bytes: 200 };
const LONG: LineWriter = { ...WRITER, rate: 200, long_every: 10, count_pieces: true };

describe.skipIf(lacksPeer('docker'))('containers with the json-file driver', () => {
  const engine = useEngine();
  const file = { driver: 'json-file' } as const;

  itSurvivesSwaps({
    ...{ kind: 'json-file', engine },
    writings: several(3, { ...file, name: 'plain', writer: WRITER }),
  });

  it(
    'lose and double nothing when their files rotate many times, also while the relay is away',
    () => {
      const rotated = (name: string, max_size: string, compress: boolean): Writing => ({
        ...{ ...file, name, writer: ROTATED },
        options: { 'max-size': max_size, 'max-file': '500', compress: String(compress) },
      });
      return runScenario(engine(), {
        run: 'json-file: rotated while the relay is away, with and without compress',
        expected: 'kept',
        writings: [
          rotated('small', '20k', false),
          rotated('small-compressed', '20k', true),
          rotated('large', '100k', false),
          rotated('large-compressed', '100k', true),
        ],
        async meanwhile(rig) {
          await rig.swapTimes(1, 'SIGTERM', 1_500);
          await rig.swapTimes(1, 'SIGKILL', 1_500);
          await rig.writers.writtenMore(500);
          await rig.swap('SIGKILL', () => rig.writers.end());
        },
      });
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'lose nothing of long lines, terminals, text that is not UTF-8 and unfinished ends',
    () =>
      runScenario(engine(), {
        run: 'json-file: 40 KB lines, TTY, invalid UTF-8, no newline at the end',
        expected: 'kept',
        writings: [
          { ...file, name: 'long', writer: { ...LONG, long_bytes: 40_000 } },
          { ...file, name: 'full', writer: { ...LONG, long_bytes: 16_384 } },
          { ...file, name: 'terminal', writer: WRITER, tty: true },
          { ...file, name: 'bytes', writer: { ...WRITER, bad_utf8: true, tail: true } },
        ],
        async meanwhile(rig) {
          await rig.swapTimes(2, 'SIGKILL', 150);
          await rig.writers.end();
        },
      }),
    RUN_TIMEOUT_MS,
  );

  it(
    'that are started again, and append, go on where they were',
    () =>
      runScenario(engine(), {
        run: 'json-file: started again, while the relay runs and while it is away',
        expected: 'kept',
        writings: several(3, {
          ...{ ...file, name: 'again' },
          writer: { lines: 1_000, rate: 1_000, runs: 3 },
        }),
        async meanwhile(rig) {
          const { writers } = rig;
          const startAgain = async (): Promise<void> => {
            await writers.ended();
            for (const name of writers.names) await writers.container(name).start();
          };
          await startAgain();
          await rig.swap('SIGKILL', startAgain);
          await writers.ended();
        },
      }),
    RUN_TIMEOUT_MS,
  );

  it(
    'that Docker removes as soon as they end (--rm) are read to their end',
    () =>
      runScenario(engine(), {
        run: 'json-file: removed while read (--rm), a swap before',
        expected: 'kept',
        writings: several(4, { ...file, name: 'gone', writer: WRITER, auto_remove: true }),
        async meanwhile(rig) {
          await rig.swapTimes(1, 'SIGKILL');
          // A log that is removed before it is opened is lost, also to a relay that runs.
          await rig.caughtUp();
          await rig.writers.writtenMore(400);
          await rig.writers.end();
        },
      }),
    RUN_TIMEOUT_MS,
  );
});
