import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { LogboomError } from '../../errors.ts';

/** Turns a value into a message, or throws. */
interface Schema<T> {
  parse(value: unknown): T;
}

/** Messages are small; whoever sends more is no relay. */
const MESSAGE_MAX_BYTES = 64 * 1024;

/** Messages over a connection, a line of JSON each. `T` is what comes in. */
export class JsonLines<T> {
  readonly #socket: Duplex;
  readonly #schema: Schema<T>;
  readonly #message_max_bytes: number;
  #bytes = '';
  #closed = false;

  constructor(socket: Duplex, schema: Schema<T>, message_max_bytes = MESSAGE_MAX_BYTES) {
    this.#socket = socket;
    this.#schema = schema;
    this.#message_max_bytes = message_max_bytes;
    socket.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    // How it ended makes no difference: the other process is gone.
    socket.on('error', () => this.#end());
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  /** Nothing more will come than what is here already. */
  get closed(): boolean {
    return this.#closed;
  }

  send(message: object): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /**
   * The next message; undefined once the other side is gone. One caller at a time.
   *
   * @throws LB_TAKEOVER when none comes in time, or what comes is none
   */
  async next(timeout_ms: number): Promise<T | undefined> {
    const signal = AbortSignal.timeout(timeout_ms);
    for (;;) {
      const line = this.#line();
      if (line !== undefined) return this.#parse(line);
      if (this.#closed) return undefined;
      try {
        await once(this.#socket, 'progress', { signal });
      } catch (cause) {
        // An error of the connection comes here too: the other side is gone.
        if (this.#closed) continue;
        throw new LogboomError('LB_TAKEOVER', `no answer within ${timeout_ms} ms`, { cause });
      }
    }
  }

  /** Sends what was sent, and ends. */
  close(): void {
    this.#socket.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#bytes += text;
    if (this.#bytes.length > this.#message_max_bytes) this.#socket.destroy();
    this.#socket.emit('progress');
  }

  #end(): void {
    this.#closed = true;
    this.#socket.emit('progress');
  }

  #line(): string | undefined {
    const end = this.#bytes.indexOf('\n');
    if (end < 0) return undefined;
    const line = this.#bytes.slice(0, end);
    this.#bytes = this.#bytes.slice(end + 1);
    return line;
  }

  #parse(line: string): T {
    try {
      return this.#schema.parse(JSON.parse(line));
    } catch (cause) {
      throw new LogboomError('LB_TAKEOVER', `a message that is not understood: ${line}`, { cause });
    }
  }
}
