import type { Clock } from '../../src/sys/clock.ts';

interface Task {
  readonly due_ms: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #monotonic_ms = 0;
  #wall_offset_ms: number;
  #tasks: Task[] = [];

  constructor(start_ms = 1_700_000_000_000) {
    this.#wall_offset_ms = start_ms;
  }

  now_ms(): number {
    return this.#wall_offset_ms + this.#monotonic_ms;
  }

  monotonic_ms(): number {
    return this.#monotonic_ms;
  }

  after(delay_ms: number, run: () => void): () => void {
    const task: Task = { due_ms: this.#monotonic_ms + delay_ms, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  /** Tasks that wait for their time. */
  get waiting(): number {
    return this.#tasks.length;
  }

  /** Lets time pass; tasks that fall due run in the order of their times. */
  advance(by_ms: number): void {
    const end_ms = this.#monotonic_ms + by_ms;
    for (;;) {
      const due = this.#tasks
        .filter((task) => task.due_ms <= end_ms)
        .toSorted((a, b) => a.due_ms - b.due_ms)[0];
      if (due === undefined) break;
      this.#tasks = this.#tasks.filter((other) => other !== due);
      this.#monotonic_ms = Math.max(this.#monotonic_ms, due.due_ms);
      due.run();
    }
    this.#monotonic_ms = end_ms;
  }

  /** As when the process stands still: what falls due meanwhile runs once, at the end. */
  standStill(for_ms: number): void {
    this.#monotonic_ms += for_ms;
    this.advance(0);
  }

  /** Steps the wall clock alone, as an operator or NTP does. */
  stepWall(by_ms: number): void {
    this.#wall_offset_ms += by_ms;
  }
}
