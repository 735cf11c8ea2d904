import { describe, it } from 'vitest';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { RUN_TIMEOUT_MS, runScenario } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import { lacksPeer } from '../support/peers.ts';

const WRITER: LineWriter = {
  ...{ lines: 'until told', rate: 1_000, stderr_every: 10, pad_bytes: 100 },
};
const LONG: LineWriter = {
  ...{ lines: 'until told', rate: 200, long_every: 10, long_bytes: 40_000 },
  ...{ count_pieces: true, tail: true },
};
const ROTATION = { 'max-size': '50k', 'max-file': '100' };

describe.skipIf(lacksPeer('docker'))('containers with the local driver', () => {
  const engine = useEngine();
  const local = { driver: 'local' } as const;

  it(
    'lose and double nothing, rotated and compressed, when the relay is swapped',
    () =>
      runScenario(engine(), {
        run: 'local: plain, rotated, compressed, 40 KB lines; SIGTERM and SIGKILL',
        expected: 'kept',
        writings: [
          { ...local, name: 'plain', writer: WRITER },
          {
            ...local,
            name: 'rotated',
            writer: WRITER,
            options: { ...ROTATION, compress: 'false' },
          },
          { ...local, name: 'compressed', writer: WRITER, options: ROTATION },
          { ...local, name: 'long', writer: LONG },
        ],
        async meanwhile(rig) {
          await rig.swapTimes(1, 'SIGTERM');
          await rig.swapTimes(1, 'SIGKILL');
          await rig.writers.writtenMore(200);
          await rig.swap('SIGKILL', () => rig.writers.end());
        },
      }),
    RUN_TIMEOUT_MS,
  );
});
