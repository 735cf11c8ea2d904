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
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  get buf(): Buffer {
    return this.#buf;
  }

  get count(): number {
    return this.#starts.length;
  }

  begin(buf: Buffer, base: number): void {
    this.#buf = buf;
    this.#base = base;
    this.#starts.length = 0;
    this.#ends.length = 0;
  }

  add(start: number, end: number): void {
    this.#starts.push(start);
    this.#ends.push(end);
  }

  start(index: number): number {
    return at(this.#starts, index);
  }

  end(index: number): number {
    return at(this.#ends, index);
  }

  placeAfter(index: number): LogPlace {
    const end = this.end(index);
    return {
      fingerprint: this.fingerprint,
      offset: this.#base + end,
      check: crc32(this.#buf.subarray(this.start(index), end)),
    };
  }
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`entry ${index} of ${values.length}`);
  return value;
}
