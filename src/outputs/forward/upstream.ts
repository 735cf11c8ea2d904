import { LogboomError, messageOf } from '../../errors.ts';
import { Backoff, type BackoffOptions } from '../../sys/backoff.ts';
import type { Clock } from '../../sys/clock.ts';
import { Connection, type ConnectionEnd, type ConnectionOptions } from './connection.ts';
import type { MessageBatch } from './wire.ts';

export interface UpstreamOptions {
  readonly connection: ConnectionOptions;
  readonly backoff: BackoffOptions;
  /** Undefined: connections are kept for as long as they last. */
  readonly max_age_ms: number | undefined;
  /** No more is handed to the socket while this many bytes wait in it. */
  readonly waiting_max_bytes: number;
  /** False: a chunk counts as acked once the kernel has it. */
  readonly acks: boolean;
  /** How long an address that may have chunks is tried alone, before others of the same name. */
  readonly stay_ms: number;
}

/** Why a server cannot be sent to any more, for now. */
export interface Loss {
  readonly error: LogboomError;
  /** The connection had been ready; false: it could not be opened. */
  readonly was_up: boolean;
  /** Acks that the connection had brought. */
  readonly acks_count: number;
  /** The peer closed a connection on which nothing was in flight: no failure. */
  readonly was_idle: boolean;
}

export interface UpstreamEvents {
  /** Since when the outcome of something that was sent is unknown; monotonic. */
  unknownSince(): number | undefined;
  /** The connection that is about to be `up` leads to another address than the one before. */
  moved(): void;
  /** A connection is ready. */
  up(): void;
  /** There may be room for more. */
  writable(): void;
  /** Ids in the order in which they came. */
  acked(ids: readonly string[]): void;
  /** What was in flight has to be sent again. */
  lost(loss: Loss): void;
}

/**
 * - `idle`: no connection, and nothing wrong; one is made by `wake()`, or by itself before long
 * - `connecting`
 * - `up`
 * - `waiting`: the last attempt failed; the next follows by itself
 * - `stopped`
 */
export type UpstreamState = 'idle' | 'connecting' | 'up' | 'waiting' | 'stopped';

/**
 * One server: at most one connection at a time, made anew when it breaks, after a back-off
 * that only an ack resets. It never gives up. A name with several addresses is stayed with
 * as servers of a list are: see `stay_ms`.
 */
export class Upstream {
  readonly name: string;
  readonly #options: UpstreamOptions;
  readonly #clock: Clock;
  readonly #events: UpstreamEvents;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #state: UpstreamState = 'idle';
  #connection: Connection | undefined;
  /** Of the last connection that was ready. */
  #address: string | undefined;
  #opened_ms = 0;
  #acks_count = 0;
  #unacked_count = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(name: string, options: UpstreamOptions, clock: Clock, events: UpstreamEvents) {
    this.name = name;
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#backoff = new Backoff(options.backoff);
  }

  get state(): UpstreamState {
    return this.#state;
  }

  /** How many bytes may be sent now; one chunk may exceed it. */
  get room_bytes(): number {
    if (this.#connection === undefined || this.#isOld()) return 0;
    return Math.max(0, this.#options.waiting_max_bytes - this.#connection.waiting_bytes);
  }

  /** Connects if nothing is under way. */
  wake(): void {
    if (this.#state === 'idle') this.#connect();
  }

  /** Hands messages to the connection. Only while there is room. */
  send(batch: MessageBatch): void {
    const connection = this.#connection;
    if (connection === undefined) throw new Error(`${this.name} is ${this.#state}`);
    this.#unacked_count += batch.ids.length;
    connection.write(batch.finish(), () => {
      batch.taken();
      if (this.#connection !== connection) return;
      if (!this.#options.acks) this.#acked(batch.ids);
      this.#events.writable();
    });
  }

  /** Ends the connection: what is in flight is lost with `error`. */
  abort(error: LogboomError): void {
    this.#connection?.destroy(error);
  }

  /** Nothing is in flight: a connection that has reached its age is replaced. */
  rest(): void {
    if (this.#connection === undefined || !this.#isOld()) return;
    const old = this.#connection;
    this.#connection = undefined;
    old.end();
    this.#connect();
  }

  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#stopping.abort(new LogboomError('LB_UPSTREAM', 'the output is stopped'));
    this.#cancelRetry?.();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.destroy();
  }

  #isOld(): boolean {
    const { max_age_ms } = this.#options;
    return max_age_ms !== undefined && this.#clock.monotonic_ms() - this.#opened_ms >= max_age_ms;
  }

  #connect(): void {
    this.#cancelRetry?.();
    this.#state = 'connecting';
    this.#open().catch((error: unknown) => {
      if (this.#state === 'stopped') return;
      this.#lose({ error: asUpstreamError(error), was_up: false, acks_count: 0, was_idle: false });
    });
  }

  async #open(): Promise<void> {
    const slot: { mine?: Connection } = {};
    const isMine = (): boolean => slot.mine !== undefined && this.#connection === slot.mine;
    const choice = { attempt: this.#backoff.failures_count, stay_at: this.#addressToStayAt() };
    const opened = await Connection.open(this.#options.connection, choice, this.#stopping.signal, {
      acked: (ids) => {
        if (isMine()) this.#acked(ids);
      },
      closed: (end) => {
        if (isMine()) this.#closed(end);
      },
    });
    if (this.#state === 'stopped') {
      opened.destroy();
      return;
    }
    slot.mine = opened;
    if (this.#address !== undefined && this.#address !== opened.address) this.#events.moved();
    this.#address = opened.address;
    this.#connection = opened;
    this.#state = 'up';
    this.#opened_ms = this.#clock.monotonic_ms();
    this.#acks_count = 0;
    this.#unacked_count = 0;
    // It may have ended while this was waiting for it.
    if (opened.ending !== undefined) this.#closed(opened.ending);
    else this.#events.up();
  }

  /** The addresses of one name may be different servers: what one of them may have is not given to another at once. */
  #addressToStayAt(): string | undefined {
    const since_ms = this.#events.unknownSince();
    if (since_ms === undefined) return undefined;
    const is_over = this.#clock.monotonic_ms() - since_ms >= this.#options.stay_ms;
    return is_over ? undefined : this.#address;
  }

  #acked(ids: readonly string[]): void {
    this.#acks_count += ids.length;
    this.#unacked_count -= ids.length;
    this.#backoff.reset();
    this.#events.acked(ids);
  }

  #closed({ error, by_us }: ConnectionEnd): void {
    this.#connection = undefined;
    this.#lose({
      error: error ?? this.#closedByPeer(),
      was_up: true,
      acks_count: this.#acks_count,
      was_idle: this.#unacked_count === 0 && !by_us,
    });
  }

  /** After an idle connection was closed, `wake()` need not wait for the back-off. */
  #lose(loss: Loss): void {
    this.#state = loss.was_idle ? 'idle' : 'waiting';
    this.#cancelRetry = this.#clock.after(this.#backoff.next_ms(), () => this.#connect());
    this.#events.lost(loss);
  }

  #closedByPeer(): LogboomError {
    const message = `the upstream closed the connection with ${this.#unacked_count} chunks in flight`;
    return new LogboomError('LB_UPSTREAM', message, { where: this.name });
  }
}

function asUpstreamError(error: unknown): LogboomError {
  if (error instanceof LogboomError) return error;
  return new LogboomError('LB_UPSTREAM', messageOf(error), { cause: error });
}
