/** Lets at most `max_count` tasks run at a time; the others wait in the order in which they came. */
export class Turns {
  readonly #max_count: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(max_count: number) {
    this.#max_count = max_count;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max_count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
