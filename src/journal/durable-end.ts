import { LogboomError } from '../errors.ts';

/** Waiting for records to become durable: who reads at the end of the log waits here. */
export class DurableEnd {
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** Resolves at the next commit. Rejects when `signal` aborts or the journal closes. */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#throwIfClosed();
    await new Promise<void>((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting.delete(wake);
        // An abort reason may be anything; as AbortSignal.throwIfAborted throws it.
        reject(signal.reason as Error);
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', abort, { once: true });
    });
    this.#throwIfClosed();
  }

  moved(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  close(): void {
    this.#closed = true;
    this.moved();
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new LogboomError('LB_JOURNAL_CLOSED', 'the journal is closed');
  }
}
