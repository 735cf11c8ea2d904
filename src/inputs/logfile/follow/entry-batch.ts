import { crc32 } from 'node:zlib';
import type { LogBatch, LogPlace } from '../types.ts';

const NOTHING = Buffer.alloc(0);

/** The entries of one stretch of a file. One object serves all stretches. */
export class EntryBatch implements LogBatch {
  /** Of the file that the entries are from. */
  fingerprint = 0;
  #buf: Buffer = NOTHING;
  /** Where `#buf` begins in the file. */
  #base = 0;
  /** Of the first `count` entries; kept at their length, which serves the next stretch. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #count = 0;

  get buf(): Buffer {
    return this.#buf;
  }

  get count(): number {
    return this.#count;
  }

  begin(buf: Buffer, base: number): void {
    this.#buf = buf;
    this.#base = base;
    this.#count = 0;
  }

  add(start: number, end: number): void {
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#count++;
  }

  start(index: number): number {
    return this.#at(this.#starts, index);
  }

  end(index: number): number {
    return this.#at(this.#ends, index);
  }

  placeAfter(index: number): LogPlace {
    const end = this.end(index);
    return {
      fingerprint: this.fingerprint,
      offset: this.#base + end,
      check: crc32(this.#buf.subarray(this.start(index), end)),
    };
  }

  #at(values: readonly number[], index: number): number {
    const value = values[index];
    if (value === undefined || index >= this.#count) {
      throw new RangeError(`entry ${index} of ${this.#count}`);
    }
    return value;
  }
}
