import { LastView } from '../../logfile/last-view.ts';

const WORD_BYTES = 4;
/** What is longer, the machine copies faster than a loop: it takes 100 ns, whatever the length. */
const LOOP_MAX_BYTES = 256;

/**
 * Copies the texts of lines, most of which are short. It keeps the two buffers that it was
 * used with last: one copier serves many writers, or is told to release them.
 */
export class TextCopier {
  readonly #from = new LastView();
  readonly #to = new LastView();

  /** Copies `from[start..end)` to `to[at]`. Another stretch of memory than `to`'s, or the result is undefined. */
  copy(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
    const bytes = end - start;
    if (bytes > LOOP_MAX_BYTES) {
      from.copy(to, at, start, end);
    } else if (bytes < WORD_BYTES) {
      for (let i = 0; i < bytes; i += 1) to[at + i] = from[start + i] as number;
    } else {
      copyWords(this.#from.of(from), start, end, this.#to.of(to), at);
    }
  }

  release(): void {
    this.#from.release();
    this.#to.release();
  }
}

/** At least one word; the last one overlaps the one before where the length is no multiple of a word's. */
function copyWords(from: DataView, start: number, end: number, to: DataView, at: number): void {
  const last = end - WORD_BYTES;
  const shift = at - start;
  for (let word = start; word < last; word += WORD_BYTES) {
    to.setInt32(word + shift, from.getInt32(word, true), true);
  }
  to.setInt32(last + shift, from.getInt32(last, true), true);
}
