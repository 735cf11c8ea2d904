import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** How long before the wait is given up: generous, since a loaded machine is slow. */
  readonly timeout_ms?: number;
  readonly interval_ms?: number;
}

/**
 * Resolves with the first value that `probe` returns other than undefined, null or false.
 * Rejects after `timeout_ms` with `what`, which may be a function that tells the state then.
 */
export async function until<T>(
  what: string | (() => string),
  probe: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const { timeout_ms = 30_000, interval_ms = 25 } = options;
  const deadline_ms = performance.now() + timeout_ms;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) {
      return value as NonNullable<Exclude<T, false>>;
    }
    if (performance.now() > deadline_ms) {
      const waited_for = typeof what === 'string' ? what : what();
      throw new Error(`gave up after ${timeout_ms} ms: ${waited_for}`);
    }
    await sleep(interval_ms);
  }
}
