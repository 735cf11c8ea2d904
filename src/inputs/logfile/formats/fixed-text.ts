const WORD_BYTES = 4;

/** A text that every entry holds, compared a word at a time. */
export class FixedText {
  readonly bytes: number;
  /** From its beginning; the last one overlaps the one before, where `bytes` is no multiple of a word's. */
  readonly #words: Int32Array;

  constructor(text: string) {
    const buf = Buffer.from(text, 'latin1');
    if (buf.length < WORD_BYTES) throw new RangeError(`a fixed text of ${buf.length} bytes`);
    this.bytes = buf.length;
    this.#words = Int32Array.from({ length: Math.ceil(buf.length / WORD_BYTES) }, (_, index) =>
      buf.readInt32LE(Math.min(index * WORD_BYTES, buf.length - WORD_BYTES)),
    );
  }

  /** Whether it stands at `at`. The caller has checked that the view has so many bytes. */
  isAt(view: DataView, at: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    for (let index = 0; index < last; index += 1) {
      if (view.getInt32(at + index * WORD_BYTES, true) !== words[index]) return false;
    }
    return view.getInt32(at + this.bytes - WORD_BYTES, true) === words[last];
  }
}
