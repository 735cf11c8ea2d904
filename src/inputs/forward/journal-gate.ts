import type { JournalWriter } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';

/** Connections that go on in one turn of the event loop: each may bring 256 KiB at once. */
const RESUMED_AT_ONCE = 8;
/** So much may wait for the disk before every connection is held, and not only those that bring more. */
const CROWDED_BYTES = 2 * LIMITS.commit_max_bytes;

/** A connection as the gate sees it. */
export interface GatedClient {
  /** From now on, and within the same turn of the event loop, it reads nothing. */
  hold(): void;
  /** It reads again, and may bring what it has kept back at once. */
  goOn(): void;
}

/**
 * Where connections wait while the journal takes nothing. They go on in the order in
 * which they came, a few at a time, for as long as it does: all at once would bring
 * far more than it has room for.
 *
 *     reading ──brought something while it was closed, or it is crowded──► waiting
 *        ▲                                                                    │
 *        └───────────────────── a few a turn, while it is open ───────────────┘
 *
 * A connection learns that the gate is closed once it has read. After a stall each of
 * thousands may have 256 KiB to bring in one turn, so beyond `CROWDED_BYTES` they are
 * held without being asked.
 *
 * Invariant: no more waits for the disk than `CROWDED_BYTES` and what one read brings.
 */
export class JournalGate {
  readonly #journal: JournalWriter;
  readonly #reading = new Set<GatedClient>();
  readonly #waiting = new Set<GatedClient>();
  #asked = false;

  constructor(journal: JournalWriter) {
    this.#journal = journal;
  }

  get open(): boolean {
    return this.#journal.writable;
  }

  get waiting_count(): number {
    return this.#waiting.size;
  }

  /** From now on the client may bring events. It is held at once where there is no room for any. */
  join(client: GatedClient): void {
    if (this.#waiting.has(client)) return;
    this.#reading.add(client);
    if (this.#crowded) this.wait(client);
  }

  /** The client brings nothing more. */
  leave(client: GatedClient): void {
    this.#reading.delete(client);
    this.#waiting.delete(client);
  }

  /** Holds the client until it is its turn. */
  wait(client: GatedClient): void {
    this.#hold(client);
    if (this.#crowded) for (const other of this.#reading) this.#hold(other);
    this.#ask();
  }

  get #crowded(): boolean {
    return !this.open && this.#journal.waiting_bytes >= CROWDED_BYTES;
  }

  #hold(client: GatedClient): void {
    this.#reading.delete(client);
    this.#waiting.add(client);
    client.hold();
  }

  #ask(): void {
    if (this.#asked || this.#waiting.size === 0) return;
    this.#asked = true;
    this.#journal.onceWritable(() => {
      this.#asked = false;
      this.#letSomeGo();
      if (this.#waiting.size > 0) setImmediate(() => this.#ask());
    });
  }

  #letSomeGo(): void {
    let left = RESUMED_AT_ONCE;
    for (const client of this.#waiting) {
      if (left-- === 0 || !this.open) return;
      this.#waiting.delete(client);
      this.#reading.add(client);
      client.goOn();
    }
  }
}
