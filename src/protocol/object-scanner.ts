/**
 * Finds the end of one MessagePack object that arrives in pieces. Each byte is
 * looked at once, however the pieces are cut; nothing is copied.
 *
 * Invariants:
 * - `#left[level]` items are still to begin at each open level; level 0 has the object itself
 * - `#owed` is the sum of them: so many bytes must come at least
 * - `bytes + #skip + #owed <= max_bytes`, else LB_PROTOCOL_LIMIT before anything is allocated for it
 */
import { isArray, isMap, LEAF_BYTES, LENGTH_BYTES, nestingError } from './msgpack.ts';
import { hexByte, limitError, syntaxError } from './protocol-error.ts';

export class ObjectScanner {
  readonly #left: Float64Array;
  #level = 0;
  #owed = 1;
  /** Bytes of the present item that are still to come. */
  #skip = 0;
  /** Bytes of the present item's length field that are still to come, and what it says so far. */
  #length_left = 0;
  #length = 0;
  #lead = 0;
  #bytes = 0;
  #max_bytes = 0;
  #limit = '';

  /** @param levels_max how deep arrays and maps may nest, the object itself included */
  constructor(levels_max: number) {
    this.#left = new Float64Array(levels_max + 1);
  }

  /**
   * Forgets everything; the next byte begins an object of at most `max_bytes`, a limit named
   * `limit`.
   */
  restart(max_bytes: number, limit: string): void {
    this.#left[0] = 1;
    this.#level = 0;
    this.#owed = 1;
    this.#skip = 0;
    this.#length_left = 0;
    this.#bytes = 0;
    this.#max_bytes = max_bytes;
    this.#limit = limit;
  }

  /** Lowers the limit once more is known about the object. */
  restrict(max_bytes: number, limit: string): void {
    this.#max_bytes = max_bytes;
    this.#limit = limit;
    this.#check(this.#bytes);
  }

  /** Bytes of the object so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The object's last byte has been seen. */
  get whole(): boolean {
    return this.#owed === 0 && this.#skip === 0 && this.#length_left === 0;
  }

  /** Looks at `buf[pos..end)` and returns the offset behind the object's last byte, or `end`. */
  scan(buf: Uint8Array, pos: number, end: number): number {
    const base = this.#bytes - pos;
    let at = pos;
    while (at < end && !this.whole) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, end - at);
        this.#skip -= taken;
        at += taken;
      } else if (this.#length_left > 0) {
        this.#length = this.#length * 256 + (buf[at] as number);
        this.#length_left -= 1;
        at += 1;
        if (this.#length_left === 0) this.#open(this.#lead, this.#length, base + at);
      } else {
        at = this.#passLeaves(buf, at, end);
        if (at === end || this.#owed === 0) break;
        this.#begin(buf[at] as number, base + at + 1);
        at += 1;
      }
    }
    this.#bytes = base + at;
    this.#check(this.#bytes);
    return at;
  }

  /**
   * Passes over the items of this level whose lead byte tells their size, as far as they are here:
   * most there are.
   */
  #passLeaves(buf: Uint8Array, pos: number, end: number): number {
    const items = this.#left[this.#level] as number;
    let left = items;
    let at = pos;
    while (left > 0 && at < end) {
      const leaf = LEAF_BYTES[buf[at] as number] as number;
      if (leaf === 0 || at + leaf > end) break;
      at += leaf;
      left -= 1;
    }
    this.#left[this.#level] = left;
    this.#owed -= items - left;
    return at;
  }

  /**
   * An item begins with `lead`: the one before it is complete, and so are containers without items
   * left.
   */
  #begin(lead: number, bytes: number): void {
    while (this.#level > 0 && this.#left[this.#level] === 0) this.#level -= 1;
    (this.#left[this.#level] as number) -= 1;
    this.#owed -= 1;
    const leaf = LEAF_BYTES[lead] as number;
    const length_bytes = LENGTH_BYTES[lead] as number;
    if (leaf !== 0) {
      this.#skip = leaf - 1;
    } else if (length_bytes > 0) {
      this.#lead = lead;
      this.#length = 0;
      this.#length_left = length_bytes;
    } else if (isMap(lead) || isArray(lead)) {
      this.#open(lead, lead & 0x0f, bytes);
    } else {
      throw syntaxError('MessagePack', `the byte ${hexByte(lead)}, which it never uses`);
    }
  }

  /** The length or count of an item is known: `bytes` of the object have been seen so far. */
  #open(lead: number, length: number, bytes: number): void {
    if (!isMap(lead) && !isArray(lead)) {
      this.#skip = length + (lead >= 0xc7 && lead <= 0xc9 ? 1 : 0);
    } else {
      const items = isMap(lead) ? length * 2 : length;
      if (items > 0) {
        this.#level += 1;
        if (this.#level >= this.#left.length) throw nestingError();
        this.#left[this.#level] = items;
        this.#owed += items;
      }
    }
    this.#check(bytes);
  }

  #check(bytes: number): void {
    const total = bytes + this.#skip + this.#owed;
    if (total <= this.#max_bytes) return;
    throw limitError(
      'an object is too large',
      `${bytes} bytes + ${this.#skip + this.#owed} that its headers announce = ${total} > ${this.#max_bytes}`,
      this.#limit,
    );
  }
}
