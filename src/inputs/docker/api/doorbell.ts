import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../sys/clock.ts';
import type { EngineApi } from './engine-api.ts';

/**
 * Says when a container's log may have grown: by following it and throwing away what comes,
 * or because somebody rings. It may miss a growth, so nothing waits for it alone.
 */
export class Doorbell {
  readonly #api: EngineApi;
  readonly #container_id: string;
  readonly #clock: Clock;
  #stream: IncomingMessage | undefined;
  #rung = false;
  #answer: () => void = () => {};

  constructor(api: EngineApi, container_id: string, clock: Clock) {
    this.#api = api;
    this.#container_id = container_id;
    this.#clock = clock;
  }

  /** Begins to follow the log, unless it is followed already. Rejects as the Engine refuses. */
  async listen(signal: AbortSignal): Promise<void> {
    if (this.#stream !== undefined) return;
    const request = { since: undefined, tail: 0, follow: true };
    const stream = await this.#api.logs(this.#container_id, request, signal);
    this.#stream = stream;
    stream.on('data', () => this.ring());
    stream.on('error', () => {
      // 'close' follows, and the next call says what is wrong.
    });
    stream.once('close', () => {
      this.#stream = undefined;
      this.ring();
    });
  }

  ring(): void {
    this.#rung = true;
    this.#answer();
  }

  clear(): void {
    this.#rung = false;
  }

  /** Until it rings, or `limit_ms` are over, or `signal` aborts. At once if it rang since `clear`. */
  async wait(limit_ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = limit_ms === undefined ? undefined : this.#clock.after(limit_ms, resolve);
      const finish = (): void => {
        cancel?.();
        resolve();
      };
      this.#answer = finish;
      signal.addEventListener('abort', finish, { once: true });
    });
    signal.removeEventListener('abort', this.#answer);
    this.#answer = () => {};
  }

  close(): void {
    this.#stream?.destroy();
  }
}
