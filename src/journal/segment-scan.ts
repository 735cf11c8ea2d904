import { readFully } from '../sys/fs.ts';
import type { Slab } from './arena.ts';
import type { ReadableFile } from './salvaged-file.ts';
import type { ParserPause, SegmentItem } from './segment-items.ts';
import type { SegmentParser } from './segment-parser.ts';

const NOTHING = Buffer.alloc(0);

/** Where the memory for pieces of a file comes from and goes to. */
export interface PieceMemory {
  /** At least so many bytes. */
  take(bytes: number): Slab;
  /** What was found in it has been handed on, and may be looked into still. */
  retire(slab: Slab): void;
}

/** Every piece has memory of its own, which is left to the garbage collector. */
const NEW_MEMORY: PieceMemory = {
  take: (bytes) => ({ buffer: Buffer.allocUnsafeSlow(bytes), large_bytes: 0, lent: false }),
  retire: () => {},
};

/**
 * A parser that reads its segment file itself, a large piece at a time. What is
 * left of a piece is copied in front of the next one, so every record lies in
 * one piece of memory; a piece is not written to again before `memory` gives it anew.
 */
export class SegmentScan {
  readonly file: ReadableFile;
  readonly parser: SegmentParser;
  readonly #chunk_bytes: number;
  readonly #memory: PieceMemory;
  #slab: Slab | undefined;
  #window: Buffer = NOTHING;
  #window_offset = 0;
  #is_short = false;

  constructor(
    file: ReadableFile,
    parser: SegmentParser,
    chunk_bytes: number,
    memory: PieceMemory = NEW_MEMORY,
  ) {
    this.file = file;
    this.parser = parser;
    this.#chunk_bytes = chunk_bytes;
    this.#memory = memory;
  }

  /** The next item; undefined at the end of the segment. */
  async next(): Promise<SegmentItem | undefined> {
    for (;;) {
      const item = this.poll();
      if (item === 'done') return undefined;
      if (item !== 'starved') return item;
      await this.fill();
    }
  }

  /** The next item if it is in memory. */
  poll(): SegmentItem | ParserPause {
    return this.parser.next();
  }

  /** The segment has grown. A file that was found shorter than it should be stays as short. */
  extend(end_bytes: number): void {
    if (!this.#is_short) this.parser.setEnd(end_bytes);
  }

  /** Reads what `poll` starves for. */
  async fill(): Promise<void> {
    const { offset, bytes } = this.parser.wanted;
    const window_end = this.#window_offset + this.#window.length;
    const kept =
      offset >= this.#window_offset && offset < window_end
        ? this.#window.subarray(offset - this.#window_offset)
        : this.#window.subarray(0, 0);
    // The parser never wants more than the file is known to hold.
    const left_bytes = this.parser.end_bytes - offset;
    const size = Math.min(left_bytes, Math.max(this.#chunk_bytes, bytes));
    const slab = this.#memory.take(size);
    const window = slab.buffer.subarray(0, size);
    kept.copy(window, 0, 0, size);
    const begin = Math.min(kept.length, size);
    const got_bytes = await readFully(this.file, window.subarray(begin), offset + begin);
    if (begin + got_bytes < size) {
      this.#is_short = true;
      this.parser.setEnd(offset + begin + got_bytes);
    }
    this.close();
    this.#slab = slab;
    this.#window = window.subarray(0, begin + got_bytes);
    this.#window_offset = offset;
    this.parser.feed(this.#window, offset);
  }

  /** Lets go of what was read; the file stays open. */
  close(): void {
    if (this.#slab !== undefined) this.#memory.retire(this.#slab);
    this.#slab = undefined;
    this.#window = NOTHING;
  }
}
