import { type Chunk, compareChunks } from './chunk.ts';
import { recordedBytes } from './window-format.ts';

/** Settled chunks in the middle are tolerated up to here and up to twice the unsettled ones. */
const SETTLED_KEPT_COUNT = 64;

/** The unsettled chunks in journal order, with their totals. Part of `AckWindow`. */
export class OpenChunks {
  /** With settled ones among them: those before `#head` always, others until it is worth to take them out. */
  #chunks: Chunk[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;
  #recorded_bytes = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get recorded_bytes(): number {
    return this.#recorded_bytes;
  }

  get oldest(): Chunk | undefined {
    return this.#chunks[this.#head];
  }

  list(): Chunk[] {
    return this.#chunks.filter((chunk) => chunk.state !== 'settled');
  }

  /** Behind all others. */
  append(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#add(chunk, 1);
  }

  /** `parts` take the place of `chunk`, which is settled; chunks of other tags may begin between them. */
  replace(chunk: Chunk, parts: readonly Chunk[]): void {
    const others = this.list().filter((other) => other !== chunk);
    this.#chunks = [...others, ...parts].toSorted(compareChunks);
    this.#head = 0;
    for (const part of parts) this.#add(part, 1);
    this.settle(chunk);
  }

  /** The chunk's place stays until the cursor passes it; its bodies do not. */
  settle(chunk: Chunk): void {
    chunk.state = 'settled';
    chunk.pieces = [];
    chunk.wire = undefined;
    this.#add(chunk, -1);
    while (this.oldest?.state === 'settled') this.#head++;
    if (this.#chunks.length > SETTLED_KEPT_COUNT + 2 * this.#count) {
      this.#chunks = this.list();
      this.#head = 0;
    }
  }

  #add(chunk: Chunk, sign: 1 | -1): void {
    this.#count += sign;
    this.#bytes += sign * chunk.bytes;
    this.#recorded_bytes += sign * recordedBytes(chunk.tag);
  }
}
