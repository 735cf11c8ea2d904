import type { Clock } from './clock.ts';

/** A pause of one sleeper, which others may end early. */
export class Nap {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  /** Somebody wanted to wake the sleeper while it was awake. */
  #woken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `duration_ms`, or when woken; at once if woken since the last nap. */
  async take(duration_ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(duration_ms, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#woken = false;
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }
}
