import { randomBytes } from 'node:crypto';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeMultiStream, encode } from '@msgpack/msgpack';

const RECONNECT_MS = 5;

/**
 * A client that loses nothing by itself: numbered lines one after the other, each with a
 * chunk id, each sent again on a new connection until it is acked. Shares no code with logboom.
 */
export class AckedSender {
  /** Why connections could not be made, each attempt. */
  readonly refusals: string[] = [];
  connections = 0;
  acked = 0;
  readonly #target: NetConnectOpts;
  readonly #name: string;
  readonly #done: Promise<void>;
  #stopping = false;
  #id = newId();
  #message: Uint8Array;

  constructor(target: NetConnectOpts, name: string) {
    this.#target = target;
    this.#name = name;
    this.#message = this.#nextMessage();
    this.#done = this.#run();
  }

  /** The stream that a LineCounter files the lines under. */
  get stream(): string {
    return `${this.#name} post`;
  }

  /** Sends no further line; resolves with how many were acked. */
  async finish(): Promise<number> {
    this.#stopping = true;
    await this.#done;
    return this.acked;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const socket = await this.#connected();
      if (socket !== undefined) await this.#send(socket);
    }
  }

  async #connected(): Promise<Socket | undefined> {
    const socket = connect(this.#target);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', () => resolve());
        socket.once('error', reject);
      });
      this.connections++;
      return socket;
    } catch (error) {
      this.refusals.push(String(error));
      await sleep(RECONNECT_MS);
      return undefined;
    }
  }

  /** Until the connection ends, or all is acked that was to be. */
  async #send(socket: Socket): Promise<void> {
    const acks = decodeMultiStream(socket);
    try {
      while (!this.#stopping) {
        socket.write(this.#message);
        const { done, value } = await acks.next();
        if (done === true || (value as { ack: string }).ack !== this.#id) return;
        this.acked++;
        this.#id = newId();
        this.#message = this.#nextMessage();
      }
    } catch {
      // The connection is gone: the same line again on the next one.
    } finally {
      socket.destroy();
    }
  }

  /** Made once for each line: under one id goes one body. */
  #nextMessage(): Uint8Array {
    const log = `${this.stream} ${this.acked + 1}`;
    return encode([this.#name, Math.floor(Date.now() / 1000), { log }, { chunk: this.#id }]);
  }
}

const newId = (): string => randomBytes(16).toString('base64');
