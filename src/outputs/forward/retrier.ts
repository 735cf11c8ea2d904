import { messageOf } from '../../errors.ts';
import { Backoff, type BackoffOptions } from '../../sys/backoff.ts';
import type { Clock } from '../../sys/clock.ts';
import type { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import { sleep } from '../../sys/sleep.ts';
import type { ForwardCounters } from './counters.ts';

/** Repeats steps against the local disk that may fail, and shows why they do. */
export class Retrier {
  readonly #backoff: BackoffOptions;
  readonly #clock: Clock;
  readonly #log: RateLimitedLog;
  readonly #counters: ForwardCounters;

  constructor(
    backoff: BackoffOptions,
    clock: Clock,
    log: RateLimitedLog,
    counters: ForwardCounters,
  ) {
    this.#backoff = backoff;
    this.#clock = clock;
    this.#log = log;
    this.#counters = counters;
  }

  /** Runs `step` until it works; `trouble` says what is not possible meanwhile. Rejects only when `signal` aborts. */
  async run<T>(trouble: string, signal: AbortSignal, step: () => Promise<T>): Promise<T> {
    const backoff = new Backoff(this.#backoff);
    for (;;) {
      signal.throwIfAborted();
      try {
        return await step();
      } catch (error) {
        signal.throwIfAborted();
        const retry_in_ms = backoff.next_ms();
        this.#counters.last_error = messageOf(error);
        this.#counters.last_error_ms = this.#clock.now_ms();
        this.#log.error('retry', { error: messageOf(error), retry_in_ms }, trouble);
        await sleep(this.#clock, retry_in_ms, signal);
      }
    }
  }
}
