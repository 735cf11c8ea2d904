/** Rejects when `signal` aborts. */
type Look = (id: string, signal: AbortSignal | undefined) => Promise<void>;

/**
 * Looks at things by id, a few at a time: never twice at the same one at once, and
 * once more if it was asked for while a look at it was under way. Holds at most one
 * request an id.
 */
export class LookQueue {
  readonly #look: Look;
  readonly #max_count: number;
  readonly #waiting = new Map<string, Request>();
  readonly #under_way = new Set<string>();

  constructor(look: Look, max_count: number) {
    this.#look = look;
    this.#max_count = max_count;
  }

  /**
   * Settles as a look does that begins after this call. That look is given `signal`,
   * unless somebody who gave none waits for it, too.
   */
  request(id: string, signal?: AbortSignal): Promise<void> {
    let request = this.#waiting.get(id);
    if (request === undefined) {
      request = new Request(signal);
      this.#waiting.set(id, request);
      this.#pump();
    } else if (request.signal !== undefined) {
      request.signal = signal;
    }
    return request.done;
  }

  #pump(): void {
    for (const [id, request] of this.#waiting) {
      if (this.#under_way.size >= this.#max_count) return;
      if (this.#under_way.has(id)) continue;
      this.#waiting.delete(id);
      this.#under_way.add(id);
      request.settle(
        this.#look(id, request.signal).finally(() => {
          this.#under_way.delete(id);
          this.#pump();
        }),
      );
    }
  }
}

class Request {
  signal: AbortSignal | undefined;
  settle: (done: Promise<void>) => void = () => {};
  readonly done = new Promise<void>((resolve) => {
    this.settle = resolve;
  });

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
  }
}
