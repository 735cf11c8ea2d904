import { createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { describeAddress, type SocketAddress } from './listen-address.ts';
import type { ListenerOptions } from './options.ts';
import type { SharedReads } from './shared-reads.ts';
import { CertificateWatch, type TlsOptions } from './tls-context.ts';
import { UdpHeartbeat } from './udp-heartbeat.ts';
import { type BoundPath, bindUnixSocket, listening } from './unix-socket.ts';

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

export interface ListenerDeps {
  readonly handshake_timeout_ms: number;
  readonly reads: SharedReads;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * One open address. Sockets come half-open (our side stays writable after the
 * client's FIN, so that it still gets its acks), without Nagle, with keepalive.
 */
export class Listener {
  readonly #address: SocketAddress;
  readonly #options: Omit<ListenerOptions, 'address'>;
  readonly #events: ListenerEvents;
  readonly #deps: ListenerDeps;
  readonly #server: Server;
  #tls: TlsServer | undefined;
  #certificates: CertificateWatch | undefined;
  #heartbeat: UdpHeartbeat | undefined;
  #bound_path: BoundPath | undefined;

  constructor(
    address: SocketAddress,
    options: Omit<ListenerOptions, 'address'>,
    events: ListenerEvents,
    deps: ListenerDeps,
  ) {
    this.#address = address;
    this.#options = options;
    this.#events = events;
    this.#deps = deps;
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_DELAY_MS,
    });
    this.#server.on('connection', (socket) => this.#accept(socket));
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

  get heartbeats_answered(): number {
    return this.#heartbeat?.answered ?? 0;
  }

  /** @throws LB_LISTEN, LB_TLS; nothing stays open then. */
  async open(): Promise<void> {
    try {
      const address = this.#address;
      const { tls, udp_heartbeat } = this.#options;
      if (address.kind === 'tls' && tls === undefined) {
        throw new LogboomError('LB_TLS', 'a tls listener needs a certificate and a key', {
          where: describeAddress(address),
        });
      }
      if (tls !== undefined) await this.#openTls(tls);
      await this.#bind(address);
      if (udp_heartbeat === true && 'host' in address) {
        this.#heartbeat = await UdpHeartbeat.open(address.host, this.port ?? address.port);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Looks at the certificate files now. */
  async reloadCertificates(): Promise<void> {
    await this.#certificates?.poll();
  }

  /** Accepts nothing more. Connections stay as they are. */
  close(): void {
    this.#certificates?.close();
    this.#heartbeat?.close();
    this.#heartbeat = undefined;
    this.#bound_path?.release();
    this.#bound_path = undefined;
    if (this.#server.listening) this.#server.close();
  }

  async #bind(address: SocketAddress): Promise<void> {
    if (address.kind === 'unix') {
      this.#bound_path = await bindUnixSocket(this.#server, address.path, address.mode, BACKLOG);
    } else {
      try {
        const target =
          address.kind === 'fd' ? { fd: address.fd } : { host: address.host, port: address.port };
        await listening(this.#server, { ...target, backlog: BACKLOG });
      } catch (error) {
        throw cannotListen(address, error);
      }
    }
    this.#server.on('error', (error) => {
      // accept(2) failing, out of descriptors for instance: the listener goes on by itself.
      this.#deps.log.error({ listener: this.url, error: error.message }, 'cannot accept');
    });
  }

  #accept(accepted: Socket): void {
    const socket = this.#tls === undefined ? this.#deps.reads.adopt(accepted) : accepted;
    if (!this.#events.accepted(socket)) return;
    if (this.#tls === undefined) this.#events.connected(socket, this);
    else this.#tls.emit('connection', socket);
  }

  /** The TLS server never listens: it gets the sockets that were accepted, so that limits hold before any handshake. */
  async #openTls(tls: TlsOptions): Promise<void> {
    const { clock, log, handshake_timeout_ms } = this.#deps;
    this.#certificates = new CertificateWatch(
      tls,
      (context) => this.#tls?.setSecureContext(context),
      clock,
      log,
    );
    const clients = tls.client_certificates ?? 'none';
    this.#tls = createTlsServer({
      ...(await this.#certificates.start()),
      allowHalfOpen: true,
      handshakeTimeout: handshake_timeout_ms,
      requestCert: clients !== 'none',
      rejectUnauthorized: clients === 'require',
    });
    this.#tls.on('secureConnection', (socket) => this.#secured(socket));
    this.#tls.on('tlsClientError', (error, socket) => {
      socket.destroy();
      this.#events.tlsFailed(socket.remoteAddress ?? 'unknown', error, this);
    });
  }

  #secured(socket: TLSSocket): void {
    const presented = Object.keys(socket.getPeerCertificate()).length > 0;
    if (presented && !socket.authorized) {
      const why = new Error(`client certificate refused: ${String(socket.authorizationError)}`);
      this.#events.tlsFailed(socket.remoteAddress ?? 'unknown', why, this);
      socket.destroy();
      return;
    }
    this.#events.connected(socket, this);
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
