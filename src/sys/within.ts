import type { Clock } from './clock.ts';

/**
 * Waits for `work`, but not longer than `deadline_ms`. False: it is still under way, and
 * what becomes of it nobody hears any more. Rejects if `work` rejects in time.
 */
export async function within(
  clock: Clock,
  deadline_ms: number,
  work: Promise<unknown>,
): Promise<boolean> {
  let cancel = (): void => {};
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.after(deadline_ms, () => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    cancel();
  }
}
