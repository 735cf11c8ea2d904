import type { Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { JournalWriter } from '../../journal/types.ts';
import { ScratchPool } from '../../protocol/scratch-pool.ts';
import type { Clock } from '../../sys/clock.ts';
import type { DropLedger } from '../../sys/ledger.ts';
import type { Log } from '../../sys/log.ts';
import { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import { BodyStore } from './body-store.ts';
import { Connection, type ConnectionDeps } from './connection.ts';
import type { ChunkDedup } from './dedup.ts';
import { JournalGate } from './journal-gate.ts';
import type { InheritedSocket } from './listen-address.ts';
import type { Listener, ListenerEvents } from './listener.ts';
import { type HandedOver, Listeners, type ListenersDeps } from './listeners.ts';
import type { FilterSource } from './message-filter.ts';
import type { ForwardInputOptions, ListenerOptions } from './options.ts';
import { SpoolPool } from './spool.ts';
import { ForwardStats } from './stats.ts';
import { UnfinishedBytes } from './unfinished-bytes.ts';

export interface ForwardInputDeps {
  readonly journal: JournalWriter;
  /** Registered with the journal as the state space `CHUNK_SPACE`. */
  readonly dedup: ChunkDedup;
  readonly ledger: DropLedger;
  readonly clock: Clock;
  readonly log: Log;
  /** What `inheritedSockets` found. */
  readonly inherited?: readonly InheritedSocket[];
  /** Open already, and held; otherwise those of the options are opened. */
  readonly listeners?: Listeners;
  /** Looks at what clients send before it is stored. */
  readonly filters?: FilterSource | undefined;
}

export interface StopOptions {
  /** When everything has to be over, counted from the call. */
  readonly deadline_ms: number;
}

/**
 * A client that so many looks in a row found silent has nothing on its way, as far as one can
 * tell. Looks, and not time: time passes also while this process stands still and reads nothing.
 */
const SILENT_LOOKS = 10;
const LOOK_EVERY_MS = 10;
/** Of the time to stop: clients that never cease to come must not keep us. */
const ACCEPT_SHARE = 0.25;
/** Of clients that are cut off, so many are named. */
const NAMED_MAX = 10;

/**
 * The Forward server: listeners, their connections, and the one journal behind them.
 *
 *     stop():  no new clients → read each until it is silent → commit → acks → FIN → close
 */
export class ForwardServer {
  readonly stats = new ForwardStats();
  readonly #options: ForwardInputOptions;
  readonly #deps: ForwardInputDeps;
  readonly #connection_deps: ConnectionDeps;
  readonly #warnings: RateLimitedLog;
  readonly #listeners: Listeners;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<Socket, Connection>();

  constructor(options: ForwardInputOptions, deps: ForwardInputDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#listeners =
      deps.listeners ?? new Listeners(options.listeners, listenersDeps(options, deps));
    this.#warnings = new RateLimitedLog(deps.log, deps.clock);
    const { limits } = options;
    const pool = new SpoolPool(options.spool_dir, limits.spool_memory_max_bytes);
    const shared = { ...deps, limits, pool, stats: this.stats };
    this.#connection_deps = {
      ...shared,
      store: new BodyStore(shared),
      gate: new JournalGate(deps.journal),
      unfinished: new UnfinishedBytes(limits.unfinished_max_bytes),
      scratch: new ScratchPool(),
      warnings: this.#warnings,
      filters: deps.filters,
    };
  }

  /** The addresses that are open, with the ports that the system chose. */
  get urls(): string[] {
    return this.#listeners.urls;
  }

  /** For a process that takes over. */
  get handed_over(): HandedOver[] {
    return this.#listeners.handed_over;
  }

  /** After a takeover that was called off. */
  async reclaimListeners(): Promise<void> {
    await this.#listeners.reclaim();
  }

  get heartbeats_answered(): number {
    return this.#listeners.heartbeats_answered;
  }

  /** Opens every listener, or none, and serves their clients. @throws LB_LISTEN, LB_TLS */
  async start(): Promise<void> {
    await this.#listeners.open();
    this.#listeners.serve((listener, options) => this.#eventsOf(listener, options));
  }

  /** Looks at the certificate files now. Connections stay as they are. */
  async reload(): Promise<void> {
    await this.#listeners.reloadCertificates();
  }

  /** Accepts nothing more, within a share of `deadline_ms`; clients go on being served. */
  async closeListeners({ deadline_ms }: StopOptions): Promise<void> {
    const { clock } = this.#deps;
    const end_ms = clock.monotonic_ms() + ACCEPT_SHARE * deadline_ms;
    // Clients whose connection the kernel has made already are accepted first: in each turn of
    // the event loop one of them. Then at once, since the kernel resets those that it makes in
    // between.
    await sleep(0);
    let before: number;
    do {
      before = this.#arrived_count;
      await setImmediate();
    } while (this.#arrived_count > before && clock.monotonic_ms() < end_ms);
    this.#listeners.close();
  }

  /**
   * Accepts nothing more and reads what clients have sent already: each one until it
   * is silent, everything is durable and its acks are written. Then it gets a FIN, and
   * what it still sends until it closes, or is silent again, is read too. Ends all
   * connections after `deadline_ms` at the latest.
   */
  async stop({ deadline_ms }: StopOptions): Promise<void> {
    const end_ms = this.#deps.clock.monotonic_ms() + deadline_ms;
    await this.closeListeners({ deadline_ms });
    await this.#conclude(end_ms);
    this.#tellCutOff(deadline_ms);
    await this.#destroyAll();
  }

  /** Ends everything now. */
  async abort(): Promise<void> {
    this.#listeners.close();
    await this.#destroyAll();
  }

  /** Clients that were accepted, whatever became of them. */
  get #arrived_count(): number {
    return this.stats.connections_total + this.stats.connections_refused;
  }

  #eventsOf(listener: Listener, options: ListenerOptions): ListenerEvents {
    return {
      accepted: (socket) => this.#accepted(socket),
      connected: (socket) => this.#connected(socket, listener, options),
      tlsFailed: (peer, error) => this.#tlsFailed(peer, error, listener),
    };
  }

  #accepted(socket: Socket): boolean {
    const { connections_max } = this.#options.limits;
    if (this.#sockets.size >= connections_max) {
      this.stats.connections_refused++;
      const fields = { peer: socket.remoteAddress, connections_max };
      this.#warnings.warn('connections_max', fields, 'connection refused: there are too many');
      socket.destroy();
      return false;
    }
    this.stats.connections_total++;
    this.#track(socket);
    return true;
  }

  #connected(socket: Socket, listener: Listener, options: ListenerOptions): void {
    const { remoteAddress, remotePort } = socket;
    const from = remoteAddress === undefined ? 'a client' : `${remoteAddress}:${remotePort}`;
    const peer = {
      name: `${from} to ${listener.url}`,
      sender: remoteAddress?.replace(/^::ffff:/, '') ?? listener.url,
    };
    const connection = new Connection(socket, peer, options.handshake, this.#connection_deps);
    this.#connections.set(socket, connection);
    socket.once('close', () => this.#connections.delete(socket));
  }

  #tlsFailed(peer: string, error: Error, listener: Listener): void {
    this.stats.tls_failures++;
    const fields = { peer, listener: listener.url, error: error.message };
    this.#warnings.warn('tls', fields, 'TLS handshake failed');
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    this.stats.connections_open = this.#sockets.size;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.stats.connections_open = this.#sockets.size;
    });
  }

  /**
   * Takes each connection to its end in its own time: silent and settled, FIN, silent again.
   * Sockets that are no connection yet, amid a TLS handshake, may become one while they talk.
   */
  async #conclude(end_ms: number): Promise<void> {
    const { clock } = this.#deps;
    const finished = new Set<Connection>();
    const silences = new Map<Connection, Silence>();
    let handshakes: Silence | undefined;
    while (this.#sockets.size > 0 && clock.monotonic_ms() < end_ms) {
      for (const connection of this.#connections.values()) {
        const silence = lookAgain(connection, silences.get(connection));
        silences.set(connection, silence);
        if (silence.looks < SILENT_LOOKS || !connection.settled) continue;
        if (finished.has(connection)) connection.destroy();
        else connection.finish();
        finished.add(connection);
        silences.delete(connection);
      }
      handshakes = lookAgain({ bytes_in: this.#bytesRead(), expects_more: false }, handshakes);
      if (this.#connections.size === 0 && handshakes.looks >= SILENT_LOOKS) return;
      await sleep(LOOK_EVERY_MS);
      // What came until now is read before the next look.
      await setImmediate();
    }
  }

  #bytesRead(): number {
    let bytes = 0;
    for (const { bytesRead } of this.#sockets) bytes += bytesRead;
    return bytes;
  }

  #tellCutOff(deadline_ms: number): void {
    const left = [...this.#connections.values()];
    if (left.length === 0) return;
    const unsettled = left.filter(({ settled }) => !settled).length;
    const peers = left.slice(0, NAMED_MAX).map(({ peer }) => peer);
    const limit_ms = Math.round(deadline_ms);
    const fields = { connections: left.length, awaiting_acks: unsettled, peers, limit_ms };
    this.#deps.log.warn(fields, 'clients were cut off while they sent, or waited for their acks');
  }

  async #destroyAll(): Promise<void> {
    const closing = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    for (const connection of this.#connections.values()) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closing);
  }
}

/** What is known of a client that may have nothing more to say. */
interface Silence {
  readonly bytes_in: number;
  /** At which nothing had come since the one before. */
  readonly looks: number;
}

function lookAgain(
  { bytes_in, expects_more }: Pick<Connection, 'bytes_in' | 'expects_more'>,
  before: Silence | undefined,
): Silence {
  const is_silent = !expects_more && before?.bytes_in === bytes_in;
  return { bytes_in, looks: is_silent ? before.looks + 1 : 0 };
}

/** What listeners need of the server's own. */
export function listenersDeps(
  { limits: { handshake_timeout_ms, connections_max } }: Pick<ForwardInputOptions, 'limits'>,
  { clock, log, inherited = [] }: Pick<ForwardInputDeps, 'clock' | 'log' | 'inherited'>,
): ListenersDeps {
  return { clock, log, inherited, handshake_timeout_ms, connections_max };
}
