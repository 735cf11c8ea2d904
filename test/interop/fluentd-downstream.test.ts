import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { forwardSender } from '../support/fluentd/config.ts';
import { Fluentd } from '../support/fluentd/fluentd.ts';
import { lacksPeer } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';
import { FLAWLESS, RelayToSink } from '../support/relay-to-sink.ts';
import { printRow } from '../support/report-row.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const TIMEOUT_MS = 180_000;
const SHARED_KEY = 'a shared key';
const USER = { name: 'alice', password: 'wonderland' };
/** One out_forward of Fluentd and one listener of the relay for each. */
const WAYS = ['plain', 'acked', 'gzip', 'keyed', 'tls'] as const;
type Way = (typeof WAYS)[number];
/** out_forward without acks loses what is under way when its peer dies: not for the kill. */
const ACKED_WAYS = WAYS.filter((way) => way !== 'plain');

/**
 * out_forward opens a connection for each chunk and goes on to the next one before the
 * ack, so its chunks race one another; one that it sends again comes behind later ones.
 */
const ONCE = { lost: 0, doubled: 0, exit: FLAWLESS.exit, violations: FLAWLESS.violations };

describe.skipIf(lacksPeer('fluentd', 'openssl'))('a real Fluentd as the sender', () => {
  let dir: TempDir;
  let fluentd: Fluentd;
  let rig: RelayToSink;

  beforeEach(async () => {
    dir = await tempDir('downstream');
    const certificates = await makeCertificates(dir.path);
    const [keyed_port, tls_port] = [await freePort(), await freePort()];
    rig = await RelayToSink.start({
      line_field: 'message',
      listeners: [
        {
          listen: `tcp://127.0.0.1:${keyed_port}`,
          auth: { shared_key: SHARED_KEY, self_hostname: 'relay.test', users: [USER] },
        },
        {
          listen: `tls://127.0.0.1:${tls_port}`,
          tls: { cert: certificates.cert, key: certificates.key },
          auth: { shared_key: SHARED_KEY, self_hostname: 'relay.test' },
        },
      ],
    });

    for (const way of WAYS) await writeFile(inputFile(way), '');
    const sender = (name: Way, port: number, options = {}): string => {
      const from = { name, file: inputFile(name), tag: `down.${name}`, dir: dir.path };
      return forwardSender({ ...from, port, ...options });
    };
    fluentd = await Fluentd.start(
      dir.path,
      sender('plain', rig.port) +
        sender('acked', rig.port, { ack: true }) +
        sender('gzip', rig.port, { ack: true, gzip: true }) +
        sender('keyed', keyed_port, { ack: true, shared_key: SHARED_KEY, user: USER }) +
        sender('tls', tls_port, {
          ...{ ack: true, gzip: true, shared_key: SHARED_KEY },
          tls_ca: certificates.ca,
        }),
    );
  }, TIMEOUT_MS);

  afterEach(async () => {
    await fluentd?.kill();
    await rig?.dispose();
    await dir?.remove();
  }, TIMEOUT_MS);

  const inputFile = (way: Way): string => join(dir.path, `${way}.input`);

  /** Appends the lines numbered from `first` to `last` to the file that Fluentd follows. */
  async function write(way: Way, first: number, last: number): Promise<void> {
    let text = '';
    for (let n = first; n <= last; n++) text += `${way} tail ${n}\n`;
    await appendFile(inputFile(way), text);
  }

  const written = (ways: readonly Way[], lines: number): Map<string, number> =>
    new Map(ways.map((way) => [`${way} tail`, lines]));

  it(
    'has every event forwarded once: plain, acked, gzip, shared key and user, TLS',
    async () => {
      const lines = 5_000;
      await Promise.all(WAYS.map((way) => write(way, 1, lines)));
      const report = await rig.finish(written(WAYS, lines));
      printRow('fluentd downstream: plain, acks, gzip, shared key, TLS', report);
      expect(report).toMatchObject(ONCE);
    },
    TIMEOUT_MS,
  );

  it(
    'has acked events neither lost nor doubled while the relay is killed three times',
    async () => {
      const lines = 20_000;
      const steps = 4;
      for (let step = 0; step < steps; step++) {
        const first = (step * lines) / steps + 1;
        const last = ((step + 1) * lines) / steps;
        await Promise.all(ACKED_WAYS.map((way) => write(way, first, last)));
        if (step === steps - 1) break;
        // Some of this step has arrived, the rest is on its way.
        await rig.arrived(ACKED_WAYS.length * (first + 100));
        await rig.killAndStartAgain();
      }
      const report = await rig.finish(written(ACKED_WAYS, lines));
      printRow('fluentd downstream: acks, relay killed 3 times', report);
      expect(report).toMatchObject(ONCE);
    },
    TIMEOUT_MS,
  );
});
