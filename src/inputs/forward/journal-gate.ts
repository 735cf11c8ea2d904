import type { JournalWriter } from '../../journal/types.ts';

/** Connections that go on in one turn of the event loop: each may bring 256 KiB at once. */
const RESUMED_AT_ONCE = 8;

/**
 * Where connections wait while the journal takes nothing. They go on in the order in
 * which they came, a few at a time, for as long as it does: all at once would bring
 * far more than it has room for.
 */
export class JournalGate {
  readonly #journal: JournalWriter;
  readonly #waiting = new Set<() => void>();
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

  /** Calls `resume` once, when it is this one's turn. Returns a cancel function. */
  wait(resume: () => void): () => void {
    this.#waiting.add(resume);
    this.#ask();
    return () => {
      this.#waiting.delete(resume);
    };
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
    for (const resume of this.#waiting) {
      if (left-- === 0 || !this.#journal.writable) return;
      this.#waiting.delete(resume);
      resume();
    }
  }
}
