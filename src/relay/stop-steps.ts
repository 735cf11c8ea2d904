import { LogboomError, messageOf } from '../errors.ts';
import type { Clock } from '../sys/clock.ts';
import type { Log } from '../sys/log.ts';
import { within } from '../sys/within.ts';

/** What a step may take beyond its time before it is taken for hung. */
const GRACE_MS = 1500;

/**
 * The steps of a stop. Each keeps to a deadline by itself; one that does not hangs, as a
 * rule in a file system call that cannot be cancelled, and is left behind. Whatever
 * happens in a step, the next ones follow.
 */
export class StopSteps {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #hung: string[] = [];
  readonly #failed: string[] = [];

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** True: the step is done. False: it failed or hangs, which is logged. */
  async take(part: string, deadline_ms: number, step: () => Promise<void>): Promise<boolean> {
    try {
      if (await within(this.#clock, deadline_ms + GRACE_MS, step())) return true;
      this.#hung.push(part);
      const fields = { part, waited_ms: Math.round(deadline_ms + GRACE_MS) };
      this.#log.error(fields, 'this part hangs and is left behind');
    } catch (error) {
      this.#failed.push(`${part}: ${messageOf(error)}`);
      this.#log.error({ part, error: messageOf(error) }, 'this part did not stop cleanly');
    }
    return false;
  }

  /** @throws LB_STOP that names what hangs or failed */
  finish(): void {
    const hung = this.#hung.map((part) => `${part} hangs`);
    if (hung.length + this.#failed.length === 0) return;
    throw new LogboomError('LB_STOP', [...hung, ...this.#failed].join('; '), {
      hint: 'Check the disks that logboom writes to. What was acked is in the journal.',
    });
  }
}
