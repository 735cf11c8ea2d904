import { randomBytes } from 'node:crypto';
import { LogboomError, systemCode } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { Connection } from '../outputs/forward/connection.ts';
import { systemLookup } from '../outputs/forward/dial.ts';
import type { ClientHandshake, ClientTls, ServerAddress } from '../outputs/forward/options.ts';
import { encodePacked } from '../protocol/encode.ts';
import type { Clock } from '../sys/clock.ts';
import { behindTurn } from '../sys/turn.ts';

export interface CatClientOptions {
  readonly address: ServerAddress;
  /** Names the server in errors. */
  readonly url: string;
  /** What to do when nobody listens there. */
  readonly absent_hint: string;
  readonly tls: ClientTls;
  readonly handshake: ClientHandshake | undefined;
  /** Wait for acks. */
  readonly ack: boolean;
  readonly ack_timeout_ms: number;
}

/** Chunks without an ack, or bytes that the kernel did not take: then no more is read. */
const UNACKED_MAX_CHUNKS = 8;
const UNSENT_MAX_BYTES = 1024 * 1024;
const CHUNK_ID_BYTES = 16;
/** For a server that does not close when we do. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * One connection that sends chunks of one tag and waits for their acks. It does not
 * connect again: what was not acked when it breaks is named in the error, and whoever
 * typed the command decides.
 */
export class CatClient {
  readonly #options: CatClientOptions;
  readonly #clock: Clock;
  readonly #onFailure: (error: LogboomError) => void;
  #connection: Connection | undefined;
  /** Events by chunk id. */
  readonly #unacked = new Map<string, number>();
  #acked_events = 0;
  #failure: LogboomError | undefined;
  #finishing = false;
  #closed = false;
  #waiting: (() => void)[] = [];
  #cancelTimeout: (() => void) | undefined;

  private constructor(
    options: CatClientOptions,
    clock: Clock,
    onFailure: (error: LogboomError) => void,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /**
   * Connects. `onFailure` is called when the connection breaks later.
   *
   * @throws LB_UPSTREAM, LB_TLS, LB_HANDSHAKE; whatever `signal` aborts with
   */
  static async open(
    options: CatClientOptions,
    clock: Clock,
    signal: AbortSignal,
    onFailure: (error: LogboomError) => void,
  ): Promise<CatClient> {
    const client = new CatClient(options, clock, onFailure);
    const connection_options = {
      ...options,
      where: options.url,
      timeout_ms: LIMITS.connect_timeout_ms,
      lookup: systemLookup,
    };
    try {
      client.#connection = await Connection.open(connection_options, { attempt: 0 }, signal, {
        acked: (ids) => client.#acked(ids),
        closed: ({ error }) => client.#close(error),
      });
    } catch (error) {
      throw explained(error, options);
    }
    return client;
  }

  /**
   * Sends one chunk. Wait for `room()` before the next. Does nothing once the connection
   * broke: `room()` and `finish()` tell.
   */
  send(tag: Buffer, entries: readonly Buffer[]): void {
    if (this.#failure !== undefined) return;
    const size = entries.length;
    const body = [Buffer.concat(entries)];
    if (!this.#options.ack) {
      this.#write(encodePacked(tag, body, { size }));
      return;
    }
    const chunk = randomBytes(CHUNK_ID_BYTES).toString('base64');
    this.#unacked.set(chunk, size);
    this.#write(encodePacked(tag, body, { chunk: Buffer.from(chunk), size }));
    this.#cancelTimeout ??= this.#startTimeout();
  }

  /** Resolves when another chunk may be sent. @throws what broke the connection */
  async room(): Promise<void> {
    await this.#until(
      () =>
        this.#unacked.size < UNACKED_MAX_CHUNKS &&
        (this.#connection?.waiting_bytes ?? 0) < UNSENT_MAX_BYTES,
    );
  }

  /** Resolves when all was acked, or without acks sent, and the connection is closed. @throws what broke the connection */
  async finish(): Promise<void> {
    await this.#until(() => this.#unacked.size === 0);
    if (this.#closed) return;
    this.#finishing = true;
    this.#connection?.end();
    const cancel = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#connection?.destroy());
    await this.#until(() => this.#closed);
    cancel();
  }

  /** Closes at once, without another word. */
  destroy(): void {
    this.#finishing = true;
    this.#cancelTimeout?.();
    this.#connection?.destroy();
  }

  #write(message: readonly Buffer[]): void {
    this.#connection?.write(message, () => this.#wake());
  }

  async #until(holds: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (holds()) return;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  #acked(ids: readonly string[]): void {
    for (const id of ids) {
      const events = this.#unacked.get(id);
      if (events === undefined) {
        this.#fail('the server acked a chunk that was not sent');
        return;
      }
      this.#unacked.delete(id);
      this.#acked_events += events;
    }
    this.#cancelTimeout?.();
    this.#cancelTimeout = this.#unacked.size === 0 ? undefined : this.#startTimeout();
    this.#wake();
  }

  #startTimeout(): () => void {
    const { ack_timeout_ms } = this.#options;
    const hint = 'Use --no-ack for a server that never acks.';
    let cancel = this.#clock.after(ack_timeout_ms, () => {
      cancel = behindTurn(() => this.#fail(`no ack within ${ack_timeout_ms} ms`, hint));
    });
    return () => cancel();
  }

  #close(error: LogboomError | undefined): void {
    this.#closed = true;
    if (error !== undefined) this.#fail(error.message, error.hint, error);
    else if (!this.#finishing) this.#fail('the server closed the connection');
    this.#wake();
  }

  #fail(what: string, hint?: string, cause?: unknown): void {
    if (this.#failure !== undefined) return;
    this.#cancelTimeout?.();
    this.#failure = new LogboomError('LB_UPSTREAM', `${what}; ${this.#tally()}`, {
      where: this.#options.url,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.#connection?.destroy();
    this.#onFailure(this.#failure);
    this.#wake();
  }

  #tally(): string {
    if (!this.#options.ack) return 'some events may be lost';
    let unacked = 0;
    for (const events of this.#unacked.values()) unacked += events;
    return `${this.#acked_events} events were acked, ${unacked} sent and not acked`;
  }
}

/** The most common mistake gets its own advice. */
function explained(
  error: unknown,
  { url, absent_hint }: Pick<CatClientOptions, 'url' | 'absent_hint'>,
): unknown {
  if (!(error instanceof LogboomError)) return error;
  const absent = ['ECONNREFUSED', 'ENOENT'].includes(systemCode(error.cause) ?? '');
  if (!absent) return error;
  return new LogboomError(error.code, error.message, {
    where: url,
    hint: absent_hint,
    cause: error.cause,
  });
}
