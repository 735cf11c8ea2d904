import type { JournalState } from './types.ts';

/** What keeps the disk from taking commits. */
export type Trouble = 'size_limit' | 'disk_full' | 'io_error';

/** Whether the journal takes events, why not, and who waits for it to. */
export class Gate {
  #full = false;
  #trouble: Trouble | undefined;
  #closed = false;
  #waiting: (() => void)[] = [];

  get state(): JournalState {
    if (this.#closed) return 'closed';
    if (this.#trouble !== undefined) return this.#trouble;
    return this.#full ? 'commit_full' : 'writable';
  }

  get writable(): boolean {
    return !this.#full && this.#trouble === undefined && !this.#closed;
  }

  /** See `JournalWriter.onceWritable`. */
  onceWritable(resume: () => void): () => void {
    if (this.writable) {
      resume();
      return () => {};
    }
    this.#waiting.push(resume);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== resume);
    };
  }

  setFull(full: boolean): void {
    this.#full = full;
    this.#wake();
  }

  setTrouble(trouble: Trouble | undefined): void {
    this.#trouble = trouble;
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  /** One after the other, only as long as there is room: each may fill the commit again. */
  #wake(): void {
    while (this.writable && this.#waiting.length > 0) this.#waiting.shift()?.();
  }
}
