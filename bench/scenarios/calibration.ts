/**
 * How much a run asks of a contestant: as much as it has shown to do in the time. One that
 * takes faster than it delivers would otherwise be busy long after the load has ended,
 * and how long depends on its buffers and the kernel's.
 */

/** The best batch may still be less than what a warm process does. */
const HEADROOM = 1.5;
const GROWTH = 4;
/** A batch that many times as large, at a rate that grew less than so, is not all waiting. */
const STEADY_GAIN = GROWTH / 2;

interface Calibration {
  readonly first: number;
  readonly max: number;
  /** At least so long: compilers and caches are warm then. */
  readonly for_ms: number;
  readonly load_ms: number;
}

/**
 * Runs batches, each a multiple of the one before, until they take long enough, or grow
 * with their size: what is sent once a second takes a second, however little it is.
 *
 * @param run does a batch, and resolves with its true size and how long it took
 * @returns the size that a run of `load_ms` is to have: no less than the first batch
 */
export async function calibrate(
  { first, max, for_ms, load_ms }: Calibration,
  run: (size: number) => Promise<{ readonly size: number; readonly took_ms: number }>,
): Promise<number> {
  let best_per_ms = 0;
  let spent_ms = 0;
  for (let batch = first; ; batch = Math.min(batch * GROWTH, max)) {
    const { size, took_ms } = await run(batch);
    const is_steady = size / took_ms < best_per_ms * STEADY_GAIN;
    best_per_ms = Math.max(best_per_ms, size / took_ms);
    spent_ms += took_ms;
    const is_enough = is_steady || took_ms >= load_ms || batch >= max;
    if (is_enough && spent_ms >= for_ms) break;
  }
  return Math.min(max, Math.max(first, best_per_ms * load_ms * HEADROOM));
}
