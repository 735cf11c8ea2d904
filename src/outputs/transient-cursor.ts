import type { Cursor } from '../journal/types.ts';

/**
 * A place in the journal that is kept in memory only, for an output that shows what
 * passes by. Nothing waits for it, so what it reads may be deleted under it.
 */
export class TransientCursor implements Cursor {
  readonly name: string;
  #seq: number;
  #window: Buffer = Buffer.alloc(0);

  constructor(name: string, seq: number) {
    this.name = name;
    this.#seq = seq;
  }

  get seq(): number {
    return this.#seq;
  }

  get window(): Buffer {
    return this.#window;
  }

  async save(seq: number, window: Buffer): Promise<void> {
    this.#seq = Math.max(this.#seq, seq);
    this.#window = window;
  }

  /** The journal does not know this cursor, so it never moves it. */
  onMoved(): void {}
}
