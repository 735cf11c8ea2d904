import { describe, expect, it } from 'vitest';
import type { LineWriter } from '../support/docker/line-writer.ts';
import { RelayContainer } from '../support/docker/relay-container.ts';
import { LINGER_S, RUN_TIMEOUT_MS, runWith } from '../support/docker/scenario.ts';
import { useEngine } from '../support/docker/use-engine.ts';
import { lacksPeer } from '../support/peers.ts';

const WRITER: LineWriter = {
  ...{ lines: 'until told', rate: 1_000, stderr_every: 10 },
  linger_s: LINGER_S,
};
const ASYNC = { 'fluentd-async': 'true', 'fluentd-retry-wait': '200ms' };

describe.skipIf(lacksPeer('docker'))('the relay as a container', () => {
  const engine = useEngine();

  it(
    'is replaced by a newer image over the same journal, and by the older one again, and loses and doubles nothing',
    () =>
      runWith<RelayContainer>(
        engine(),
        {
          run: 'relay as a container: newer image (SIGTERM), older again (SIGKILL)',
          expected: 'kept',
          writings: [
            { name: 'tcp', driver: 'fluentd', writer: WRITER },
            { name: 'unix', driver: 'fluentd', writer: WRITER, via: 'unix', options: ASYNC },
            { name: 'file', driver: 'json-file', writer: WRITER },
          ],
          async meanwhile(rig) {
            await rig.swapTimes(1, 'SIGTERM');
            await rig.swapTimes(1, 'SIGKILL');
            // Its own log would feed itself for ever.
            expect(new Set(rig.sink.values('container_name'))).not.toContain('/logboom');
          },
        },
        { startRelay: (places) => RelayContainer.start(engine(), places) },
      ),
    RUN_TIMEOUT_MS,
  );
});
