import { createServer, type Server, type Socket } from 'node:net';
import { LogboomError, messageOf, systemCode } from '../errors.ts';
import type { Clock } from '../sys/clock.ts';
import type { Log } from '../sys/log.ts';

const CONNECTIONS_MAX = 64;
/** A check says a word and goes; whoever stays longer, or says more, is sent away. */
const CHECK_MAX_MS = 10_000;
const CHECK_MAX_BYTES = 64 * 1024;

export interface HealthOptions {
  readonly host: string;
  /** 0: one that the system chooses. */
  readonly port: number;
}

/**
 * The health check of AWS FireLens (formats.md 8): a TCP port that takes whatever is sent,
 * keeps nothing, and so says that the relay is up. What comes here is no event.
 *
 * Bounds: connections, and of each its time and its bytes.
 */
export class HealthListener {
  readonly #options: HealthOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  checks_count = 0;
  /** Beyond the connections that are served at one time. */
  refused_count = 0;

  constructor(options: HealthOptions, clock: Clock, log: Log) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  get url(): string {
    const bound = this.#server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : this.#options.port;
    return urlOf(this.#options.host, port);
  }

  /** @throws LB_LISTEN */
  async open(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(urlOf(host, port), error)));
      this.#server.listen({ host, port }, resolve);
    });
    this.#server.on('error', (error) => {
      this.#log.error({ listener: this.url, error: error.message }, 'cannot accept');
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #accept(socket: Socket): void {
    // A check that resets its connection has had its answer.
    socket.on('error', () => {});
    if (this.#open.size >= CONNECTIONS_MAX) {
      this.refused_count++;
      socket.destroy();
      return;
    }
    this.checks_count++;
    this.#open.add(socket);
    const cancel = this.#clock.after(CHECK_MAX_MS, () => socket.destroy());
    socket.on('data', () => {
      if (socket.bytesRead > CHECK_MAX_BYTES) socket.destroy();
    });
    socket.once('close', () => {
      cancel();
      this.#open.delete(socket);
    });
  }
}

function urlOf(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function cannotListen(where: string, error: unknown): LogboomError {
  const taken = systemCode(error) === 'EADDRINUSE';
  return new LogboomError('LB_LISTEN', `no health check: ${messageOf(error)}`, {
    where,
    cause: error,
    ...(taken ? { hint: 'See who holds the port with: ss -tlnp' } : {}),
  });
}
