import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import zstd from '@foxglove/wasm-zstd';
import { decodeMulti, decodeMultiStream, encode } from '@msgpack/msgpack';

/** One PackedForward message as it arrived. */
export interface SinkChunk {
  /** Which of the sink's connections brought it, from 1. */
  readonly connection: number;
  readonly tag: string;
  readonly id: string | undefined;
  readonly compressed: string | undefined;
  readonly size: number | undefined;
  readonly signal: number | undefined;
  /** As sent, compressed or not. */
  readonly payload: Buffer;
  /** Decoded; empty for signals other than logs. */
  readonly entries: readonly SinkEntry[];
}

interface SinkEntry {
  readonly time: unknown;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly record: Readonly<Record<string, unknown>>;
}

/**
 * - `ack`: take it
 * - `hold`: take it, and say nothing; `ack(id)` may follow
 * - `close`: do not take it, close the connection
 * - `take_and_close`: take it, and close without an ack: the outcome is unknown to the sender
 */
export type Reaction = 'ack' | 'hold' | 'close' | 'take_and_close';

export interface SinkOptions {
  /** 0: any. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** A unix socket instead of TCP. */
  readonly path?: string;
  readonly tls?: TlsOptions;
  readonly shared_key?: string;
  readonly user?: { readonly name: string; readonly password: string };
  /** Given in the PONG. */
  readonly hostname?: string;
}

/**
 * A Forward server that does what a test tells it to, and shares no code with logboom.
 * It takes every chunk, and each id once: `taken` is what a receiver with a dedup window has.
 */
export class ForwardSink {
  /** Everything that arrived, in order. */
  readonly chunks: SinkChunk[] = [];
  /** The first arrival of every chunk that was taken. */
  readonly taken: SinkChunk[] = [];
  /** Ids that came with different payloads; always wrong. */
  readonly violations: string[] = [];
  connections_count = 0;
  /** What to do with a chunk. */
  react: (chunk: SinkChunk) => Reaction = () => 'ack';
  /** Bytes sent on a connection as soon as it is ready. */
  greeting: Buffer | undefined;
  readonly #options: SinkOptions;
  readonly #sockets = new Map<number, Socket>();
  readonly #payload_by_id = new Map<string, Buffer>();
  #server: Server | undefined;
  #port: number;

  private constructor(options: SinkOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  static async listen(options: SinkOptions = {}): Promise<ForwardSink> {
    await zstd.isLoaded;
    const sink = new ForwardSink(options);
    await sink.start();
    return sink;
  }

  get port(): number {
    return this.#port;
  }

  get open_connections(): number {
    return this.#sockets.size;
  }

  /** Listens, again on the same port after `stop()`. */
  async start(): Promise<void> {
    const serve = (socket: Socket): void => this.#serve(socket);
    const { tls, path, host = '127.0.0.1' } = this.#options;
    const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    server.on('tlsClientError', () => {});
    // A client that refuses the certificate resets the connection beneath TLS.
    server.on('connection', (socket) => socket.on('error', () => {}));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (path === undefined) server.listen(this.#port, host, resolve);
      else server.listen(path, resolve);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  /** Dies: every connection is cut, and new ones are refused. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    this.cutConnections();
    await closed;
  }

  cutConnections(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  /** Acks a chunk that was held, on the connection that brought it last; any id will do. */
  ack(id: string): void {
    const chunk = this.chunks.findLast((other) => other.id === id);
    this.send(encode({ ack: id }), chunk?.connection);
  }

  /** Sends bytes on one connection, or the newest. */
  send(bytes: Uint8Array, connection = this.connections_count): void {
    this.#sockets.get(connection)?.write(bytes);
  }

  /** The values of a field over all taken events, in order; of one tag if given. */
  values(field: string, tag?: string): unknown[] {
    return this.taken
      .filter((chunk) => tag === undefined || chunk.tag === tag)
      .flatMap((chunk) => chunk.entries.map(({ record }) => record[field]));
  }

  get events(): number {
    return this.taken.reduce((sum, chunk) => sum + chunk.entries.length, 0);
  }

  get ids(): (string | undefined)[] {
    return this.chunks.map(({ id }) => id);
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections_count;
    this.#sockets.set(connection, socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(connection));
    if (this.greeting !== undefined) socket.write(this.greeting);
    this.#read(socket, connection).catch(() => socket.destroy());
  }

  async #read(socket: Socket, connection: number): Promise<void> {
    const secured = this.#options.shared_key !== undefined;
    const nonce = randomBytes(16);
    const auth = randomBytes(16);
    if (secured) socket.write(encode(['HELO', { nonce, auth, keepalive: true }]));
    let handshaken = !secured;
    for await (const message of decodeMultiStream<undefined>(socket, { rawStrings: true })) {
      const parts = message as unknown[];
      if (handshaken) this.#chunk(parts, connection, socket);
      else if (this.#answerPing(parts, nonce, auth, socket)) handshaken = true;
      else return;
    }
  }

  #answerPing(ping: readonly unknown[], nonce: Buffer, auth: Buffer, socket: Socket): boolean {
    const [, hostname, salt, key_digest, user, password_digest] = ping.map((part) =>
      Buffer.from(part as Uint8Array),
    );
    const { shared_key = '', user: known, hostname: own = 'sink.test' } = this.#options;
    const digest = (...parts: (string | Buffer | undefined)[]): string => {
      const hash = createHash('sha512');
      for (const part of parts) hash.update(part ?? '');
      return hash.digest('hex');
    };
    const refuse = (reason: string): boolean => {
      socket.end(encode(['PONG', false, reason, '', '']));
      return false;
    };
    if (key_digest?.toString() !== digest(salt, hostname, nonce, shared_key))
      return refuse('shared_key mismatch');
    const is_user =
      known === undefined ||
      (user?.toString() === known.name &&
        password_digest?.toString() === digest(auth, known.name, known.password));
    if (!is_user) return refuse('username/password mismatch');
    socket.write(encode(['PONG', true, '', own, digest(salt, own, nonce, shared_key)]));
    return true;
  }

  #chunk(message: readonly unknown[], connection: number, socket: Socket): void {
    if (socket.destroyed) return;
    const chunk = chunkOf(message, connection);
    this.chunks.push(chunk);
    const reaction = this.react(chunk);
    if (reaction !== 'close') this.#take(chunk);
    if (reaction === 'ack' && chunk.id !== undefined) socket.write(encode({ ack: chunk.id }));
    if (reaction === 'close' || reaction === 'take_and_close') socket.destroy();
  }

  #take(chunk: SinkChunk): void {
    const { id, payload } = chunk;
    const held = id === undefined ? undefined : this.#payload_by_id.get(id);
    if (held === undefined) this.taken.push(chunk);
    else if (!held.equals(payload)) this.violations.push(`${id} came with two payloads`);
    if (id !== undefined) this.#payload_by_id.set(id, payload);
  }
}

function chunkOf(message: readonly unknown[], connection: number): SinkChunk {
  const [tag, body, option = {}] = message as [Uint8Array, Uint8Array, Record<string, unknown>?];
  const signal = option['fluent_signal'] as number | undefined;
  const compressed = option['compressed'] === undefined ? undefined : text(option['compressed']);
  const payload = Buffer.from(body);
  return {
    connection,
    tag: text(tag),
    id: option['chunk'] === undefined ? undefined : text(option['chunk']),
    compressed,
    size: option['size'] as number | undefined,
    signal,
    payload,
    entries:
      signal === undefined ? [...decodeMulti(inflated(payload, compressed))].map(entryOf) : [],
  };
}

function inflated(payload: Buffer, compressed: string | undefined): Uint8Array {
  if (compressed === 'gzip') return gunzipSync(payload);
  if (compressed === 'zstd') return Buffer.from(zstd.decompress(payload, 64 * 1024 * 1024));
  return payload;
}

function entryOf(entry: unknown): SinkEntry {
  const [head, record] = entry as [unknown, Record<string, unknown>];
  if (!Array.isArray(head)) return { time: head, metadata: undefined, record };
  return { time: head[0], metadata: head[1] as Record<string, unknown>, record };
}

const text = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString() : String(value);
