import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { until } from './wait.ts';

/** A client of a few lines: sends bytes as they are and keeps what comes back. */
export class RawClient {
  readonly socket: Socket;
  /** What ended the connection from our point of view. */
  error: NodeJS.ErrnoException | undefined;
  /** The server's FIN came. */
  ended = false;
  closed = false;
  #received: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#received.push(bytes));
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(target: NetConnectOpts): Promise<RawClient> {
    const client = new RawClient(connect(target));
    await until('the connection', () => !client.socket.connecting || client.closed);
    if (client.error !== undefined) throw client.error;
    return client;
  }

  /** Rejects when the handshake fails. */
  static async connectTls(options: ConnectionOptions): Promise<RawClient> {
    const socket = connectTls({ host: '127.0.0.1', servername: 'localhost', ...options });
    const client = new RawClient(socket);
    let secure = false;
    socket.once('secureConnect', () => {
      secure = true;
    });
    await until('the TLS handshake', () => secure || client.closed);
    if (client.error !== undefined) throw client.error;
    return client;
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** What came back so far, as hex. */
  get hex(): string {
    return this.received.toString('hex');
  }

  /** Writes bytes or, from a string, hex digits (white space is left out). */
  send(bytes: Buffer | string): void {
    const raw = typeof bytes === 'string' ? Buffer.from(bytes.replace(/\s+/g, ''), 'hex') : bytes;
    this.socket.write(raw);
  }

  /** Waits until `bytes` bytes came back, and returns everything as hex. */
  async receive(bytes: number): Promise<string> {
    await until(
      () => `${bytes} bytes, got ${this.hex}, closed ${this.closed}`,
      () => this.received.length >= bytes,
    );
    return this.hex;
  }

  async untilClosed(): Promise<void> {
    await until('the end of the connection', () => this.closed);
  }

  async untilEnded(): Promise<void> {
    await until("the server's FIN", () => this.ended || this.closed);
  }

  /** Sends FIN and waits for the server's. */
  async finish(): Promise<void> {
    this.socket.end();
    await this.untilClosed();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
