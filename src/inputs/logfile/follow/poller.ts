import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../sys/clock.ts';

export interface PollerOptions {
  readonly active_ms: number;
  readonly idle_ms: number;
  readonly concurrent_max: number;
}

const POLLER_OPTIONS: PollerOptions = {
  active_ms: LIMITS.poll_active_ms,
  idle_ms: LIMITS.poll_idle_ms,
  concurrent_max: LIMITS.poll_concurrent_max,
};

/**
 * Looks at a log once, and does with what is new whatever is to be done. True: there was
 * something. An answer that needs no promise (the log stands still) costs a fraction of one
 * that does.
 */
export type Look = () => boolean | Promise<boolean>;

/** A log that is looked at again and again. */
export interface PolledLog {
  /** Looks soon, not when its time has come: something hints at news. */
  nudge(): void;
  /** No further looks; resolves when the one under way is done. */
  remove(): Promise<void>;
}

interface Polled {
  readonly look: Look;
  readonly onError: (error: unknown) => void;
  delay_ms: number;
  due_ms: number;
  state: 'waiting' | 'queued' | 'looking';
  /** The look under way, or the last one. */
  looking: Promise<void> | undefined;
  nudged: boolean;
}

/**
 * When logs are looked at: each by its own rhythm, `active_ms` while it grows and up to
 * `idle_ms` while it stands still, all on one timer. Times fall on multiples of their
 * distance, so that all idle logs share one wake-up.
 *
 * A log is never looked at twice at once; at most `concurrent_max` are looked at in the
 * same moment, the longest due first. A look that takes its time (the journal is full)
 * delays nobody else but by its share of `concurrent_max`.
 */
export class Poller {
  readonly #clock: Clock;
  readonly #options: PollerOptions;
  readonly #polled = new Set<Polled>();
  /** Due, and waiting for others to be done. */
  readonly #queue: Polled[] = [];
  #looking_count = 0;
  #cancelTimer: (() => void) | undefined;
  #timer_ms = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, options: PollerOptions = POLLER_OPTIONS) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Begins to look, at once. `onError` takes what a look rejects with; it is looked at again later. */
  add(look: Look, onError: (error: unknown) => void): PolledLog {
    const { active_ms } = this.#options;
    const due_ms = this.#clock.monotonic_ms();
    const polled: Polled = {
      look,
      onError,
      delay_ms: active_ms,
      due_ms,
      state: 'waiting',
      looking: undefined,
      nudged: false,
    };
    this.#polled.add(polled);
    this.#wakeAt(due_ms);
    return {
      nudge: () => this.#nudge(polled),
      remove: () => this.#remove(polled),
    };
  }

  /** Removes all logs; resolves when no look is under way. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await Promise.all(Array.from(this.#polled, (polled) => this.#remove(polled)));
  }

  #nudge(polled: Polled): void {
    if (!this.#polled.has(polled)) return;
    polled.nudged = true;
    polled.delay_ms = this.#options.active_ms;
    if (polled.state !== 'waiting') return;
    polled.due_ms = this.#clock.monotonic_ms();
    this.#wakeAt(polled.due_ms);
  }

  async #remove(polled: Polled): Promise<void> {
    this.#polled.delete(polled);
    await polled.looking;
  }

  #wakeAt(due_ms: number): void {
    if (due_ms >= this.#timer_ms) return;
    this.#cancelTimer?.();
    this.#timer_ms = due_ms;
    this.#cancelTimer = this.#clock.after(Math.max(0, due_ms - this.#clock.monotonic_ms()), () => {
      this.#timer_ms = Number.POSITIVE_INFINITY;
      this.#lookAtDue();
    });
  }

  #lookAtDue(): void {
    const now_ms = this.#clock.monotonic_ms();
    const due: Polled[] = [];
    for (const polled of this.#polled) {
      if (polled.state !== 'waiting') continue;
      if (polled.due_ms <= now_ms) due.push(polled);
      else this.#wakeAt(polled.due_ms);
    }
    for (const polled of due.toSorted((a, b) => a.due_ms - b.due_ms)) {
      polled.state = 'queued';
      this.#queue.push(polled);
    }
    this.#lookAtQueued();
  }

  #lookAtQueued(): void {
    while (this.#looking_count < this.#options.concurrent_max) {
      const polled = this.#queue.shift();
      if (polled === undefined) return;
      if (!this.#polled.has(polled)) continue;
      this.#lookAt(polled);
    }
  }

  #lookAt(polled: Polled): void {
    polled.state = 'looking';
    polled.nudged = false;
    try {
      const had_news = polled.look();
      if (typeof had_news === 'boolean') {
        this.#looked(polled, had_news);
        return;
      }
      this.#looking_count++;
      polled.looking = this.#await(polled, had_news);
    } catch (error) {
      this.#failed(polled, error);
    }
  }

  /** Never rejects. */
  async #await(polled: Polled, looking: Promise<boolean>): Promise<void> {
    try {
      this.#looked(polled, await looking);
    } catch (error) {
      this.#failed(polled, error);
    }
    this.#looking_count--;
    this.#lookAtQueued();
  }

  #looked(polled: Polled, had_news: boolean): void {
    const { active_ms, idle_ms } = this.#options;
    this.#waits(polled, had_news ? active_ms : Math.min(polled.delay_ms * 2, idle_ms));
  }

  #failed(polled: Polled, error: unknown): void {
    polled.onError(error);
    this.#waits(polled, this.#options.idle_ms);
  }

  #waits(polled: Polled, delay_ms: number): void {
    polled.delay_ms = delay_ms;
    polled.state = 'waiting';
    polled.due_ms = this.#nextDue(polled);
    if (this.#polled.has(polled)) this.#wakeAt(polled.due_ms);
  }

  #nextDue({ nudged, delay_ms }: Polled): number {
    const now_ms = this.#clock.monotonic_ms();
    return nudged ? now_ms : Math.floor((now_ms + delay_ms) / delay_ms) * delay_ms;
  }
}
