import { dirname, join, resolve } from 'node:path';
import { LIMITS } from '../../limits.ts';
import { parseServerAddress, type ServerAddress } from '../address.ts';
import { serverUrl } from '../checks/forward-output.ts';
import type { OutputDocument } from '../schema.ts';
import type { Path } from '../tree.ts';
import type {
  ClientHandshakeConfig,
  ClientTlsConfig,
  DeadLetterConfig,
  FileOutputConfig,
  ForwardOutputConfig,
  OutputConfig,
  ServerConfig,
  StdoutOutputConfig,
} from '../types.ts';
import { withoutUndefined } from './optional.ts';
import type { SecretReader } from './secrets.ts';

type Document<Type> = Extract<OutputDocument, { type: Type }>;

/** What an output needs to know of the world around it. */
export interface OutputSurroundings {
  readonly cwd: string;
  readonly journal_dir: string;
  readonly secrets: SecretReader;
}

export function resolveOutput(
  name: string,
  output: OutputDocument,
  around: OutputSurroundings,
): OutputConfig {
  if (output.type === 'forward') return resolveForward(name, output, around);
  return output.type === 'file' ? resolveFile(name, output, around) : resolveStdout(name, output);
}

function resolveForward(
  name: string,
  output: Document<'forward'>,
  around: OutputSurroundings,
): ForwardOutputConfig {
  const path = ['outputs', name];
  const handshake = resolveHandshake(output.auth, [...path, 'auth'], around.secrets);
  return {
    type: 'forward',
    ...common(name, output),
    servers: output.servers.map(resolveServer),
    kind: output.kind,
    balance: output.balance,
    ack: output.ack,
    ack_timeout_ms: output.ack_timeout,
    connect_timeout_ms: output.connect_timeout,
    connection_max_age_ms: unlessOff(output.connection_max_age),
    compress: output.compress,
    chunk_max_bytes: output.chunk_size,
    window_max_bytes: output.window_size,
    windows_in_flight_max: output.windows_in_flight,
    tls: resolveTls(output.tls, around.cwd),
    ...withoutUndefined({ handshake, metadata_key: output.metadata_key }),
    retry: {
      delay_min_ms: output.retry.min,
      delay_max_ms: output.retry.max,
      max_age_ms: unlessOff(output.retry.max_age),
      failover_after_ms: output.retry.failover_after,
    },
    dead_letter: resolveDeadLetter(name, output.dead_letter, around),
  };
}

function resolveServer(server: Document<'forward'>['servers'][number]): ServerConfig {
  const { weight, standby } = typeof server === 'string' ? { weight: 1, standby: false } : server;
  const url = serverUrl(server);
  return { url, address: addressOf(url), weight, standby };
}

function addressOf(url: string): ServerAddress {
  const reading = parseServerAddress(url);
  if (!reading.ok) throw new TypeError(`the schema let the server ${url} pass`);
  return reading.value;
}

function resolveTls(tls: Document<'forward'>['tls'], cwd: string): ClientTlsConfig {
  return {
    verify: tls?.verify ?? true,
    min_version: tls?.min_version ?? 'TLSv1.2',
    ...withoutUndefined({
      ca_file: absolute(tls?.ca, cwd),
      cert_file: absolute(tls?.cert, cwd),
      key_file: absolute(tls?.key, cwd),
      server_name: tls?.server_name,
    }),
  };
}

function resolveHandshake(
  auth: Document<'forward'>['auth'],
  path: Path,
  secrets: SecretReader,
): ClientHandshakeConfig | undefined {
  if (auth === undefined) return undefined;
  return {
    shared_key: secrets.read(auth, 'shared_key', path) ?? '',
    username: auth.username ?? '',
    password: secrets.read(auth, 'password', path) ?? '',
    ...withoutUndefined({ self_hostname: auth.self_hostname }),
  };
}

/** Beside the journal, where there is room for what the journal holds now. */
function resolveDeadLetter(
  name: string,
  { dir, max_size }: Document<'forward'>['dead_letter'],
  { cwd, journal_dir }: OutputSurroundings,
): DeadLetterConfig {
  const beside = join(dirname(journal_dir), 'logboom-dead-letter', name);
  return { dir: absolute(dir, cwd) ?? beside, max_bytes: max_size };
}

function resolveFile(
  name: string,
  output: Document<'file'>,
  { cwd }: OutputSurroundings,
): FileOutputConfig {
  return {
    type: 'file',
    ...common(name, output),
    path: resolve(cwd, output.path),
    rotate_max_bytes: unlessOff(output.rotate.size),
    rotate_every_ms: unlessOff(output.rotate.every),
    rotate_keep_max: output.rotate.keep,
    compress: output.compress,
    mode: Number.parseInt(output.mode, 8),
  };
}

function resolveStdout(name: string, output: Document<'stdout'>): StdoutOutputConfig {
  const { format, transient } = output;
  return { type: 'stdout', ...common(name, output), format, transient };
}

function common(
  name: string,
  { match, start_at, max_lag, add, tag_prefix, join_partial }: OutputDocument,
) {
  return {
    name,
    match,
    start_at,
    max_lag_bytes: unlessOff(max_lag),
    add,
    tag_prefix: tag_prefix ?? '',
    join_partial: resolveJoining(join_partial),
  };
}

/** `true` stands for the defaults of the keys. */
function resolveJoining(joining: OutputDocument['join_partial']): OutputConfig['join_partial'] {
  if (joining === false) return undefined;
  if (joining === true) {
    return { max_bytes: LIMITS.join_max_bytes, timeout_ms: LIMITS.join_timeout_ms };
  }
  return { max_bytes: joining.max_size, timeout_ms: joining.timeout };
}

function unlessOff(quantity: number | 'off'): number | undefined {
  return quantity === 'off' ? undefined : quantity;
}

function absolute(path: string | undefined, cwd: string): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path);
}
