export interface BackoffOptions {
  /** The ceiling of the first delay. */
  readonly delay_min_ms: number;
  /** The ceiling that no delay exceeds. */
  readonly delay_max_ms: number;
  /** The ceiling grows by this factor with each failure. */
  readonly factor: number;
}

/**
 * Exponential back-off with full jitter: a delay is drawn evenly between 1 and a
 * ceiling that grows with each failure in a row, so that many clients of one server
 * that died do not come back in step. It never gives up; that is for the caller.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures_count = 0;

  /** `random` returns numbers in [0, 1). */
  constructor(options: BackoffOptions, random: () => number = Math.random) {
    const { delay_min_ms, delay_max_ms, factor } = options;
    if (!(delay_min_ms >= 0 && delay_max_ms >= delay_min_ms && factor >= 1)) {
      throw new RangeError(
        `back-off wants 0 <= delay_min_ms <= delay_max_ms and factor >= 1, not ${delay_min_ms}, ${delay_max_ms} and ${factor}`,
      );
    }
    this.#options = options;
    this.#random = random;
  }

  /** Failures in a row since the last `reset()`. */
  get failures_count(): number {
    return this.#failures_count;
  }

  /** Notes a failure; returns how long to wait before the next attempt: never 0, so that failures in a row let others run. */
  next_ms(): number {
    const { delay_min_ms, delay_max_ms, factor } = this.#options;
    // After many failures the power is infinite, and 0 times that is no number.
    const growth = Math.min(factor ** this.#failures_count, Number.MAX_VALUE);
    const ceiling_ms = Math.min(delay_max_ms, delay_min_ms * growth);
    this.#failures_count++;
    return Math.max(1, Math.floor(this.#random() * ceiling_ms));
  }

  /** An attempt worked: the next failure starts small again. */
  reset(): void {
    this.#failures_count = 0;
  }
}
