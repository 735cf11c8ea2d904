/** The option `recycled` of a journal: overwrites memory that comes back, so that whoever looks into it too late sees other bytes. */
export class ReusedMemory {
  /** How often any came back. */
  times = 0;
  readonly #seen = new Set<ArrayBufferLike>();

  readonly recycled = (memory: Buffer): void => {
    this.times++;
    this.#seen.add(memory.buffer);
    memory.fill(0xdb);
  };

  /** How many pieces of memory it was: that each commit takes new memory shows here. */
  get different(): number {
    return this.#seen.size;
  }
}
