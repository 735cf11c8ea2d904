import { crc32 } from 'node:zlib';
import type { LogBatch, LogPlace, LogReader, LogStart } from '../../../src/inputs/logfile/types.ts';
import { type Entry, localFrame } from '../docker-entries.ts';

/** Lets everything that is due without time passing happen. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/**
 * Docker's cache of one container, in memory: real frames, and readers that are as slow
 * and as unlucky as a test wants them.
 */
export class MemoryCache {
  /** At most so many entries in one batch. */
  batch_max_lines = Number.POSITIVE_INFINITY;
  /** The next reads reject with these. */
  readonly failures: Error[] = [];
  /** Turns of the event loop that closing a reader takes. */
  close_turns = 0;
  /** Called when the closing of a reader begins. */
  onClosing: () => void = () => {};
  /** What a read waits for when it has seen what there is. */
  afterRead: (() => Promise<void>) | undefined;
  readers_open = 0;
  reads = 0;
  rests = 0;
  readonly #frames: Buffer[] = [];
  /** By count of entries before it. */
  readonly #places: LogPlace[] = [{ fingerprint: 0, offset: 0, check: 0 }];
  readonly #index_by_offset = new Map<number, number>([[0, 0]]);

  append(...entries: Entry[]): void {
    for (const entry of entries) this.appendFrame(localFrame(entry));
  }

  /** Bytes that are framed as an entry. */
  appendFrame(frame: Buffer): void {
    const offset = this.end.offset + frame.length;
    this.#frames.push(frame);
    this.#places.push({ fingerprint: 1, offset, check: crc32(frame) });
    this.#index_by_offset.set(offset, this.#frames.length);
  }

  get lines(): number {
    return this.#frames.length;
  }

  get end(): LogPlace {
    return this.#placeAt(this.#frames.length);
  }

  /** As an argument of its own: a merge takes it as it is. */
  readonly open = (from: LogStart): Promise<LogReader> => {
    this.readers_open++;
    return Promise.resolve(new MemoryCacheReader(this, this.#indexOf(from)));
  };

  /** For readers. */
  batch(from: number, max_bytes: number): LogBatch | undefined {
    this.reads++;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const frames: Buffer[] = [];
    const ends = [0];
    let bytes = 0;
    for (const frame of this.#frames.slice(from, from + 65_536)) {
      if (bytes >= max_bytes || frames.length === this.batch_max_lines) break;
      frames.push(frame);
      bytes += frame.length;
      ends.push(bytes);
    }
    if (frames.length === 0) return undefined;
    return {
      buf: Buffer.concat(frames),
      count: frames.length,
      start: (index) => ends[index] ?? 0,
      end: (index) => ends[index + 1] ?? 0,
      placeAfter: (index) => this.#placeAt(from + index + 1),
    };
  }

  place(index: number): LogPlace {
    return this.#placeAt(index);
  }

  #placeAt(index: number): LogPlace {
    const place = this.#places[index];
    if (place === undefined) throw new RangeError(`the cache has no entry ${index}`);
    return place;
  }

  #indexOf(from: LogStart): number {
    if (from === 'oldest') return 0;
    if (from === 'newest') return this.#frames.length;
    const index = this.#index_by_offset.get(from.offset);
    if (index === undefined) throw new RangeError(`no entry ends at ${from.offset}`);
    return index;
  }
}

class MemoryCacheReader implements LogReader {
  readonly #cache: MemoryCache;
  #index: number;
  #is_finishing = false;
  #is_closed = false;
  ended = false;

  constructor(cache: MemoryCache, index: number) {
    this.#cache = cache;
    this.#index = index;
  }

  get place(): LogPlace {
    return this.#cache.place(this.#index);
  }

  read(max_bytes: number): Promise<LogBatch | undefined> {
    return Promise.resolve().then(() => {
      const batch = this.#cache.batch(this.#index, max_bytes);
      this.#index += batch?.count ?? 0;
      if (batch === undefined) this.ended = this.#is_finishing;
      return this.#cache.afterRead?.().then(() => batch) ?? batch;
    });
  }

  standsStill(): boolean {
    return false;
  }

  rest(): void {
    this.#cache.rests++;
  }

  finish(): void {
    this.#is_finishing = true;
  }

  async close(): Promise<void> {
    if (this.#is_closed) return;
    this.#is_closed = true;
    this.#cache.onClosing();
    await turns(this.#cache.close_turns);
    this.#cache.readers_open--;
  }
}
