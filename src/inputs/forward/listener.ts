import { createServer, type Server, type Socket } from 'node:net';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { describeAddress, type SocketAddress } from './listen-address.ts';
import type { ListenerOptions } from './options.ts';
import { sharedWithAnother } from './port-sharing.ts';
import type { SharedReads } from './shared-reads.ts';
import { TlsTerminator } from './tls-terminator.ts';
import { UdpHeartbeat } from './udp-heartbeat.ts';
import { type BoundSocket, bindUnixSocket, listening } from './unix-socket.ts';

/** Connections that the kernel keeps until they are accepted; it caps this at net.core.somaxconn. */
const BACKLOG = 1024;
/** A peer that vanished without a word is found after about this time of silence, plus the kernel's probes. */
const KEEPALIVE_DELAY_MS = 60_000;

/** What a listener tells its server. */
export interface ListenerEvents {
  /** A connection was accepted; false refuses it. Called before any TLS handshake. */
  accepted(socket: Socket): boolean;
  /** Ready to be read: at once, or after the TLS handshake. */
  connected(socket: Socket, listener: Listener): void;
  /** The TLS handshake failed; the socket is closed. */
  tlsFailed(peer: string, error: Error, listener: Listener): void;
}

/** How an address is opened. */
export interface OpenWay {
  /** Somebody listens there, and hands it over. */
  readonly handed_over: boolean;
  /** A TCP port is opened so that a successor can listen on it too. */
  readonly share_port: boolean;
}

export interface ListenerDeps {
  readonly handshake_timeout_ms: number;
  /** So many accepted clients wait at most until `serve`. */
  readonly held_max: number;
  readonly reads: SharedReads;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * One open address. Sockets come half-open (our side stays writable after the
 * client's FIN, so that it still gets its acks), without Nagle, with keepalive.
 *
 *     prepare() ─► open() ─► show() ─► clients are accepted and held, unread ─► serve() ─► given to the server
 */
export class Listener {
  readonly #address: SocketAddress;
  readonly #options: Omit<ListenerOptions, 'address'>;
  readonly #deps: ListenerDeps;
  readonly #server: Server;
  #events: ListenerEvents | undefined;
  #held: Socket[] = [];
  #shares_port = false;
  #tls: TlsTerminator | undefined;
  #heartbeat: UdpHeartbeat | undefined;
  #bound_path: BoundSocket | undefined;

  constructor(
    address: SocketAddress,
    options: Omit<ListenerOptions, 'address'>,
    deps: ListenerDeps,
  ) {
    this.#address = address;
    this.#options = options;
    this.#deps = deps;
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_DELAY_MS,
      pauseOnConnect: true,
    });
    this.#server.on('connection', (socket) => this.#arrived(socket));
    this.#server.on('error', (error) => {
      // `open` tells what fails before; accept(2) fails for want of descriptors, and goes on by itself.
      if (!this.#server.listening) return;
      this.#deps.log.error({ listener: this.url, error: error.message }, 'cannot accept');
    });
  }

  /** The address as a URL, with the port that the system chose. */
  get url(): string {
    const address = this.#address;
    const port = this.port;
    return describeAddress(
      'port' in address && port !== undefined ? { ...address, port } : address,
    );
  }

  get port(): number | undefined {
    const bound = this.#server.address();
    return typeof bound === 'object' ? bound?.port : undefined;
  }

  /** Another process can listen on this port beside us. */
  get shares_port(): boolean {
    return this.#shares_port;
  }

  get heartbeats_answered(): number {
    return this.#heartbeat?.answered ?? 0;
  }

  /** Reads the certificates. To be closed if this or what follows fails. @throws LB_TLS */
  async prepare(): Promise<void> {
    const { tls } = this.#options;
    if (this.#address.kind === 'tls' && tls === undefined) {
      throw new LogboomError('LB_TLS', 'a tls listener needs a certificate and a key', {
        where: describeAddress(this.#address),
      });
    }
    if (tls === undefined) return;
    const events = {
      secured: (socket: Socket) => this.#events?.connected(socket, this),
      failed: (peer: string, error: Error) => this.#events?.tlsFailed(peer, error, this),
    };
    this.#tls = await TlsTerminator.open(tls, events, this.#deps);
  }

  /** Opens the address; a unix socket is not at its path yet, and UDP is not answered. @throws LB_LISTEN */
  async open({ handed_over, share_port }: OpenWay): Promise<void> {
    const address = this.#address;
    if (address.kind === 'unix') {
      const owner = handed_over ? 'handed_over' : 'free';
      const { path, mode } = address;
      this.#bound_path = await bindUnixSocket(this.#server, path, mode, BACKLOG, owner);
      return;
    }
    try {
      await this.#bindPort(address, share_port);
      if (share_port && !handed_over) this.#assertAlone();
    } catch (error) {
      throw cannotListen(address, error);
    }
  }

  /** Puts a unix socket at its path. Synchronous. @throws LB_LISTEN */
  show(): void {
    this.#bound_path?.show();
  }

  /** @throws LB_LISTEN */
  async openHeartbeat(): Promise<void> {
    const address = this.#address;
    if (this.#options.udp_heartbeat !== true || !('host' in address)) return;
    this.#heartbeat = await UdpHeartbeat.open(address.host, this.port ?? address.port);
  }

  /** Puts a unix socket back whose path another process has taken and left. @throws LB_LISTEN */
  async reclaim(): Promise<void> {
    if (this.#bound_path?.isThere() !== false) return;
    this.#server.close();
    await this.open({ handed_over: false, share_port: false });
    this.show();
  }

  /** From now on clients are given to `events`; first those that came before. */
  serve(events: ListenerEvents): void {
    this.#events = events;
    for (const socket of this.#held.splice(0)) this.#accept(socket, events);
  }

  /** Looks at the certificate files now. */
  async reloadCertificates(): Promise<void> {
    await this.#tls?.reload();
  }

  /** Accepts nothing more. Connections stay as they are. */
  close(): void {
    this.#tls?.close();
    this.#heartbeat?.close();
    this.#heartbeat = undefined;
    this.#bound_path?.release();
    this.#bound_path = undefined;
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#held.splice(0)) socket.destroy();
  }

  async #bindPort(
    address: Exclude<SocketAddress, { kind: 'unix' }>,
    share_port: boolean,
  ): Promise<void> {
    if (address.kind === 'fd') {
      await listening(this.#server, { fd: address.fd, backlog: BACKLOG });
      return;
    }
    const { host, port } = address;
    const sharing = share_port ? { reusePort: true } : {};
    await listening(this.#server, { host, port, backlog: BACKLOG, ...sharing });
    this.#shares_port = share_port;
  }

  /** A shared port is refused by the kernel only to those who do not share theirs. */
  #assertAlone(): void {
    const bound = this.#server.address();
    if (typeof bound !== 'object' || bound === null || !sharedWithAnother(bound)) return;
    throw Object.assign(new Error(`listen EADDRINUSE: address already in use ${this.url}`), {
      code: 'EADDRINUSE',
    });
  }

  #arrived(socket: Socket): void {
    if (this.#events !== undefined) this.#accept(socket, this.#events);
    else if (this.#held.length < this.#deps.held_max) this.#hold(socket);
    else socket.destroy();
  }

  /** Its bytes stay in the kernel. */
  #hold(socket: Socket): void {
    this.#held.push(socket);
    socket.on('error', () => {}); // it is told again to whoever reads it
  }

  #accept(accepted: Socket, events: ListenerEvents): void {
    const socket = this.#tls === undefined ? this.#deps.reads.adopt(accepted) : accepted;
    if (!events.accepted(socket)) return;
    // It was accepted paused. Whoever gets it may pause it again.
    const tls = this.#tls;
    if (tls === undefined) {
      if (socket.isPaused()) socket.resume();
      events.connected(socket, this);
    } else {
      tls.begin(socket);
      if (socket.isPaused()) socket.resume();
    }
  }
}

function cannotListen(address: SocketAddress, error: unknown): LogboomError {
  const port = 'port' in address ? address.port : undefined;
  const hints: Record<string, string> = {
    EADDRINUSE: `Another process holds port ${port}; see which with: ss -tlnp sport = :${port}`,
    EACCES: 'Ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher one.',
    EADDRNOTAVAIL: 'This machine has no such address; see those it has with: ip addr',
    ENOTFOUND: 'The name is not known; give an address, such as 0.0.0.0.',
    EBADF: 'No such socket was handed over to this process.',
    EINVAL: 'The descriptor is not a listening socket.',
  };
  const hint = hints[systemCode(error) ?? ''];
  return new LogboomError('LB_LISTEN', messageOf(error), {
    where: describeAddress(address),
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
