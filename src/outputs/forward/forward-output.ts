import { setMaxListeners } from 'node:events';
import { messageOf } from '../../errors.ts';
import { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import { sleep } from '../../sys/sleep.ts';
import { joinedSource } from '../joining/joined-source.ts';
import type { Output, OutputSource, OutputState, OutputStats } from '../output.ts';
import { Balancer } from './balancer.ts';
import { ChunkIds } from './chunk-id.ts';
import type { ConnectionOptions } from './connection.ts';
import type { ForwardContext, ForwardWorld } from './context.ts';
import { newCounters } from './counters.ts';
import { DeadLetters } from './dead-letter.ts';
import { loadClientTls, systemLookup } from './dial.ts';
import { Intake } from './intake.ts';
import { type ForwardOutputOptions, KINDS } from './options.ts';
import { PlanSaver } from './plan-saver.ts';
import { Retrier } from './retrier.ts';
import { Sender } from './sender.ts';
import type { UpstreamOptions } from './upstream.ts';
import { AckWindow } from './window.ts';
import { decodeWindow, type RecordedWindow } from './window-format.ts';

const RECOVER_WAIT_MS = 5_000;

/** An ack that takes longer than this part of its timeout makes a server slow. */
const SLOW_ACK_RATIO = 0.5;

/**
 * Sends a journal to Fluent Forward servers: at least once, with chunk ids that stay the same
 * across crashes, in order for each tag.
 *
 *     reader ─► Intake: pieces ─► chunks ─► plan saved ─► AckWindow ─► Sender ─► Upstream ─► server
 *                                              │              ▲                      │
 *                                           cursor ◄──────────┴──────── ack ─────────┘
 */
export class ForwardOutput implements Output {
  readonly type = 'forward';
  readonly name: string;
  readonly #options: ForwardOutputOptions;
  readonly #source: OutputSource;
  readonly #context: ForwardContext;
  readonly #sender: Sender;
  readonly #intake: Intake;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #waiting: (() => void)[] = [];

  constructor(options: ForwardOutputOptions, source: OutputSource, world: ForwardWorld) {
    this.name = options.name;
    this.#options = options;
    // Every chunk that the dead letter cannot take yet waits on it: Node would suspect a leak.
    setMaxListeners(0, this.#stopping.signal);
    this.#source = joinedSource(source, {
      limits: options.join_partial,
      clock: world.clock,
      plannedEnd: (window) => plannedEnd(window, source.epoch),
    });
    this.#context = contextOf(options, this.#source, world, this.#stopping.signal);
    const balancer = new Balancer(
      options.servers.map(({ url, weight, standby }) => ({ name: url, weight, standby })),
      {
        mode: options.balance,
        recover_wait_ms: options.retry.recover_wait_ms ?? RECOVER_WAIT_MS,
        slow_ack_ms: SLOW_ACK_RATIO * options.ack_timeout_ms,
      },
    );
    const upstreams = options.servers.map((_, server) => upstreamOptions(options, server, world));
    this.#sender = new Sender(this.#context, balancer, upstreams, {
      changed: () => this.#changed(),
    });
    this.#intake = new Intake(this.#context, this.#source, {
      planned: (chunks, end_seq) => this.#sender.add(chunks, end_seq),
      changed: () => new Promise((resolve) => this.#waiting.push(resolve)),
      isDown: () => this.#sender.is_failing || !this.#sender.was_up,
    });
  }

  /** @throws LB_TLS for certificates that cannot be used */
  async start(): Promise<void> {
    await loadClientTls(this.#options.tls);
    this.#followMoves();
    this.#stopping.signal.addEventListener('abort', () => this.#changed());
    this.#sender.start();
    this.#running = this.#intake.run(this.#recorded()).catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return;
      this.#context.log.error('intake', { error: messageOf(error) }, 'the output cannot go on');
    });
  }

  async stop(deadline_ms: number): Promise<void> {
    if (this.#stopped) return;
    this.#stopping.abort(new Error('the output is stopped'));
    await this.#running;
    await this.#drain(deadline_ms);
    await this.#sender.stop();
    await this.#context.saver.finish().catch((error: unknown) => {
      this.#context.log.error(
        'cursor',
        { error: messageOf(error) },
        'the place in the journal cannot be saved',
      );
    });
    this.#source.cursor.onMoved(() => {});
    this.#source.reader.close();
    this.#stopped = true;
  }

  stats(): OutputStats {
    const { counters, window } = this.#context;
    const { cursor, beneath } = this.#source;
    const { events_out, bytes_out, resent_chunks, last_error, last_error_ms, ...others } = counters;
    const record = window.oldest?.pieces[0]?.record;
    return {
      state: this.#state(),
      events_out,
      bytes_out,
      chunks_in_flight: this.#sender.in_flight_count,
      retries: resent_chunks,
      last_error,
      last_error_ms,
      cursor_seq: beneath?.cursor_seq ?? cursor.seq,
      cursor_events: record?.events_before ?? this.#intake.events_read,
      cursor_committed_ms: record?.committed_ms ?? this.#intake.last_committed_ms,
      details: {
        ...others,
        ...beneath?.details(),
        chunks_pending: window.unsettled_count,
        ...this.#sender.states(),
      },
    };
  }

  #state(): OutputState {
    if (this.#stopped) return 'stopped';
    if (this.#sender.is_failing) return 'retrying';
    return this.#sender.was_up ? 'running' : 'starting';
  }

  /** Also a move from before this output listened: what it passed over must not be sent. */
  #followMoves(): void {
    const { cursor } = this.#source;
    cursor.onMoved((seq) => this.#sender.dropBefore(seq));
    if (cursor.seq > this.#context.window.end_seq) this.#sender.dropBefore(cursor.seq);
  }

  /** What was planned before the last end; undefined to plan anew from the cursor. */
  #recorded(): RecordedWindow | undefined {
    const { cursor, epoch } = this.#source;
    try {
      const window = decodeWindow(cursor.window);
      if (window === undefined || window.epoch === epoch) return window;
      this.#context.log.warn(
        'plan',
        { epoch, recorded: window.epoch },
        'the journal has another epoch: chunks get new ids',
      );
    } catch (error) {
      const fields = { error: messageOf(error) };
      this.#context.log.warn(
        'plan',
        fields,
        'the recorded window cannot be read: chunks get new ids, and may be doubled',
      );
    }
    return undefined;
  }

  /** Waits until nothing is left to send, or nothing moves any more, or the deadline. */
  async #drain(deadline_ms: number): Promise<void> {
    const { window, clock } = this.#context;
    const enough = new AbortController();
    const look = (): void => {
      const is_stuck = this.#sender.is_failing && this.#sender.in_flight_count === 0;
      if (window.unsettled_count === 0 || is_stuck) enough.abort();
      else this.#waiting.push(look);
    };
    look();
    await sleep(clock, deadline_ms, enough.signal);
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/** Undefined for a window that will not be replayed. */
function plannedEnd(window: Buffer, epoch: number): number | undefined {
  try {
    const recorded = decodeWindow(window);
    return recorded?.epoch === epoch ? recorded.end_seq : undefined;
  } catch {
    return undefined;
  }
}

function contextOf(
  options: ForwardOutputOptions,
  source: OutputSource,
  world: ForwardWorld,
  stopping: AbortSignal,
): ForwardContext {
  const { clock, ledger, fs } = world;
  const log = new RateLimitedLog(world.log.child({ output: options.name }), clock);
  const counters = newCounters();
  const { delay_min_ms, delay_max_ms } = options.retry;
  const retrier = new Retrier({ delay_min_ms, delay_max_ms, factor: 2 }, clock, log, counters);
  const window = new AckWindow(options.servers.length, source.cursor.seq);
  const { journal_id, epoch, cursor } = source;
  return {
    options,
    profile: KINDS[options.kind],
    reader: source.reader,
    window,
    saver: new PlanSaver(cursor, window, epoch, retrier, clock),
    ids: new ChunkIds({ journal_id, epoch, output_name: options.name }),
    dead_letters: new DeadLetters(
      { ...options.dead_letter, output_name: options.name },
      fs,
      clock,
      ledger,
    ),
    counters,
    retrier,
    ledger,
    clock,
    log,
    stopping,
  };
}

function upstreamOptions(
  options: ForwardOutputOptions,
  server: number,
  world: ForwardWorld,
): UpstreamOptions {
  const { url, address } = options.servers[server] as ForwardOutputOptions['servers'][number]; // it is one of them
  const connection: ConnectionOptions = {
    address,
    tls: options.tls,
    timeout_ms: options.connect_timeout_ms,
    lookup: world.lookup ?? systemLookup,
    handshake: options.handshake,
    where: url,
  };
  const { delay_min_ms, delay_max_ms, failover_after_ms } = options.retry;
  return {
    connection,
    backoff: { delay_min_ms, delay_max_ms, factor: 2 },
    max_age_ms: options.connection_max_age_ms,
    waiting_max_bytes: options.chunk_max_bytes,
    acks: options.ack,
    stay_ms: failover_after_ms,
  };
}
