import { LogboomError } from '../../errors.ts';
import { behindTurn } from '../../sys/turn.ts';
import type { Balancer } from './balancer.ts';
import type { Chunk } from './chunk.ts';
import type { ForwardContext } from './context.ts';
import { Quarantine } from './quarantine.ts';
import { Troubles } from './troubles.ts';
import { type Loss, Upstream, type UpstreamOptions } from './upstream.ts';
import { MessageBatch, SlabPool } from './wire.ts';

/** How often timeouts, recovery and ages are looked at. */
const TICK_MS = 500;

export interface SenderEvents {
  /** Chunks were settled, or an upstream was lost or found. */
  changed(): void;
}

/**
 * Moves the window's chunks to the upstreams: gives each what the balancer routes to it,
 * takes acks, and brings back what a broken connection leaves unknown.
 */
export class Sender {
  readonly #context: ForwardContext;
  readonly #balancer: Balancer;
  readonly #events: SenderEvents;
  readonly #upstreams: readonly Upstream[];
  readonly #quarantine: Quarantine;
  readonly #slabs = new SlabPool();
  readonly #troubles: Troubles;
  #was_up = false;
  #cancelTick: (() => void) | undefined;

  constructor(
    context: ForwardContext,
    balancer: Balancer,
    upstreams: readonly UpstreamOptions[],
    events: SenderEvents,
  ) {
    this.#context = context;
    this.#balancer = balancer;
    this.#events = events;
    this.#upstreams = upstreams.map((options, server) => {
      const { url } = context.options.servers[server] ?? { url: String(server) };
      return new Upstream(url, options, context.clock, {
        unknownSince: () => context.window.unknownSince_ms(server),
        moved: () => this.#countDoubled(context.window.replaced(server)),
        up: () => this.#up(server),
        writable: () => this.#pump(server),
        acked: (ids) => this.#acked(server, ids),
        lost: (loss) => this.#lost(server, loss),
      });
    });
    this.#troubles = new Troubles(upstreams.length);
    this.#quarantine = new Quarantine(context, () => this.#settled());
  }

  /** Connects to every server, so that trouble shows before there is something to send. */
  start(): void {
    for (const upstream of this.#upstreams) upstream.wake();
    this.#scheduleTick();
  }

  /** No server takes anything. */
  get is_failing(): boolean {
    return this.#troubles.all_since_ms !== undefined;
  }

  /** A connection was ready at least once. */
  get was_up(): boolean {
    return this.#was_up;
  }

  get in_flight_count(): number {
    let count = 0;
    for (const server of this.#upstreams.keys())
      count += this.#context.window.inFlightCount(server);
    return count;
  }

  /** For status: the state of every server, by its URL. */
  states(): Record<string, string> {
    const now_ms = this.#context.clock.monotonic_ms();
    const states: Record<string, string> = {};
    for (const [server, upstream] of this.#upstreams.entries()) {
      states[upstream.name] = `${upstream.state}, ${this.#balancer.health(server, now_ms)}`;
    }
    return states;
  }

  /** Takes chunks that are recorded; they cover everything up to `end_seq`. */
  add(chunks: readonly Chunk[], end_seq: number): void {
    this.#context.window.add(chunks, end_seq, this.#route);
    if (chunks.length === 0) this.#settled();
    else this.pump();
  }

  /** Gives every server what it can take. */
  pump(): void {
    for (const server of this.#upstreams.keys()) this.#pump(server);
  }

  /** The journal dropped everything before `seq`. */
  dropBefore(seq: number): void {
    // What is in flight of it stays in the socket.
    this.#context.reader.keep();
    this.#context.window.dropBefore(seq);
    this.#settled();
    this.pump();
  }

  /** Closes every connection; what is in flight stays in the window. */
  async stop(): Promise<void> {
    this.#cancelTick?.();
    for (const upstream of this.#upstreams) upstream.stop();
    await this.#quarantine.idle();
  }

  readonly #route = (tag: Buffer): number =>
    this.#balancer.route(tag, this.#context.clock.monotonic_ms());

  #pump(server: number): void {
    const { window, profile, clock, options } = this.#context;
    const upstream = this.#upstream(server);
    if (window.inFlightCount(server) === 0) {
      upstream.rest();
      if (!window.hasNext(server)) this.#quarantine.nothingElse();
    }
    if (!window.hasNext(server)) return;
    upstream.wake();
    const room_bytes = upstream.room_bytes;
    if (room_bytes === 0) return;
    const now_ms = clock.monotonic_ms();
    const batch = new MessageBatch(options.ack, this.#slabs);
    while (batch.bytes < room_bytes && window.inFlightCount(server) < profile.in_flight_max_count) {
      const chunk = window.next(server, now_ms);
      if (chunk === undefined) break;
      batch.add(chunk);
    }
    if (batch.ids.length > 0) upstream.send(batch);
  }

  #up(server: number): void {
    const { clock, log } = this.#context;
    this.#was_up = true;
    this.#balancer.connected(server, clock.monotonic_ms());
    this.#troubles.connected(server);
    log.info('up', { server: this.#upstream(server).name }, 'connected to the upstream');
    this.#events.changed();
    this.#reroute();
    this.pump();
  }

  #acked(server: number, ids: readonly string[]): void {
    const now_ms = this.#context.clock.monotonic_ms();
    for (const id of ids) {
      const is_known = this.#ackedOne(server, id, now_ms);
      if (!is_known) break;
    }
    this.#settled();
    this.#pump(server);
  }

  /** False for an id that is not in flight: the connection is closed. */
  #ackedOne(server: number, id: string, now_ms: number): boolean {
    const { window, counters } = this.#context;
    const wire_bytes = window.inFlight(server, id)?.wire?.bytes ?? 0;
    const chunk = window.ack(server, id, now_ms);
    if (chunk === 'unknown') {
      this.#unknownAck(server, id);
      return false;
    }
    this.#troubles.acked(server);
    if (chunk !== 'dropped') {
      counters.events_out += chunk.events;
      counters.bytes_out += wire_bytes;
      this.#balancer.acked(server, now_ms - chunk.sent_ms, now_ms);
      this.#quarantine.acked(chunk);
      // Acked before it was sent whole: the rest of it is still in the socket.
      if (!chunk.taken) this.#context.reader.keep();
    }
    return true;
  }

  #unknownAck(server: number, id: string): void {
    const { counters } = this.#context;
    counters.unknown_acks++;
    const shown = JSON.stringify(id.slice(0, 64));
    const message = `the upstream acked ${shown}, which is not in flight`;
    const upstream = this.#upstream(server);
    upstream.abort(new LogboomError('LB_UPSTREAM', message, { where: upstream.name }));
  }

  #lost(server: number, loss: Loss): void {
    const { window, counters, clock, log } = this.#context;
    const now_ms = clock.monotonic_ms();
    const lost = window.fail(server, now_ms);
    if (loss.was_up) this.#context.reader.keep();
    const upstream = this.#upstream(server);
    if (loss.was_idle) {
      log.info('idle', { server: upstream.name }, 'the upstream closed an idle connection');
    } else {
      this.#balancer.failed(server);
      this.#troubles.begin(server, lost.length > 0 ? 'chunks' : 'connection', now_ms);
      counters.resent_chunks += lost.length;
      counters.last_error = loss.error.describe();
      counters.last_error_ms = clock.now_ms();
      const fields = {
        server: upstream.name,
        error: loss.error.describe(),
        chunks_in_flight: lost.length,
      };
      log.warn('lost', fields, 'the upstream does not take events; it will be tried again');
      this.#quarantine.failed(lost, loss);
    }
    this.#events.changed();
    this.#reroute();
    this.pump();
  }

  /** Gives tags to the servers that are to have them now. */
  #reroute(): void {
    if (this.#upstreams.length === 1) return;
    const { window, clock, options } = this.#context;
    const left_ms = clock.monotonic_ms() - options.retry.failover_after_ms;
    const doubled = window.reroute(
      this.#route,
      (chunk) => (chunk.unknown_since_ms ?? 0) <= left_ms,
    );
    this.#countDoubled(doubled);
  }

  #countDoubled(doubled: readonly Chunk[]): void {
    for (const chunk of doubled) this.#context.counters.possibly_doubled += chunk.events;
  }

  /** Some chunks need no more to be sent: the journal may use their memory again. */
  #settled(): void {
    const { reader, window } = this.#context;
    reader.release(window.needed_seq);
    this.#context.saver.noteProgress(this.#context.stopping);
    this.#events.changed();
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#context.clock.after(TICK_MS, () => {
      this.#tick();
      this.#scheduleTick();
    });
  }

  #tick(): void {
    const { clock, options } = this.#context;
    const now_ms = clock.monotonic_ms();
    if (options.ack) for (const server of this.#upstreams.keys()) this.#checkAckTimeout(server);
    this.#quarantine.tick(now_ms, this.#troubles.all_since_ms);
    this.#reroute();
    this.pump();
  }

  #checkAckTimeout(server: number): void {
    if (!this.#isAckOverdue(server)) return;
    behindTurn(() => {
      if (!this.#isAckOverdue(server)) return;
      const { window, options } = this.#context;
      const upstream = this.#upstream(server);
      const message = `no ack for ${window.inFlightCount(server)} chunks within ${options.ack_timeout_ms} ms`;
      const hint = 'If this upstream never acks, set ack: off.';
      upstream.abort(new LogboomError('LB_UPSTREAM', message, { where: upstream.name, hint }));
    });
  }

  #isAckOverdue(server: number): boolean {
    const { window, options, clock } = this.#context;
    const since_ms = window.oldestSince_ms(server);
    return since_ms !== undefined && clock.monotonic_ms() - since_ms >= options.ack_timeout_ms;
  }

  #upstream(server: number): Upstream {
    const upstream = this.#upstreams[server];
    if (upstream === undefined)
      throw new RangeError(`no server ${server} of ${this.#upstreams.length}`);
    return upstream;
  }
}
