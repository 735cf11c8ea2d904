import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { ListenAddress } from '../../config/address.ts';
import type { Config, ListenerConfig } from '../../config/types.ts';
import { messageOf, systemCode } from '../../errors.ts';
import { getJson } from '../../inputs/docker/api/call.ts';
import { unixEndpoint } from '../../inputs/docker/api/endpoint.ts';
import { inspectDirectory, inspectLog } from '../../journal/inspect.ts';
import { LIMITS } from '../../limits.ts';
import type { JournalFacts, LogDefaults, RelayFacts } from '../../status/doctor/facts.ts';
import { systemClock } from '../../sys/clock.ts';

const CONNECT_TIMEOUT_MS = 2000;

/** Tries every listener of the configuration; a connection that says nothing costs the relay nothing. */
export async function lookAtRelay(
  config: Config,
  interfaces: readonly string[],
): Promise<RelayFacts> {
  const listeners = await Promise.all(
    config.inputs.listeners.map(async (listener) => ({
      url: listener.url,
      state: await stateOf(listener),
    })),
  );
  return { listeners, reads_docker: config.docker.root !== undefined, interfaces };
}

type ListenerState = RelayFacts['listeners'][number]['state'];

async function stateOf({ address }: ListenerConfig): Promise<ListenerState> {
  const target = targetOf(address);
  if (target === undefined) return 'not tried';
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: CONNECT_TIMEOUT_MS });
    const end = (state: ListenerState): void => {
      socket.destroy();
      resolve(state);
    };
    socket.once('connect', () => end('answers'));
    socket.once('error', (error) => end({ failed: systemCode(error) ?? messageOf(error) }));
    socket.once('timeout', () => end({ failed: `no answer within ${CONNECT_TIMEOUT_MS} ms` }));
  });
}

/** Undefined: only a running relay knows. */
function targetOf(
  address: ListenAddress,
): { path: string } | { host: string; port: number } | undefined {
  if (address.kind === 'systemd') return undefined;
  if (address.kind === 'unix') return { path: address.path };
  if (address.port === 0) return undefined;
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return { host: everywhere[address.host] ?? address.host, port: address.port };
}

/** A folder that is not there yet is judged by the one that it will be made in. */
export async function lookAtJournal({ dir, max_bytes }: Config['journal']): Promise<JournalFacts> {
  const place = await existing(dir);
  const free_bytes = await statfs(place).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  );
  const problem = await access(place, constants.W_OK | constants.X_OK).then(
    () => undefined,
    messageOf,
  );
  const { used_bytes, newest_ms } = await contentOf(dir).catch(() => NOTHING);
  return { dir, max_bytes, used_bytes, free_bytes, newest_ms, problem };
}

const NOTHING = { used_bytes: 0, newest_ms: undefined };

async function existing(path: string): Promise<string> {
  const above = dirname(path);
  if (above === path) return path;
  return (await stat(path).catch(() => undefined)) === undefined ? existing(above) : path;
}

async function contentOf(
  dir: string,
): Promise<{ readonly used_bytes: number; readonly newest_ms: number | undefined }> {
  const { segments } = await inspectDirectory(dir);
  const used_bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const from_seq = segments.at(-1)?.first_seq ?? 0;
  let newest_ms: number | undefined;
  for await (const item of inspectLog(dir, { from_seq, bodies: false })) {
    if (item.type === 'commit') newest_ms = item.commit.committed_ms;
  }
  return { used_bytes, newest_ms };
}

/** What `daemon.json` says of logging; undefined: nothing, or it cannot be read. */
export async function readDefaults(path: string): Promise<LogDefaults | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return defaultsIn(value);
  } catch {
    return undefined;
  }
}

function defaultsIn(value: unknown): LogDefaults | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { 'log-driver': log_driver, 'log-opts': options } = value as Record<string, unknown>;
  if (log_driver === undefined && options === undefined) return undefined;
  const entries = typeof options === 'object' && options !== null ? Object.entries(options) : [];
  return {
    log_driver: typeof log_driver === 'string' ? log_driver : 'json-file',
    log_options: Object.fromEntries(entries.map(([name, option]) => [name, String(option)])),
  };
}

/** Such as `20.10.24`. @throws LB_DOCKER_API */
export async function engineVersion(
  api_socket: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limits = {
    timeout_ms: LIMITS.engine_call_timeout_ms,
    answer_max_bytes: LIMITS.engine_answer_max_bytes,
  };
  const endpoint = unixEndpoint(api_socket);
  const answer = await getJson(endpoint, '/version', limits, systemClock, signal);
  const { Version: version } = (answer ?? {}) as Record<string, unknown>;
  return typeof version === 'string' ? version : undefined;
}
