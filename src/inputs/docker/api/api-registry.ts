import { messageOf } from '../../../errors.ts';
import { LIMITS } from '../../../limits.ts';
import { Backoff } from '../../../sys/backoff.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Log } from '../../../sys/log.ts';
import { RateLimitedLog } from '../../../sys/rate-limited-log.ts';
import { sleep } from '../../../sys/sleep.ts';
import type { Container, ContainerSource, RegistryEvents } from '../types.ts';
import type { EngineApi } from './engine-api.ts';
import type { EngineEvent } from './engine-events.ts';
import { LookQueue } from './look-queue.ts';

/** An event can be missed without a sign (formats.md 6.2); nothing stays unseen for longer. */
const RESCAN_MS = 60_000;
/** A look at every container leaves the other calls to what is asked for meanwhile. */
const RESCAN_CALLS_MAX = Math.ceil(LIMITS.engine_calls_max / 2);
const BACKOFF = { delay_min_ms: 500, delay_max_ms: 30_000, factor: 2 };

export interface ApiRegistryDeps {
  readonly api: EngineApi;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The containers as the Engine API tells of them.
 *
 * Events say which container to look at, never what it is like: that comes from looking
 * at it. A connection begins with the events, from the last one seen on, then looks at
 * every container, so nothing falls between the two; it does so every minute besides, since
 * the list does not show a run that began and ended unseen. One container that the Engine
 * can't answer for delays no other, and a minute's look delays no event and no `rescan`.
 */
export class ApiRegistry implements ContainerSource {
  readonly #api: EngineApi;
  readonly #clock: Clock;
  readonly #limited: RateLimitedLog;
  readonly #containers = new Map<string, Container>();
  readonly #subscribers = new Set<RegistryEvents>();
  readonly #looks = new LookQueue((id, signal) => this.#look(id, signal), LIMITS.engine_calls_max);
  /** Are looked at now, and were not removed since that look began. */
  readonly #inspected = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff(BACKOFF);
  #tellFirst: () => void = () => {};
  readonly #first = new Promise<void>((resolve) => {
    this.#tellFirst = resolve;
  });
  #running: Promise<void> | undefined;
  /** Of the last event seen. */
  #since: string | undefined;
  connected = false;
  /** Containers that came and went before they could be looked at. */
  missed_count = 0;

  constructor({ api, clock, log }: ApiRegistryDeps) {
    this.#api = api;
    this.#clock = clock;
    this.#limited = new RateLimitedLog(log, clock);
  }

  /** Resolves once the containers are known, or the first attempt has failed; attempts go on. */
  start(): Promise<void> {
    this.#running ??= this.#run();
    return this.#first;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  all(): readonly Container[] {
    return [...this.#containers.values()];
  }

  get(id: string): Container | undefined {
    return this.#containers.get(id);
  }

  async rescan(id: string): Promise<Container | undefined> {
    await this.#looks.request(id).catch((error: unknown) => this.#unseen(id, error));
    return this.#containers.get(id);
  }

  async isGone(id: string): Promise<boolean> {
    try {
      return (await this.#api.inspect(id, this.#stopping.signal)) === undefined;
    } catch {
      // Nobody can tell now.
      return false;
    }
  }

  subscribe(events: RegistryEvents): () => void {
    this.#subscribers.add(events);
    return () => {
      this.#subscribers.delete(events);
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#connect().catch((error: unknown) => this.#lost(error));
      this.#tellFirst();
      await sleep(this.#clock, this.#backoff.next_ms(), signal);
    }
  }

  /** Rejects when the Engine ends the events, or something fails. */
  async #connect(): Promise<never> {
    const session = new AbortController();
    const end = (): void => session.abort();
    this.#stopping.signal.addEventListener('abort', end);
    let rescans: Promise<void> | undefined;
    try {
      const events = await this.#api.events(this.#since, session.signal);
      await this.#reconcile(session.signal);
      this.#backoff.reset();
      this.connected = true;
      this.#tellFirst();
      rescans = this.#rescanFromTimeToTime(session.signal);
      for await (const event of events) this.#take(event);
      throw new Error('the Engine ended the stream of events');
    } finally {
      this.connected = false;
      end();
      this.#stopping.signal.removeEventListener('abort', end);
      await rescans;
    }
  }

  async #rescanFromTimeToTime(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(this.#clock, RESCAN_MS, signal);
      if (signal.aborted) return;
      await this.#reconcile(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#lost(error);
      });
    }
  }

  #lost(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const fields = { engine: this.#api.url, error: messageOf(error) };
    this.#limited.warn('lost', fields, 'the Docker Engine API is not available; trying again');
  }

  #take({ action, container_id, container_name, time }: EngineEvent): void {
    this.#since = time;
    if (action === 'destroy') {
      this.#remove(container_id);
      return;
    }
    this.#lookAgain(container_id, container_name).catch((error: unknown) =>
      this.#unseen(container_id, error),
    );
  }

  async #lookAgain(id: string, name: string): Promise<void> {
    const was_known = this.#containers.has(id);
    await this.#looks.request(id);
    if (!was_known && !this.#containers.has(id)) this.#miss(id, name);
  }

  #miss(container: string, name: string): void {
    this.missed_count++;
    const fields = { container, name };
    this.#limited.warn('missed', fields, 'a container was gone before it could be looked at');
  }

  #unseen(container: string, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const fields = { container, error: messageOf(error) };
    this.#limited.warn('unseen', fields, 'the Engine does not tell about a container');
  }

  /** Looks at every container that there is, until `signal` aborts; others that were known are gone. */
  async #reconcile(signal: AbortSignal): Promise<void> {
    // Known before the list was asked for: it need not show what came meanwhile.
    const known = [...this.#containers.keys()];
    const listed = new Set(await this.#api.list(signal));
    for (const id of known) if (!listed.has(id)) this.#remove(id);
    const ids = listed.values();
    const lookAtRest = async (): Promise<void> => {
      for (const id of ids) {
        if (signal.aborted) return;
        await this.#looks.request(id, signal).catch((error: unknown) => {
          if (!signal.aborted) this.#unseen(id, error);
        });
      }
    };
    await Promise.all(Array.from({ length: RESCAN_CALLS_MAX }, lookAtRest));
  }

  async #look(id: string, signal?: AbortSignal): Promise<void> {
    const found = await this.#inspect(id, signal);
    if (found === undefined) {
      this.#remove(id);
      return;
    }
    const before = this.#containers.get(id);
    if (JSON.stringify(before) === JSON.stringify(found)) return;
    this.#containers.set(id, found);
    if (before === undefined) this.#tell((events) => events.added(found));
    else this.#tell((events) => events.changed(found, before));
  }

  /** Undefined, too, when it was removed meanwhile: the answer may be from before. */
  async #inspect(id: string, signal = this.#stopping.signal): Promise<Container | undefined> {
    this.#inspected.add(id);
    try {
      const found = await this.#api.inspect(id, signal);
      return this.#inspected.has(id) ? found : undefined;
    } finally {
      this.#inspected.delete(id);
    }
  }

  #remove(id: string): void {
    this.#inspected.delete(id);
    const container = this.#containers.get(id);
    if (container === undefined) return;
    this.#containers.delete(id);
    this.#tell((events) => events.removed(container));
  }

  #tell(what: (events: RegistryEvents) => void): void {
    for (const events of this.#subscribers) what(events);
  }
}
