/** From so many keys on it pays to know beforehand that one is not among them. */
const COUNTED_FROM_LENGTH = 64;
/** Space at the front is given back once it is so large, and the larger part. */
const COMPACT_FROM_LENGTH = 1024;
/** In the place of a key that was taken from between others. */
const TAKEN = Number.NaN;

/**
 * Line keys in the order of their lines, each with a number that it keeps; equal keys
 * may occur. Keys are mostly taken from the front.
 *
 *     number     first                          next
 *                  │ 17 │ 18 │ taken │ 20 │ 21 │
 */
export class KeyQueue {
  #keys: number[] = [];
  /** Index of the first key in `#keys`. */
  #head = 0;
  #first = 0;
  #length = 0;
  /** How often each key is here; made when a key other than the first is asked for. */
  #counts: Map<number, number> | undefined;

  /** Keys that are here. */
  get length(): number {
    return this.#length;
  }

  /** Number of the first key that is here, or else of the next one. */
  get first(): number {
    return this.#first;
  }

  /** Number that the next key gets. */
  get next(): number {
    return this.#first + this.#keys.length - this.#head;
  }

  /** Begins again, empty, with this number. */
  reset(first: number): void {
    this.#keys = [];
    this.#head = 0;
    this.#first = first;
    this.#length = 0;
    this.#counts = undefined;
  }

  /** @param key NaN for one that was taken already: it only gets a number */
  push(key: number): void {
    this.#keys.push(key);
    if (Number.isNaN(key)) return;
    this.#length++;
    if (this.#counts !== undefined) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  has(key: number): boolean {
    return this.#indexOf(key) !== -1;
  }

  /** Takes the first such key; returns its number, or -1. */
  take(key: number): number {
    const index = this.#indexOf(key);
    if (index === -1) return -1;
    const number = this.#first + index - this.#head;
    this.#remove(index);
    this.#advance();
    return number;
  }

  /** Takes the key of this number, if it is here. */
  takeNumber(number: number): void {
    const index = this.#head + number - this.#first;
    if (index < this.#head || Number.isNaN(this.#keys[index] ?? TAKEN)) return;
    this.#remove(index);
    this.#advance();
  }

  /** Drops all keys with lower numbers; returns how many there were. */
  dropBefore(number: number): number {
    const before = this.#length;
    const end = Math.min(this.#head + number - this.#first, this.#keys.length);
    for (let index = this.#head; index < end; index++) this.#remove(index);
    this.#advance();
    return before - this.#length;
  }

  /** From `first` on; NaN where one was taken. */
  toArray(): number[] {
    return this.#keys.slice(this.#head);
  }

  #remove(index: number): void {
    const key = this.#keys[index] ?? TAKEN;
    if (Number.isNaN(key)) return;
    this.#keys[index] = TAKEN;
    this.#length--;
    const left = (this.#counts?.get(key) ?? 0) - 1;
    if (left > 0) this.#counts?.set(key, left);
    else this.#counts?.delete(key);
  }

  #advance(): void {
    const keys = this.#keys;
    let head = this.#head;
    while (head < keys.length && Number.isNaN(keys[head])) head++;
    this.#first += head - this.#head;
    this.#head = head;
    if (head < COMPACT_FROM_LENGTH || head * 2 < keys.length) return;
    this.#keys = keys.slice(head);
    this.#head = 0;
  }

  #indexOf(key: number): number {
    if (this.#keys[this.#head] === key) return this.#head;
    if (this.#length === 0) return -1;
    if (this.#length >= COUNTED_FROM_LENGTH) {
      this.#counts ??= countsOf(this.toArray());
      if (!this.#counts.has(key)) return -1;
    }
    return this.#keys.indexOf(key, this.#head);
  }
}

function countsOf(keys: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const key of keys) {
    if (!Number.isNaN(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
