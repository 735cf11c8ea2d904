import { type LookupAddress, lookup } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, createSecureContext } from 'node:tls';
import { LogboomError, messageOf } from '../../errors.ts';
import type { ClientTls, ServerAddress } from './options.ts';

/** Finds dead peers on idle connections; the kernel's own default is two hours. */
const KEEPALIVE_MS = 30_000;

/** Every address of a name, in the order to try them. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export const systemLookup: Lookup = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error: Error | null, found: LookupAddress[]) => {
      if (error === null) resolve(found.map(({ address }) => address));
      else reject(error);
    });
  });

export interface DialOptions {
  readonly address: ServerAddress;
  readonly tls: ClientTls;
  readonly timeout_ms: number;
  readonly lookup: Lookup;
}

/** Which of a name's addresses to try. */
export interface AddressChoice {
  /** Begins with the one after the last that failed: this counts. */
  readonly attempt: number;
  /** The only one to try, as long as the name has it. */
  readonly stay_at?: string | undefined;
}

export interface Dialed {
  readonly socket: Socket;
  /** Where it leads: an IP address, or the path of a socket. */
  readonly address: string;
}

/**
 * Connects, and for `tls` shakes hands and verifies. A name is looked up each time, and its
 * addresses are tried in turn.
 *
 * @throws LB_UPSTREAM, LB_TLS; whatever `signal` aborts with
 */
export async function dial(
  options: DialOptions,
  { attempt, stay_at }: AddressChoice,
  signal: AbortSignal,
): Promise<Dialed> {
  const { address, timeout_ms } = options;
  if (address.kind === 'unix') {
    const { path } = address;
    return { socket: await connectTo({ path }, timeout_ms, signal), address: path };
  }
  const all = await abortable(lookUp(address.host, options.lookup), signal);
  const found = stay_at !== undefined && all.includes(stay_at) ? [stay_at] : all;
  const failures: string[] = [];
  for (let i = 0; i < found.length; i++) {
    const host = found[(attempt + i) % found.length] as string;
    try {
      const share_ms = timeout_ms / found.length;
      const socket = await connectTo({ host, port: address.port }, share_ms, signal);
      if (address.kind === 'tcp') return { socket, address: host };
      const secured = await secure(socket, address.host, options.tls, share_ms, signal);
      return { socket: secured, address: host };
    } catch (error) {
      if (signal.aborted || found.length === 1) throw error;
      failures.push(messageOf(error));
    }
  }
  throw new LogboomError(
    'LB_UPSTREAM',
    `none of ${found.length} addresses can be reached: ${failures.join('; ')}`,
    {
      where: `${address.host}:${address.port}`,
    },
  );
}

async function lookUp(host: string, lookup: Lookup): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  let found: readonly string[];
  try {
    found = await lookup(host);
  } catch (cause) {
    throw new LogboomError('LB_UPSTREAM', `the name cannot be looked up: ${messageOf(cause)}`, {
      where: host,
      cause,
    });
  }
  if (found.length === 0)
    throw new LogboomError('LB_UPSTREAM', 'the name has no address', { where: host });
  return found;
}

function connectTo(
  target: NetConnectOpts,
  timeout_ms: number,
  signal: AbortSignal,
): Promise<Socket> {
  const where = 'path' in target ? target.path : `${target.host}:${target.port}`;
  const socket = connect({
    ...target,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_MS,
  });
  return established(socket, 'connect', timeout_ms, where, signal);
}

async function secure(
  socket: Socket,
  host: string,
  tls: ClientTls,
  timeout_ms: number,
  signal: AbortSignal,
): Promise<Socket> {
  try {
    const name = tls.server_name ?? host;
    const secured = connectTls({
      ...(await loadClientTls(tls)),
      socket,
      host: name,
      servername: isIP(name) === 0 ? name : '',
      rejectUnauthorized: tls.verify,
    });
    return await established(secured, 'secureConnect', timeout_ms, host, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Resolves with the socket at `event`; otherwise destroys it. */
function established<S extends Socket>(
  socket: S,
  event: string,
  timeout_ms: number,
  where: string,
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', fail).off('close', close).off(event, settle);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      // Destroying may raise another error, which says nothing new.
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const fail = (cause: unknown): void => {
      // Node ends its message with the place, which stands in front of ours.
      const said = messageOf(cause);
      const message = said.endsWith(` ${where}`) ? said.slice(0, -where.length - 1) : said;
      settle(new LogboomError('LB_UPSTREAM', message, { where, cause }));
    };
    const close = (): void => fail(new Error('the connection was closed before it was ready'));
    const abort = (): void => settle(reasonOf(signal));
    const timer = setTimeout(
      () => fail(new Error(`no ${event} within ${timeout_ms} ms`)),
      timeout_ms,
    );
    socket
      .once(event, () => settle())
      .once('error', fail)
      .once('close', close);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
}

/**
 * What the files of a client say, read anew for every connection so that renewed certificates are used.
 *
 * @throws LB_TLS that names what cannot be used
 */
export async function loadClientTls(tls: ClientTls): Promise<ConnectionOptions> {
  const [ca, cert, key] = await Promise.all(
    [tls.ca_file, tls.cert_file, tls.key_file].map(readPem),
  );
  const options = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    minVersion: tls.min_version,
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new LogboomError('LB_TLS', messageOf(cause), {
      where: [tls.ca_file, tls.cert_file, tls.key_file]
        .filter((file) => file !== undefined)
        .join(', '),
      cause,
    });
  }
  return options;
}

async function readPem(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (cause) {
    throw new LogboomError('LB_TLS', messageOf(cause), { where: file, cause });
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(reasonOf(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
