import type { Cursor } from '../../journal/types.ts';
import type { Clock } from '../../sys/clock.ts';
import type { ChunkPlan } from './chunk.ts';
import type { Retrier } from './retrier.ts';
import type { AckWindow } from './window.ts';
import { encodeWindow } from './window-format.ts';

/** Acks are written down this long after they came, if no plan is saved before. */
const PROGRESS_DELAY_MS = 250;

const TROUBLE = 'the place in the journal cannot be saved; nothing new is sent until it can';

/** A change of the plan that has to be durable before it takes effect. */
export interface PlanChange {
  /** The whole plan with the change, as things stand when it is written. */
  plan(): { readonly end_seq: number; readonly chunks: readonly ChunkPlan[] };
  /** Called as soon as it is durable, before any other change is looked at. */
  apply(): void;
}

/**
 * Keeps the output's cursor and the recorded window as new as they have to be.
 *
 * - One save at a time, each with the whole plan: changes come one after the other.
 * - A change takes effect only once it is durable; a save that fails is repeated until it works
 *   or the output stops, so a chunk is never sent under an id that is not written down.
 */
export class PlanSaver {
  readonly #cursor: Cursor;
  readonly #window: AckWindow;
  readonly #epoch: number;
  readonly #retrier: Retrier;
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();
  #cancelProgress: (() => void) | undefined;
  /** The window has changed since the last save began. */
  #changed = false;

  constructor(cursor: Cursor, window: AckWindow, epoch: number, retrier: Retrier, clock: Clock) {
    this.#cursor = cursor;
    this.#window = window;
    this.#epoch = epoch;
    this.#retrier = retrier;
    this.#clock = clock;
  }

  /** Rejects only when `signal` aborts. */
  change(change: PlanChange, signal: AbortSignal): Promise<void> {
    const saved = this.#saveBehind(this.#last, change, signal);
    this.#last = saved.catch(() => {});
    return saved;
  }

  /** Acks came: they are written down before long. */
  noteProgress(signal: AbortSignal): void {
    this.#changed = true;
    if (this.#cancelProgress !== undefined || signal.aborted) return;
    this.#cancelProgress = this.#clock.after(PROGRESS_DELAY_MS, () => {
      this.#cancelProgress = undefined;
      if (this.#changed) this.change(this.#unchanged(), signal).catch(() => {});
    });
  }

  /** The last save, tried once. @throws what the cursor throws */
  async finish(): Promise<void> {
    this.#cancelProgress?.();
    await this.#last;
    await this.#save(this.#unchanged());
  }

  #unchanged(): PlanChange {
    return {
      plan: () => ({ end_seq: this.#window.end_seq, chunks: this.#window.unsettled() }),
      apply: () => {},
    };
  }

  async #saveBehind(
    previous: Promise<void>,
    change: PlanChange,
    signal: AbortSignal,
  ): Promise<void> {
    await previous;
    await this.#retrier.run(TROUBLE, signal, () => this.#save(change));
    change.apply();
  }

  async #save(change: PlanChange): Promise<void> {
    const { end_seq, chunks } = change.plan();
    // The journal may have moved the cursor past what the window knows.
    const seq = Math.max(this.#cursor.seq, this.#window.cursor_seq);
    this.#changed = false;
    await this.#cursor.save(seq, encodeWindow(this.#epoch, end_seq, chunks));
  }
}
