import { describe, expect, it } from 'vitest';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { LINGER_S, RUN_TIMEOUT_MS, runScenario } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import { lacksPeer } from '../support/peers.ts';

const WRITER: LineWriter = {
  ...{ lines: 'until told', rate: 1_000, stderr_every: 10 },
  linger_s: LINGER_S,
};
const ASYNC = { 'fluentd-async': 'true', 'fluentd-retry-wait': '200ms' };

describe.skipIf(lacksPeer('docker'))('a relay that takes over from a running one', () => {
  const engine = useEngine();

  it(
    'loses and doubles nothing, three times in a row',
    () =>
      runScenario(engine(), {
        run: 'takeover: fluentd sync and async, unix socket, json-file; 3 times',
        expected: 'kept',
        writings: [
          { name: 'sync', driver: 'fluentd', writer: WRITER },
          { name: 'unix', driver: 'fluentd', writer: WRITER, via: 'unix' },
          { name: 'async', driver: 'fluentd', writer: WRITER, options: ASYNC },
          { name: 'file', driver: 'json-file', writer: WRITER },
        ],
        async meanwhile(rig) {
          for (let takeover = 0; takeover < 3; takeover++) {
            await rig.writers.writtenMore(400);
            expect(await rig.relay.takeOver()).toEqual({ code: 0, signal: null });
          }
          await rig.writers.writtenMore(400);
        },
      }),
    RUN_TIMEOUT_MS,
  );
});
