import { readFile } from 'node:fs/promises';
import { FluentClient } from '@fluent-org/logger';
import fluentLogger from 'fluent-logger';
import { lineOf, type Security, type Sending } from './client.ts';

export interface NodeSending extends Sending {
  readonly port: number;
  readonly ack?: boolean;
  readonly security?: Security;
  readonly mode: 'Message' | 'Forward' | 'PackedForward' | 'CompressedPackedForward';
  /** Speak TLS, and check the server against this CA file. */
  readonly tls_ca?: string;
  /** Time with milliseconds (EventTime) instead of whole seconds. */
  readonly sub_second?: boolean;
}

/** Generous: the library's own 500 ms would fail on a loaded machine. */
const ACK_TIMEOUT_MS = 150_000;
/**
 * Longer than any test. After 3 s of silence, its default, @fluent-org/logger closes the
 * connection, reads no ack from it any more and does not send again what waits for one.
 */
const IDLE_TIMEOUT_MS = 600_000;

/** npm's @fluent-org/logger. Resolves once every line is sent, or acked if asked for. */
export async function sendWithFluentOrg(sending: NodeSending): Promise<void> {
  const { security } = sending;
  const client = new FluentClient(sending.tag, {
    eventMode: sending.mode,
    milliseconds: sending.sub_second ?? false,
    socket: {
      host: '127.0.0.1',
      port: sending.port,
      timeout: IDLE_TIMEOUT_MS,
      ...(sending.tls_ca === undefined ? {} : { tls: { ca: await readFile(sending.tls_ca) } }),
    },
    ...(sending.ack ? { ack: { ackTimeout: ACK_TIMEOUT_MS } } : {}),
    ...(security === undefined ? {} : { security: { ...credentials(security) } }),
    disconnect: { waitForPending: true },
  });
  const sent: Promise<void>[] = [];
  for (let n = 1; n <= sending.lines; n++) sent.push(client.emit({ log: lineOf(sending, n) }));
  await Promise.all(sent);
  await client.disconnect();
}

/**
 * npm's fluent-logger, the older library: its `size` option is in bytes, not in events.
 * Resolves once the last line is sent, or acked if asked for.
 */
export async function sendWithFluentLogger(sending: NodeSending): Promise<void> {
  if (sending.mode === 'Forward') throw new Error('fluent-logger has no Forward mode');
  const { security } = sending;
  const ca = sending.tls_ca === undefined ? undefined : await readFile(sending.tls_ca);
  await new Promise<void>((resolve, reject) => {
    const sender = fluentLogger.createFluentSender<{ log: string }>(sending.tag, {
      eventMode: sending.mode,
      host: '127.0.0.1',
      port: sending.port,
      requireAckResponse: sending.ack ?? false,
      ackResponseTimeout: ACK_TIMEOUT_MS,
      // The library tells connection errors only here.
      internalLogger: {
        info() {},
        error: (text, error) => reject(new Error(String(text), { cause: error })),
      },
      ...(ca === undefined ? {} : { tls: true, tlsOptions: { ca } }),
      ...(security === undefined ? {} : { security: credentials(security) }),
    });
    const finish = (error?: Error): void => (error === undefined ? resolve() : reject(error));
    for (let n = 1; n < sending.lines; n++) sender.emit({ log: lineOf(sending, n) });
    // Calls back once the last line is written or acked, and then closes the connection.
    sender.end('', { log: lineOf(sending, sending.lines) }, finish);
  });
}

function credentials(security: Security) {
  return {
    clientHostname: 'client.test',
    sharedKey: security.shared_key,
    username: security.user ?? '',
    password: security.password ?? '',
  };
}
