/**
 * - `connection`: it cannot be opened; ended by one that is ready
 * - `chunks`: it broke with chunks in flight; ended by an ack only
 */
export type Trouble = 'connection' | 'chunks';

/** What is wrong with each server of an output, and since when with all of them. Pure. */
export class Troubles {
  readonly #by_server: (Trouble | undefined)[];
  #all_since_ms: number | undefined;

  constructor(servers_count: number) {
    this.#by_server = Array.from({ length: servers_count }, () => undefined);
  }

  /** Since when no server takes anything; undefined while one may. */
  get all_since_ms(): number | undefined {
    return this.#all_since_ms;
  }

  begin(server: number, trouble: Trouble, now_ms: number): void {
    if (this.#by_server[server] !== 'chunks') this.#by_server[server] = trouble;
    if (!this.#by_server.includes(undefined)) this.#all_since_ms ??= now_ms;
  }

  /** A connection is ready. */
  connected(server: number): void {
    if (this.#by_server[server] === 'connection') this.acked(server);
  }

  acked(server: number): void {
    this.#by_server[server] = undefined;
    this.#all_since_ms = undefined;
  }
}
