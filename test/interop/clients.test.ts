import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { type Sending, streamOf } from '../support/clients/client.ts';
import { buildGoClient, type GoSending, goClient } from '../support/clients/go-client.ts';
import {
  type NodeSending,
  sendWithFluentLogger,
  sendWithFluentOrg,
} from '../support/clients/node-clients.ts';
import { type PythonSending, pythonClient } from '../support/clients/python-client.ts';
import { lacksPeer } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';
import { FLAWLESS, RelayToSink, type RelayToSinkOptions } from '../support/relay-to-sink.ts';
import { printRow } from '../support/report-row.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const LINES = 2_000;
const SECURITY = { shared_key: 'a shared key', user: 'alice', password: 'wonder land' };
const TIMEOUT_MS = 180_000;

let dir: TempDir;

beforeAll(async () => {
  dir = await tempDir('clients');
});

afterAll(async () => {
  await dir.remove();
});

/** Starts a relay and a sink for one test. */
async function startRig(options?: RelayToSinkOptions): Promise<RelayToSink> {
  const rig = await RelayToSink.start(options);
  onTestFinished(() => rig.dispose());
  return rig;
}

/** Lets all clients send at the same time and expects every line once, in order. */
async function deliver(
  run: string,
  rig: RelayToSink,
  sendings: readonly Sending[],
  send: () => Promise<unknown>,
): Promise<void> {
  await send();
  const report = await rig.finish(new Map(sendings.map((each) => [streamOf(each), each.lines])));
  printRow(run, report);
  expect(report).toMatchObject(FLAWLESS);
}

describe.skipIf(lacksPeer('go'))('the Go library that is inside dockerd', () => {
  let program: string;

  beforeAll(async () => {
    program = await buildGoClient(dir.path);
  }, TIMEOUT_MS);

  it(
    'delivers over tcp and unix, with and without acks, in MessagePack and JSON',
    async () => {
      const socket = `${dir.path}/go.sock`;
      const rig = await startRig({ listeners: [{ listen: `unix://${socket}` }] });
      const { port } = rig;
      const sendings: GoSending[] = [
        { name: 'go-plain', to: { port } },
        { name: 'go-ack', to: { port }, ack: true, sub_second: true },
        { name: 'go-json', to: { port }, json: true },
        { name: 'go-json-ack', to: { port }, json: true, ack: true },
        { name: 'go-unix', to: { socket }, sub_second: true },
        { name: 'go-unix-ack', to: { socket }, ack: true },
      ].map((each) => ({ ...each, tag: each.name, lines: LINES }));
      await deliver('Go library 1.9.0: tcp, unix, acks, JSON', rig, sendings, () =>
        Promise.all(sendings.map((each) => goClient(program, each).succeeded())),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'loses and doubles nothing with acks while the relay is killed three times',
    async () => {
      const rig = await startRig();
      // Built with Go before 1.20, these processes draw the same random numbers: within one second
      // they give different messages the same chunk ids.
      const names = ['go-1', 'go-2', 'go-3', 'go-4'];
      const sendings: GoSending[] = names.map((name) => {
        return { name, tag: name, lines: LINES, to: { port: rig.port }, ack: true };
      });
      await deliver('Go library 1.9.0: acks, relay killed 3 times', rig, sendings, async () => {
        const clients = sendings.map((each) => goClient(program, each).succeeded());
        for (const share of [0.2, 0.4, 0.6]) {
          await rig.arrived(names.length * LINES * share);
          await rig.killAndStartAgain();
        }
        await Promise.all(clients);
      });
    },
    TIMEOUT_MS,
  );
});

describe.skipIf(lacksPeer('python'))("Debian's python3-fluent-logger", () => {
  it(
    'delivers over tcp and unix, with whole seconds and with EventTime',
    async () => {
      const socket = `${dir.path}/python.sock`;
      const rig = await startRig({ listeners: [{ listen: `unix://${socket}` }] });
      const sendings: PythonSending[] = [
        { name: 'python-tcp', to: { port: rig.port } },
        { name: 'python-tcp-ns', to: { port: rig.port }, sub_second: true },
        { name: 'python-unix', to: { socket } },
        { name: 'python-unix-ns', to: { socket }, sub_second: true },
      ].map((each) => ({ ...each, tag: each.name, lines: LINES }));
      await deliver('Python library 0.10.0: tcp, unix', rig, sendings, () =>
        Promise.all(sendings.map((each) => pythonClient(each).succeeded())),
      );
    },
    TIMEOUT_MS,
  );
});

describe.each([
  {
    library: 'npm @fluent-org/logger',
    send: sendWithFluentOrg,
    modes: ['Message', 'Forward', 'PackedForward', 'CompressedPackedForward'] as const,
  },
  {
    library: 'npm fluent-logger',
    send: sendWithFluentLogger,
    modes: ['Message', 'PackedForward', 'CompressedPackedForward'] as const,
  },
])('$library', ({ library, send, modes }) => {
  it(
    'delivers in every mode, with and without acks',
    async () => {
      const rig = await startRig();
      const sendings: NodeSending[] = modes.flatMap((mode) =>
        [true, false].map((ack) => ({
          name: `${mode}-${ack ? 'acked' : 'unacked'}`,
          tag: `node.${mode}`,
          lines: LINES,
          port: rig.port,
          mode,
          ack,
          sub_second: ack,
        })),
      );
      await deliver(`${library}: ${modes.length} modes, acks`, rig, sendings, () =>
        Promise.all(sendings.map(send)),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'proves a shared key and a user',
    async () => {
      const port = await freePort();
      const listener = {
        listen: `tcp://127.0.0.1:${port}`,
        auth: {
          shared_key: SECURITY.shared_key,
          self_hostname: 'relay.test',
          users: [{ name: SECURITY.user, password: SECURITY.password }],
        },
      };
      const rig = await startRig({ listeners: [listener] });
      const sending: NodeSending = {
        ...{ name: 'keyed', tag: 'node.keyed', lines: LINES, port, ack: true },
        ...{ mode: 'PackedForward', security: SECURITY },
      };
      await deliver(`${library}: shared key, user`, rig, [sending], () => send(sending));
    },
    TIMEOUT_MS,
  );

  describe.skipIf(lacksPeer('openssl'))('over TLS', () => {
    let certificates: Certificates;

    beforeAll(async () => {
      certificates = await makeCertificates(dir.path);
    });

    it(
      'delivers with a verified certificate',
      async () => {
        const port = await freePort();
        const { cert, key } = certificates;
        const listener = { listen: `tls://127.0.0.1:${port}`, tls: { cert, key } };
        const rig = await startRig({ listeners: [listener] });
        const sending: NodeSending = {
          ...{ name: 'tls', tag: 'node.tls', lines: LINES, port, ack: true },
          ...{ mode: 'PackedForward', tls_ca: certificates.ca },
        };
        await deliver(`${library}: TLS`, rig, [sending], () => send(sending));
      },
      TIMEOUT_MS,
    );
  });
});
