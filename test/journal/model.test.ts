/**
 * The journal against a naive model, through random operations, clean restarts
 * and power cuts at any byte of what was being written.
 *
 * The model is a list of batches. A batch is some events of one tag and one
 * state entry, appended together. What must hold at every look:
 *
 *  - the batches that survive are the first so many of those appended, and all
 *    that were reported durable are among them;
 *  - the state is that of exactly these batches;
 *  - readers get, by tag, their events in order: none missing, none twice;
 *  - a cursor is where it was saved last, or where a save was under way to.
 */
import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import type { LargeRecord, StateSpace } from '../../src/journal/types.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import {
  appendEvents,
  committed,
  idsByTag,
  largeRecord,
  readAll,
} from '../support/journal-events.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const SPACE = 5;

interface Batch {
  readonly id: number;
  readonly tag: string;
  readonly event_ids: readonly number[];
}

class BatchSpace implements StateSpace {
  batch_ids: number[] = [];
  snapshot(): Buffer {
    return Buffer.from(JSON.stringify(this.batch_ids));
  }
  restore(snapshot: Buffer | undefined): void {
    this.batch_ids = snapshot === undefined ? [] : (JSON.parse(snapshot.toString()) as number[]);
  }
  apply(entry: Buffer): void {
    this.batch_ids.push(entry.readUInt32LE(0));
  }
}

interface Sizes {
  readonly segment_max_bytes: number;
  readonly record_max_bytes: number;
  readonly tail_max_bytes: number;
  readonly read_chunk_bytes: number;
}

type Step =
  | {
      readonly do: 'append';
      readonly tag: number;
      readonly events: number;
      readonly filler_bytes: number;
      readonly codec: number;
    }
  | { readonly do: 'commit' }
  | { readonly do: 'large'; readonly records: number; readonly filler_bytes: number }
  | { readonly do: 'read' }
  | { readonly do: 'save'; readonly progress: number }
  | { readonly do: 'reopen' }
  | {
      readonly do: 'cut power';
      readonly keep_bytes: number;
      readonly during: 'commit' | 'save' | 'large';
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      tag: fc.nat(3),
      events: fc.integer({ min: 1, max: 6 }),
      filler_bytes: fc.oneof(fc.nat(40), fc.nat(6000)),
      codec: fc.nat(1),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'commit' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('large' as const),
      records: fc.integer({ min: 1, max: 5 }),
      filler_bytes: fc.nat(9000),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'read' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('save' as const),
      progress: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('cut power' as const),
      keep_bytes: fc.oneof(fc.nat(200), fc.nat(30_000)),
      during: fc.constantFrom('commit' as const, 'save' as const, 'large' as const),
    }),
  },
);

const sizes: fc.Arbitrary<Sizes> = fc.record({
  segment_max_bytes: fc.integer({ min: 500, max: 20_000 }),
  record_max_bytes: fc.integer({ min: 100, max: 5000 }),
  tail_max_bytes: fc.integer({ min: 1, max: 50_000 }),
  read_chunk_bytes: fc.integer({ min: 64, max: 10_000 }),
});

class Run {
  readonly #directory: string;
  readonly #sizes: Sizes;
  #fs = new FaultyFs();
  #space = new BatchSpace();
  #journal: Journal | undefined;
  /** Everything appended and not known to be lost. */
  #batches: Batch[] = [];
  /** The first so many were reported durable. */
  #acked = 0;
  /** Where the cursor may be: as saved last, or as was being saved. */
  #cursor_seqs: number[] = [1];
  #next_id = 1;
  /** Each look at everything appends an event, to know where to stop. */
  #looks = 0;
  #ledger = new DropLedger();

  constructor(directory: string, sizes: Sizes) {
    this.#directory = directory;
    this.#sizes = sizes;
  }

  get journal(): Journal {
    if (this.#journal === undefined) throw new Error('not open');
    return this.#journal;
  }

  async open(): Promise<void> {
    this.#fs = new FaultyFs();
    this.#space = new BatchSpace();
    this.#journal = await Journal.open({
      directory: this.#directory,
      spaces: new Map([[SPACE, this.#space]]),
      fs: this.#fs,
      ledger: this.#ledger,
      linger_ms: 3_600_000,
      ...this.#sizes,
    });
    const survived = this.#space.batch_ids.length;
    const expected = this.#batches.slice(0, survived).map(({ id }) => id);
    same(this.#space.batch_ids, expected, 'the state is that of the first batches');
    if (survived < this.#acked) {
      throw new Error(`${this.#acked} batches were durable, ${survived} survived`);
    }
    this.#batches = this.#batches.slice(0, survived);
    this.#acked = survived;
    const { seq } = await this.journal.cursor('out', { start: 'oldest' });
    if (!this.#cursor_seqs.includes(seq)) {
      throw new Error(`the cursor is at ${seq}, not at ${this.#cursor_seqs.join(' or ')}`);
    }
    this.#cursor_seqs = [seq];
    await this.check();
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'append':
        return this.append(step.tag, step.events, step.filler_bytes, step.codec);
      case 'commit':
        return this.commit();
      case 'large':
        return this.large(step.records, step.filler_bytes);
      case 'read':
        return this.check();
      case 'save':
        return this.save(step.progress);
      case 'reopen':
        await this.commit();
        await this.journal.close();
        return this.open();
      case 'cut power':
        return this.cutPower(step.keep_bytes, step.during);
    }
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  append(tag: number, events: number, filler_bytes: number, codec: number): void {
    const batch = this.#newBatch(`tag${tag}`, events);
    appendEvents(this.journal, batch.tag, batch.event_ids, { filler_bytes, codec });
    this.journal.note(SPACE, entryOf(batch));
  }

  async commit(): Promise<void> {
    const count = this.#batches.length;
    await committed(this.journal);
    this.#acked = count;
  }

  async large(records: number, filler_bytes: number): Promise<void> {
    const count = this.#batches.length + 1;
    await this.#appendLarge(records, filler_bytes);
    this.#acked = count;
  }

  async save(progress: number): Promise<void> {
    const cursor = await this.journal.cursor('out', { start: 'oldest' });
    const seq = this.#placeAt(progress, cursor.seq);
    await cursor.save(seq, Buffer.from(`window at ${seq}`));
    this.#cursor_seqs = [seq];
  }

  async cutPower(keep_bytes: number, during: 'commit' | 'save' | 'large'): Promise<void> {
    this.#fs.holds_syncs = true;
    const syncs = this.#fs.calls.get('datasync') ?? 0;
    const under_way = this.#begin(during).catch(() => {}); // it fails when the power does
    await until('an fsync is under way', () => (this.#fs.calls.get('datasync') ?? 0) > syncs, {
      interval_ms: 1,
    });
    await this.#fs.cutPower(keep_bytes);
    await this.journal.close();
    await under_way;
    await this.open();
  }

  /** Everything from the oldest record on, read and compared. */
  async check(): Promise<void> {
    await this.commit();
    const records = await readAll(this.journal, { from_seq: 1, max_bytes: 2000 });
    const read = idsByTag(records);
    for (const [tag, ids] of Object.entries(this.#expected())) {
      const found = read[tag] ?? [];
      // Segments behind the cursor may be gone, with the oldest events of a tag.
      same(found, ids.slice(ids.length - found.length), `events of ${tag}`);
    }
    this.#looks++;
    const appended = this.#batches.flatMap(({ event_ids }) => event_ids).length;
    const { events } = this.journal.totals();
    if (events !== appended + this.#looks) {
      throw new Error(`${events} events in the log, ${appended} and ${this.#looks} were appended`);
    }
    const read_count = Object.values(read).flat().length;
    if (this.journal.oldest_seq === 1 && read_count !== appended) {
      throw new Error(`${read_count} events read of ${appended}`);
    }
    same([this.#ledger.total('corrupt')], [0], 'events lost');
  }

  #expected(): Record<string, number[]> {
    const by_tag: Record<string, number[]> = {};
    for (const { tag, event_ids } of this.#batches) {
      by_tag[tag] = [...(by_tag[tag] ?? []), ...event_ids];
    }
    return by_tag;
  }

  #newBatch(tag: string, events: number): Batch {
    const event_ids = Array.from({ length: events }, () => this.#next_id++);
    const batch = { id: this.#next_id++, tag, event_ids };
    this.#batches.push(batch);
    return batch;
  }

  #appendLarge(records: number, filler_bytes: number): Promise<void> {
    const batch = this.#newBatch('large', records);
    async function* each(): AsyncGenerator<LargeRecord> {
      for (const id of batch.event_ids) yield largeRecord('large', [id], filler_bytes);
    }
    const entries = [{ space: SPACE, entry: entryOf(batch) }];
    return this.journal.appendLarge(each(), entries);
  }

  async #begin(during: 'commit' | 'save' | 'large'): Promise<void> {
    if (during === 'large') return this.#appendLarge(3, 500);
    if (during === 'save') {
      const cursor = await this.journal.cursor('out', { start: 'oldest' });
      const seq = this.#placeAt(1, cursor.seq);
      this.#cursor_seqs = [cursor.seq, seq];
      return cursor.save(seq, Buffer.alloc(100));
    }
    this.append(0, 3, 300, 0);
    return committed(this.journal);
  }

  #placeAt(progress: number, from_seq: number): number {
    const end_seq = this.journal.durable_seq + 1;
    return from_seq + Math.floor(progress * (end_seq - from_seq));
  }
}

function entryOf({ id }: Batch): Buffer {
  const entry = Buffer.alloc(4);
  entry.writeUInt32LE(id, 0);
  return entry;
}

function same(found: readonly number[], expected: readonly number[], what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(
      `${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
    );
  }
}

async function play(sizes: Sizes, steps: readonly Step[]): Promise<void> {
  const dir = await tempDir('model');
  const run = new Run(dir.path, sizes);
  try {
    await run.open();
    for (const step of steps) await run.take(step);
    await run.take({ do: 'reopen' });
  } finally {
    await run.close();
    await dir.remove();
  }
}

describe('the journal behaves as its model', () => {
  const histories = fc.tuple(sizes, fc.array(step, { minLength: 1, maxLength: 25 }));

  // A seed that fails is kept here, with what it found.
  const SEEDS: readonly (readonly [number, string])[] = [
    [1, 'fixed, nothing found yet'],
    [20_251_123, 'fixed, nothing found yet'],
  ];
  for (const [seed, found] of SEEDS) {
    it(`with seed ${seed}: ${found}`, { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(histories, ([sizes, steps]) => play(sizes, steps)),
        { seed, numRuns: 12, endOnFailure: false },
      );
    });
  }

  it('with a seed of its own on every run', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(histories, ([sizes, steps]) => play(sizes, steps)),
      { numRuns: 12, endOnFailure: false },
    );
  });
});
