import type { ServerResponse } from 'node:http';
import type { Clock } from '../../sys/clock.ts';
import { writeHead } from './answer.ts';

const EVERY_MS = 1_000;
/** After which a client that lost its connection comes again. */
const RETRY_MS = 2_000;
/** A client that does not read gets no more until it does, and is sent away after so many snapshots. */
const MISSED_MAX = 30;

export interface EventFeedOptions {
  readonly clients_max: number;
  readonly clock: Clock;
  /** The next event's data; called once for all clients, and only while there are some. */
  readonly data: () => string;
}

interface Client {
  readonly response: ServerResponse;
  /** Snapshots in a row that it had no room for. */
  missed: number;
}

/**
 * Server-sent events: the snapshot at once, then every second. What a slow client misses
 * it never gets: at most one snapshot waits for each.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #clients = new Set<Client>();
  #cancel: (() => void) | undefined;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  get is_full(): boolean {
    return this.#clients.size >= this.#options.clients_max;
  }

  /** Takes the response over. */
  add(response: ServerResponse): void {
    const client: Client = { response, missed: 0 };
    writeHead(response, 200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    response.write(`retry: ${RETRY_MS}\n\n${this.#event()}`);
    this.#clients.add(client);
    response.once('close', () => this.#remove(client));
    this.#schedule();
  }

  close(): void {
    for (const { response } of this.#clients) response.end();
    this.#clients.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    this.#cancel ??= this.#options.clock.after(EVERY_MS, () => {
      this.#cancel = undefined;
      this.#tick();
      if (this.#clients.size > 0) this.#schedule();
    });
  }

  #tick(): void {
    let event: string | undefined;
    for (const client of this.#clients) {
      const { response } = client;
      if (!response.writableNeedDrain) {
        client.missed = 0;
        event ??= this.#event();
        response.write(event);
      } else if (++client.missed > MISSED_MAX) {
        response.destroy();
      }
    }
  }

  /** JSON has no newline of its own. */
  #event(): string {
    return `data: ${this.#options.data()}\n\n`;
  }
}
