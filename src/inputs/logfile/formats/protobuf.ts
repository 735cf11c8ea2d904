/**
 * As much of protobuf's wire format as a LogEntry needs (formats.md 5).
 *
 *     field   key varint: number << 3 | type, then by type
 *             0 varint | 1 eight bytes | 2 length varint, bytes | 5 four bytes
 *
 * `buf[i] as number` stands for reads that were checked against `end`.
 */
import { SECONDS_MAX, type TimeTarget } from './time-target.ts';

/** Seven bits of each byte count; four bytes make one part of a varint, as many as bit operations take. */
const PART_BITS = 28;
const PART = 2 ** PART_BITS;
const PARTS_BITS_MAX = 70;
const HALF_PART = 2 ** 14;
const NANOSECONDS = 1e9;
/** A place, length or key beyond everything; an integer, as `NaN` would make all of them slower. */
const BEYOND = 2 ** 30;

/**
 * A place in a message. Every read moves `at`; one that does not end before `end` moves it behind
 * `end` for good, so it is enough to look whether `at === end` when all is read.
 */
export class ProtobufReader {
  buf: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  /** The last varint, in parts of 28 bits: it may exceed 2^53. */
  #low = 0;
  #middle = 0;
  #high = 0;

  open(buf: Buffer, start: number, end: number): void {
    this.buf = buf;
    this.at = start;
    this.end = end;
  }

  /** A varint of up to 28 bits, such as a key, a length or an ordinal; what is larger is BEYOND. */
  small(): number {
    const { at } = this;
    const byte = at < this.end ? (this.buf[at] as number) : 0x80;
    if (byte < 0x80) {
      this.at = at + 1;
      return byte;
    }
    this.#varint();
    return this.#middle === 0 && this.#high === 0 ? this.#low : BEYOND;
  }

  #varint(): void {
    const { buf, end } = this;
    this.#low = 0;
    this.#middle = 0;
    this.#high = 0;
    let at = this.at;
    for (let shift = 0; shift < PARTS_BITS_MAX && at < end; shift += 7) {
      const byte = buf[at] as number;
      const bits = byte & 0x7f;
      at += 1;
      if (shift < PART_BITS) this.#low |= bits << shift;
      else if (shift < 2 * PART_BITS) this.#middle |= bits << (shift - PART_BITS);
      else this.#high |= bits << (shift - 2 * PART_BITS);
      if (byte < 0x80) {
        this.at = at;
        return;
      }
    }
    this.at = BEYOND;
  }

  /** The length of what follows; 0, behind `end`, if it goes on there. */
  length(): number {
    const length = this.small();
    if (this.at + length <= this.end) return length;
    this.at = BEYOND;
    return 0;
  }

  /** A message inside this one, up to `stop`, was read: it must end there. */
  close(stop: number): void {
    if (this.at !== stop) this.at = BEYOND;
  }

  /** Passes over the value of a field with this key. */
  skip(key: number): void {
    const type = key & 7;
    if (type === 0) this.#varint();
    else if (type === 1) this.at += 8;
    else if (type === 2) this.#skipBytes();
    else if (type === 5) this.at += 4;
    else this.at = BEYOND;
    if (this.at > this.end) this.at = BEYOND;
  }

  #skipBytes(): void {
    const bytes = this.length();
    this.at += bytes;
  }

  /**
   * Reads a varint of nanoseconds since 1970 into `into`; exact up to 64 bits. False when Fluent
   * Forward can't carry the time: it is not after 1970, or after 2106.
   */
  time(into: TimeTarget): boolean {
    this.#varint();
    // Long division in steps below 2^53: the upper parts, then the lowest in two halves.
    const upper = this.#high * PART + this.#middle;
    const q1 = Math.floor(upper / NANOSECONDS);
    const next = (upper - q1 * NANOSECONDS) * HALF_PART + (this.#low >>> 14);
    const q2 = Math.floor(next / NANOSECONDS);
    const last = (next - q2 * NANOSECONDS) * HALF_PART + (this.#low & (HALF_PART - 1));
    const q3 = Math.floor(last / NANOSECONDS);
    into.time_s = q1 * PART + q2 * HALF_PART + q3;
    into.time_ns = last - q3 * NANOSECONDS;
    return into.time_s > 0 && into.time_s <= SECONDS_MAX;
  }
}
