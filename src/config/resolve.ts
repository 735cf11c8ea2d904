import { resolve } from 'node:path';
import {
  type HttpAddress,
  type ListenAddress,
  parseHttpAddress,
  parseListenAddress,
} from './address.ts';
import type { Report } from './checks/report.ts';
import { resolveDocker } from './resolve/docker.ts';
import { withoutUndefined } from './resolve/optional.ts';
import { resolveOutput } from './resolve/outputs.ts';
import { type ReadFile, SecretReader } from './resolve/secrets.ts';
import type { ConfigDocument } from './schema.ts';
import type { Path } from './tree.ts';
import type {
  Config,
  InputsConfig,
  ListenerConfig,
  ServerHandshakeConfig,
  ServerTlsConfig,
} from './types.ts';

type ListenerDocument = ConfigDocument['inputs']['forward'][number];

/**
 * A checked document as the rest of logboom takes it. Reads the files that hold
 * secrets; what is wrong with those is reported, and the result is then not to be used.
 */
export function resolveConfig(
  document: ConfigDocument,
  cwd: string,
  readFile: ReadFile,
  report: Report,
): Config {
  const secrets = new SecretReader((path) => readFile(resolve(cwd, path)), report);
  const { docker, journal, status, log, shutdown } = document;
  const journal_dir = resolve(cwd, journal.dir);
  return {
    inputs: resolveInputs(document.inputs, cwd, secrets),
    docker: resolveDocker(docker, cwd),
    journal: {
      dir: journal_dir,
      max_bytes: journal.max_size,
      on_full: journal.on_full,
      sync: journal.sync,
      segment_max_bytes: journal.segment_size,
      linger_ms: journal.linger,
    },
    outputs: Object.entries(document.outputs ?? {}).map(([name, output]) =>
      resolveOutput(name, output, { cwd, journal_dir, secrets }),
    ),
    status: {
      address: status.listen === 'off' ? undefined : httpAddress(status.listen),
      token: secrets.read(status, 'token', ['status']),
    },
    log,
    shutdown_timeout_ms: shutdown.timeout,
  };
}

function resolveInputs(
  { forward, tail, health, limits, dedup }: ConfigDocument['inputs'],
  cwd: string,
  secrets: SecretReader,
): InputsConfig {
  return {
    listeners: forward.map((listener, index) =>
      resolveListener(listener, ['inputs', 'forward', index], cwd, secrets),
    ),
    tail,
    health: health === 'off' ? undefined : healthAddress(health),
    limits: {
      connections_max: limits.connections,
      message_max_bytes: limits.message_size,
      event_max_bytes: limits.event_size,
      inflated_max_bytes: limits.inflated_size,
      nesting_max_levels: limits.nesting,
      handshake_timeout_ms: limits.handshake_timeout,
    },
    dedup: {
      sender_max_ids: dedup.ids_per_sender,
      max_ids: dedup.ids,
      max_senders: dedup.senders,
    },
  };
}

function resolveListener(
  { listen, tls, auth, udp_heartbeat }: ListenerDocument,
  path: Path,
  cwd: string,
  secrets: SecretReader,
): ListenerConfig {
  return {
    url: listen,
    address: listenAddress(listen),
    udp_heartbeat,
    ...withoutUndefined({
      tls: tls === undefined ? undefined : resolveTls(tls, cwd),
      handshake:
        auth === undefined ? undefined : resolveHandshake(auth, [...path, 'auth'], secrets),
    }),
  };
}

function resolveTls(tls: NonNullable<ListenerDocument['tls']>, cwd: string): ServerTlsConfig {
  const has_ca = tls.client_ca !== undefined;
  return {
    cert_file: resolve(cwd, tls.cert),
    key_file: resolve(cwd, tls.key),
    client_certificates: tls.client_auth ?? (has_ca ? 'require' : 'none'),
    min_version: tls.min_version,
    ...(tls.client_ca === undefined ? {} : { ca_file: resolve(cwd, tls.client_ca) }),
  };
}

function resolveHandshake(
  auth: NonNullable<ListenerDocument['auth']>,
  path: Path,
  secrets: SecretReader,
): ServerHandshakeConfig {
  return {
    shared_key: secrets.read(auth, 'shared_key', path) ?? '',
    users: auth.users.map((user, index) => ({
      name: user.name,
      password: secrets.read(user, 'password', [...path, 'users', index]) ?? '',
    })),
    ...withoutUndefined({ self_hostname: auth.self_hostname }),
  };
}

function listenAddress(url: string): ListenAddress {
  const reading = parseListenAddress(url);
  if (!reading.ok) throw new TypeError(`the schema let the listener ${url} pass`);
  return reading.value;
}

function healthAddress(url: string): HttpAddress {
  const reading = parseListenAddress(url);
  if (reading.ok && reading.value.kind === 'tcp') return reading.value;
  throw new TypeError(`the schema let the health check ${url} pass`);
}

function httpAddress(url: string): HttpAddress {
  const reading = parseHttpAddress(url);
  if (!reading.ok) throw new TypeError(`the schema let the status address ${url} pass`);
  return reading.value;
}
