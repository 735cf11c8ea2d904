import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { CertificateWatch, type TlsOptions } from './tls-context.ts';

/** What becomes of a socket. */
export interface TlsEvents {
  secured(socket: TLSSocket): void;
  /** The handshake failed, or the client's certificate is not ours; the socket is closed. */
  failed(peer: string, error: Error): void;
}

export interface TlsDeps {
  readonly handshake_timeout_ms: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The server's side of TLS for sockets that were accepted already, so that limits hold
 * before any handshake. Its certificates follow their files.
 */
export class TlsTerminator {
  readonly #tls: TlsOptions;
  readonly #events: TlsEvents;
  readonly #deps: TlsDeps;
  readonly #certificates: CertificateWatch;
  #server: Server | undefined;

  private constructor(tls: TlsOptions, events: TlsEvents, deps: TlsDeps) {
    this.#tls = tls;
    this.#events = events;
    this.#deps = deps;
    this.#certificates = new CertificateWatch(
      tls,
      (context) => this.#server?.setSecureContext(context),
      deps.clock,
      deps.log,
    );
  }

  /** @throws LB_TLS */
  static async open(tls: TlsOptions, events: TlsEvents, deps: TlsDeps): Promise<TlsTerminator> {
    const terminator = new TlsTerminator(tls, events, deps);
    try {
      await terminator.#open();
      return terminator;
    } catch (error) {
      terminator.close();
      throw error;
    }
  }

  begin(socket: Socket): void {
    this.#server?.emit('connection', socket);
  }

  /** Looks at the certificate files now. */
  async reload(): Promise<void> {
    await this.#certificates.poll();
  }

  close(): void {
    this.#certificates.close();
  }

  /** The server never listens. */
  async #open(): Promise<void> {
    const clients = this.#tls.client_certificates ?? 'none';
    this.#server = createServer({
      ...(await this.#certificates.start()),
      allowHalfOpen: true,
      handshakeTimeout: this.#deps.handshake_timeout_ms,
      requestCert: clients !== 'none',
      rejectUnauthorized: clients === 'require',
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      this.#events.failed(peerOf(socket), error);
    });
  }

  #secured(socket: TLSSocket): void {
    const presented = Object.keys(socket.getPeerCertificate()).length > 0;
    if (presented && !socket.authorized) {
      const why = new Error(`client certificate refused: ${String(socket.authorizationError)}`);
      this.#events.failed(peerOf(socket), why);
      socket.destroy();
      return;
    }
    this.#events.secured(socket);
  }
}

const peerOf = (socket: Socket): string => socket.remoteAddress ?? 'unknown';
