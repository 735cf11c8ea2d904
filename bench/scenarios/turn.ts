import { setTimeout as sleep } from 'node:timers/promises';
import { machineTime_ms } from '../lib/proc.ts';

/** One contestant's turn in one scenario: its bound, and whether the bench was interrupted meanwhile. */
export class Turn {
  readonly max_ms: number;
  readonly interrupted: AbortSignal;
  readonly #end_ms: number;

  constructor(max_ms: number, interrupted: AbortSignal) {
    this.max_ms = max_ms;
    this.interrupted = interrupted;
    this.#end_ms = machineTime_ms() + max_ms;
  }

  /** What every wait of the turn is bounded by. */
  get left_ms(): number {
    return Math.max(0, this.#end_ms - machineTime_ms());
  }

  /** Rejects when the bench is interrupted. */
  async sleep(for_ms: number): Promise<void> {
    await sleep(for_ms, undefined, { signal: this.interrupted });
  }
}

/** The turn took longer than it may. */
export class GaveUp extends Error {
  /** @param how_far such as `3 of 4 arrived` */
  constructor({ max_ms }: Turn, how_far: string) {
    super(`gave up after ${Math.round(max_ms / 1000)} s: ${how_far}`);
  }
}
