import type { Clock } from './clock.ts';

/** Resolves after `delay_ms`, or at once when `signal` aborts. */
export function sleep(clock: Clock, delay_ms: number, signal: AbortSignal): Promise<void> {
  if (delay_ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delay_ms, finish);
    signal.addEventListener('abort', finish);
  });
}
