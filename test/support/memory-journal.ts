import type {
  JournalState,
  JournalWriter,
  LargeRecord,
  RecordBuilder,
  StateEntry,
  StateSpace,
} from '../../src/journal/types.ts';

/** A record as a test looks at it. */
export interface MemoryRecord {
  readonly tag: string;
  readonly codec: number;
  readonly attrs: number;
  readonly body: Buffer;
  readonly count: number;
  readonly time_min_s: number;
  readonly time_max_s: number;
  readonly commit: number;
}

class MemoryBuilder implements RecordBuilder {
  readonly commit: number;
  readonly tag: Buffer;
  readonly codec: number;
  readonly attrs: number;
  buffer = Buffer.alloc(64);
  bytes = 0;
  count = 0;
  time_min_s = 0;
  time_max_s = 0;

  constructor(commit: number, tag: Buffer, codec: number, attrs: number) {
    this.commit = commit;
    this.tag = tag;
    this.codec = codec;
    this.attrs = attrs;
  }

  reserve(bytes: number): number {
    const at = this.bytes;
    this.bytes += bytes;
    if (this.bytes > this.buffer.length) {
      const larger = Buffer.alloc(this.bytes * 2);
      this.buffer.copy(larger, 0, 0, at);
      this.buffer = larger;
    }
    return at;
  }

  note(events: number, time_min_s: number, time_max_s: number): void {
    this.count += events;
    if (time_max_s === 0) return;
    this.time_min_s = this.time_max_s === 0 ? time_min_s : Math.min(this.time_min_s, time_min_s);
    this.time_max_s = Math.max(this.time_max_s, time_max_s);
  }

  seal(): MemoryRecord {
    const { codec, attrs, count, time_min_s, time_max_s, commit } = this;
    const body = Buffer.from(this.buffer.subarray(0, this.bytes));
    return { tag: this.tag.toString(), codec, attrs, body, count, time_min_s, time_max_s, commit };
  }
}

interface Commit {
  readonly number: number;
  readonly parts: (MemoryBuilder | MemoryRecord)[];
  readonly entries: StateEntry[];
  readonly callbacks: ((error?: Error) => void)[];
}

/**
 * A journal in memory that makes commits durable when the test says so (`commit()`),
 * or by itself, in the next turn of the event loop, once somebody waits (`automatic`).
 */
export class MemoryJournal implements JournalWriter {
  /** What is durable, in order. */
  readonly records: MemoryRecord[] = [];
  readonly automatic: boolean;
  state: JournalState = 'writable';
  hurries = 0;
  commits = 0;
  /** Makes `appendLarge` fail before anything of it is durable. */
  large_error: Error | undefined;
  readonly #spaces = new Map<number, StateSpace>();
  readonly #waiting = new Set<() => void>();
  #open: Commit;
  #next_number = 1;
  #scheduled = false;

  constructor({ automatic = true, spaces = [] as [number, StateSpace][] } = {}) {
    this.automatic = automatic;
    this.#open = this.#begin();
    for (const [space, state] of spaces) this.#spaces.set(space, state);
  }

  get filling(): number {
    return this.#open.number;
  }

  get writable(): boolean {
    return this.state === 'writable';
  }

  get waiting_bytes(): number {
    return this.#open.parts.reduce(
      (sum, part) => sum + (part instanceof MemoryBuilder ? part.bytes : part.body.length),
      0,
    );
  }

  /** Events that are not durable yet. */
  get pending_events(): number {
    return this.#open.parts.reduce((sum, part) => sum + part.count, 0);
  }

  /** Bodies that were begun with `builder` and sealed, for the tests of order. */
  get events(): number {
    return this.records.reduce((sum, record) => sum + record.count, 0);
  }

  onceWritable(resume: () => void): () => void {
    if (this.writable) {
      resume();
      return () => {};
    }
    this.#waiting.add(resume);
    return () => {
      this.#waiting.delete(resume);
    };
  }

  /** Changes the state; back to `writable` calls those who wait. */
  become(state: JournalState): void {
    this.state = state;
    for (const resume of this.#waiting) {
      if (!this.writable) return;
      this.#waiting.delete(resume);
      resume();
    }
  }

  builder(source: Buffer, start: number, end: number, codec: number, attrs: number): RecordBuilder {
    const tag = source.subarray(start, end);
    const last = this.#open.parts.findLast((part) => Buffer.from(part.tag).equals(tag));
    if (last instanceof MemoryBuilder && last.codec === codec && last.attrs === attrs) return last;
    const builder = new MemoryBuilder(this.filling, Buffer.from(tag), codec, attrs);
    this.#open.parts.push(builder);
    return builder;
  }

  appendBody(
    tag: Buffer,
    codec: number,
    attrs: number,
    body: readonly Buffer[],
    count: number,
    time_min_s: number,
    time_max_s: number,
  ): void {
    this.#open.parts.push({
      tag: tag.toString(),
      codec,
      attrs,
      body: Buffer.concat(body),
      count,
      time_min_s,
      time_max_s,
      commit: this.filling,
    });
  }

  async appendLarge(
    records: AsyncIterable<LargeRecord>,
    entries: readonly StateEntry[],
  ): Promise<void> {
    this.commit();
    const number = this.#open.number;
    this.#open = this.#begin();
    const durable: MemoryRecord[] = [];
    for await (const { tag, body, ...rest } of records) {
      const whole = Buffer.from(Buffer.concat(body));
      durable.push({ ...rest, tag: tag.toString(), body: whole, commit: number });
    }
    if (this.large_error !== undefined) throw this.large_error;
    this.records.push(...durable);
    this.commits++;
    this.#apply(entries);
  }

  note(space: number, entry: Buffer): void {
    this.#open.entries.push({ space, entry: Buffer.from(entry) });
  }

  onCommit(done: (error?: Error) => void): void {
    this.#open.callbacks.push(done);
  }

  hurry(): void {
    this.hurries++;
    if (!this.automatic || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.commit());
  }

  /** Makes the commit that is filling durable. */
  commit(): void {
    this.#scheduled = false;
    const commit = this.#open;
    this.#open = this.#begin();
    for (const part of commit.parts) {
      this.records.push(part instanceof MemoryBuilder ? part.seal() : part);
    }
    this.commits++;
    this.#apply(commit.entries);
    for (const done of commit.callbacks) done();
  }

  /** The commit that is filling never becomes durable. */
  fail(error: Error): void {
    const commit = this.#open;
    this.#open = this.#begin();
    for (const done of commit.callbacks) done(error);
  }

  #begin(): Commit {
    return { number: this.#next_number++, parts: [], entries: [], callbacks: [] };
  }

  #apply(entries: readonly StateEntry[]): void {
    for (const { space, entry } of entries) this.#spaces.get(space)?.apply(entry);
  }
}
