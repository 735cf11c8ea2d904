import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import type { RelayStatus } from '../types.ts';
import { type Answer, plain, send } from './answer.ts';
import { EventFeed } from './event-feed.ts';
import { isLoopback, refuseForeignHost, TokenGuard } from './guard.ts';
import { type Asset, type Route, routesOf, STARTING } from './routes.ts';

export interface StatusServerOptions {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
  /** Undefined: whoever can connect may look. */
  readonly token: string | undefined;
}

export interface StatusServerDeps {
  readonly assets: ReadonlyMap<string, Asset>;
  readonly clock: Clock;
  readonly log: Log;
}

const CONNECTIONS_MAX = 64;
const EVENT_CLIENTS_MAX = 16;
const HEADERS_MAX_BYTES = 8 * 1024;
/** For a request to come in whole. */
const REQUEST_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 5_000;
const REQUESTS_PER_CONNECTION = 1_000;

/**
 * The relay over HTTP: health, figures and the page. It only looks, and takes requests
 * without a body only.
 *
 * Bounds: connections, the time and size of a request, clients of the stream.
 */
export class StatusServer {
  readonly #options: StatusServerOptions;
  readonly #warnings: RateLimitedLog;
  readonly #server: Server;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #token: TokenGuard | undefined;
  readonly #feed: EventFeed;
  readonly #is_loopback: boolean;
  #take: (() => RelayStatus) | undefined;

  /** @throws LB_LISTEN */
  static async open(options: StatusServerOptions, deps: StatusServerDeps): Promise<StatusServer> {
    const server = new StatusServer(options, deps);
    await server.#listen();
    return server;
  }

  private constructor(options: StatusServerOptions, { assets, clock, log }: StatusServerDeps) {
    this.#options = options;
    this.#warnings = new RateLimitedLog(log, clock);
    this.#is_loopback = isLoopback(options.host);
    if (!this.#is_loopback && options.token === undefined) {
      log.warn(
        { host: options.host },
        'status is served to everybody who can connect: give a token',
      );
    }
    this.#routes = routesOf(assets);
    this.#token = options.token === undefined ? undefined : new TokenGuard(options.token);
    this.#feed = new EventFeed({
      clients_max: EVENT_CLIENTS_MAX,
      clock,
      data: () => JSON.stringify(this.#take?.()),
    });
    this.#server = createServer(
      {
        maxHeaderSize: HEADERS_MAX_BYTES,
        headersTimeout: REQUEST_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
      },
      (request, response) => this.#serve(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  }

  /** With the port that the system chose. */
  get url(): string {
    const bound = this.#server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : this.#options.port;
    return urlOf(this.#options.host, port);
  }

  /** From now on there are figures. */
  begin(take: () => RelayStatus): void {
    this.#take = take;
  }

  /** Ends every connection; resolves when the port is free. */
  async close(): Promise<void> {
    this.#feed.close();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(urlOf(host, port), error)));
      this.#server.listen({ host, port }, resolve);
    });
    this.#server.on('error', (error) => {
      this.#warnings.warn('accept', { error: error.message }, 'the status server cannot accept');
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    // A reader that is gone has no use for an answer.
    response.on('error', () => {});
    try {
      const answer = this.#answer(request);
      if (answer === 'events') this.#feed.add(response);
      else send(request, response, answer);
    } catch (error) {
      const fields = { path: request.url, error: messageOf(error) };
      this.#warnings.error('answer', fields, 'a status request cannot be answered');
      if (response.headersSent) response.destroy();
      else send(request, response, plain(500, 'this failed; the log of logboom says why'));
    }
    request.resume();
  }

  #answer(request: IncomingMessage): Answer | 'events' {
    const { method, url, headers } = request;
    const foreign = this.#is_loopback ? refuseForeignHost(headers.host) : undefined;
    if (foreign !== undefined) return foreign;
    if (method !== 'GET' && method !== 'HEAD') {
      return plain(405, 'only GET and HEAD', { Allow: 'GET, HEAD', Connection: 'close' });
    }
    const target = targetOf(url ?? '');
    if (target === undefined) return plain(400, 'this is not a path');
    const { pathname, searchParams } = target;
    const route = this.#routes.get(pathname);
    if (route === undefined && pathname !== '/events') {
      return plain(404, `there is nothing at ${pathname}; see /status.json, /metrics, /healthz`);
    }
    const refused = route?.is_open === true ? undefined : this.#token?.refuse(headers);
    if (refused !== undefined) return refused;
    if (route !== undefined) return route.answer(this.#take?.(), searchParams);
    return this.#eventsAnswer(method);
  }

  #eventsAnswer(method: string): Answer | 'events' {
    if (this.#take === undefined) return STARTING;
    if (method === 'HEAD') return { code: 200, type: 'text/event-stream', body: '' };
    if (this.#feed.is_full) {
      return plain(503, `there are ${EVENT_CLIENTS_MAX} readers already`, { 'Retry-After': '5' });
    }
    return 'events';
  }
}

function targetOf(path: string): URL | undefined {
  try {
    return new URL(path, 'http://relay');
  } catch {
    return undefined;
  }
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function cannotListen(where: string, error: unknown): LogboomError {
  const taken = systemCode(error) === 'EADDRINUSE';
  const hint = taken
    ? 'Choose another with --status http://127.0.0.1:PORT, or --status off. See who holds it with: ss -tlnp'
    : 'Choose another with --status, or --status off.';
  return new LogboomError('LB_LISTEN', `status cannot be served: ${messageOf(error)}`, {
    where,
    cause: error,
    hint,
  });
}
