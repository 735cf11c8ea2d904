import type { Socket } from 'node:net';
import { LogboomError, messageOf } from '../../errors.ts';
import { AckParser } from '../../protocol/ack.ts';
import { shakeHands } from './client-handshake.ts';
import { type AddressChoice, type DialOptions, dial } from './dial.ts';
import type { ClientHandshake } from './options.ts';

export interface ConnectionOptions extends DialOptions {
  readonly handshake: ClientHandshake | undefined;
  /** Names the server in errors. */
  readonly where: string;
}

export interface ConnectionEnd {
  /** Undefined: closed in good order. */
  readonly error: LogboomError | undefined;
  /** Closed from this side, because of what the peer did or did not do. */
  readonly by_us: boolean;
}

/** What a connection tells its owner. Nothing more comes after `closed`. */
export interface ConnectionEvents {
  /** Chunk ids that came together, in order, as text of their bytes. */
  acked(ids: readonly string[]): void;
  closed(end: ConnectionEnd): void;
}

/**
 * One open connection to an upstream that is ready for events.
 *
 * What is written is not copied: the buffers must stay as they are until the kernel has them.
 */
export class Connection {
  /** Which of the server's addresses it leads to. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #where: string;
  readonly #events: ConnectionEvents;
  readonly #parser = new AckParser();
  #failure: LogboomError | undefined;
  #by_us = false;
  #end: ConnectionEnd | undefined;

  private constructor(socket: Socket, address: string, where: string, events: ConnectionEvents) {
    this.address = address;
    this.#socket = socket;
    this.#where = where;
    this.#events = events;
  }

  /**
   * Connects and shakes hands, all within `timeout_ms`.
   *
   * @throws LB_UPSTREAM, LB_TLS, LB_HANDSHAKE; whatever `signal` aborts with
   */
  static async open(
    options: ConnectionOptions,
    choice: AddressChoice,
    signal: AbortSignal,
    events: ConnectionEvents,
  ): Promise<Connection> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(tooSlow(options)), options.timeout_ms);
    const either = AbortSignal.any([signal, deadline.signal]);
    let socket: Socket | undefined;
    try {
      const dialed = await dial(options, choice, either);
      socket = dialed.socket;
      const { handshake, where } = options;
      const rest =
        handshake === undefined ? undefined : await shakeHands(socket, handshake, where, either);
      const connection = new Connection(socket, dialed.address, where, events);
      connection.#listen(rest);
      return connection;
    } catch (error) {
      socket?.on('error', () => {}).destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** How it ended; undefined while it is open. */
  get ending(): ConnectionEnd | undefined {
    return this.#end;
  }

  /** Bytes that the kernel has not taken yet. */
  get waiting_bytes(): number {
    return this.#socket.writableLength;
  }

  /** Writes `pieces` together; `taken` is called once the kernel has them all. */
  write(pieces: readonly Buffer[], taken: () => void): void {
    const last = pieces.length - 1;
    this.#socket.cork();
    for (const [index, piece] of pieces.entries()) {
      if (index < last) this.#socket.write(piece);
      else this.#socket.write(piece, (error) => this.#written(error, taken));
    }
    this.#socket.uncork();
  }

  /** Closes at once; `closed` follows with `error`. */
  destroy(error?: LogboomError): void {
    if (this.#failure === undefined && !this.#socket.destroyed) {
      this.#failure = error;
      this.#by_us = true;
    }
    this.#socket.destroy();
  }

  /** Closes in good order, once everything written was taken. */
  end(): void {
    this.#socket.end();
  }

  #listen(rest: Buffer | undefined): void {
    this.#socket
      .on('data', (bytes: Buffer) => this.#take(bytes))
      .on('error', (cause: Error) => this.#broke(cause))
      // An upstream that will take nothing more is of no use half open.
      .on('end', () => this.#socket.destroy())
      .on('close', () => this.#close());
    if (rest !== undefined && rest.length > 0) this.#take(rest);
    this.#socket.resume();
  }

  #take(bytes: Buffer): void {
    if (this.#end !== undefined || this.#socket.destroyed) return;
    let ids: Buffer[];
    try {
      ids = this.#parser.feed(bytes);
    } catch (cause) {
      const message = `the upstream answered with something that is no ack: ${messageOf(cause)}`;
      const details = { where: this.#where, hint: hintFor(bytes), cause };
      this.destroy(new LogboomError('LB_UPSTREAM', message, details));
      return;
    }
    if (ids.length > 0) this.#events.acked(ids.map((id) => id.toString('latin1')));
  }

  #written(error: Error | null | undefined, taken: () => void): void {
    if (error === null || error === undefined) taken();
  }

  #broke(cause: Error): void {
    this.#failure ??= new LogboomError('LB_UPSTREAM', messageOf(cause), {
      where: this.#where,
      cause,
    });
  }

  #close(): void {
    if (this.#end !== undefined) return;
    this.#end = { error: this.#failure, by_us: this.#by_us };
    this.#events.closed(this.#end);
  }
}

/** `["HELO", ...]`: the server waits for a handshake. */
function hintFor(bytes: Buffer): string {
  if (bytes.subarray(0, 6).includes('HELO')) {
    return 'It asks for a handshake: give this output its shared key.';
  }
  return 'Check that the address is that of a Forward server, and whether it speaks TLS.';
}

function tooSlow({ timeout_ms, handshake, where }: ConnectionOptions): LogboomError {
  const what = handshake === undefined ? 'connect' : 'connect and shake hands';
  return new LogboomError('LB_UPSTREAM', `could not ${what} within ${timeout_ms} ms`, {
    where,
    hint:
      handshake === undefined
        ? 'Check address and network.'
        : 'Check that the upstream has a shared key at all.',
  });
}
