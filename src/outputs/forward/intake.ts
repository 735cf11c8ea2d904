import type { JournalRecord } from '../../journal/types.ts';
import { sleep } from '../../sys/sleep.ts';
import type { OutputSource } from '../output.ts';
import type { Chunk } from './chunk.ts';
import type { ForwardContext } from './context.ts';
import { Loader } from './loader.ts';
import { withoutNeighbours } from './neighbours.ts';
import { rewriteFor } from './options.ts';
import { ChunkPlanner } from './planner.ts';
import { Replay } from './replay.ts';
import { Stragglers } from './stragglers.ts';
import type { RecordedWindow } from './window-format.ts';

/** What may be recorded for one batch and for all, so that a cursor's slot of 256 KiB holds it beside the places of held fragments. */
const BATCH_PLAN_MAX_BYTES = 64 * 1024;
const PLAN_MAX_BYTES = 2 * BATCH_PLAN_MAX_BYTES;

/** While something is in flight, smaller batches wait so long for company. */
const LINGER_MS = 10;

/** A recorded record that does not come within this time is gone from the journal. */
const REPLAY_PATIENCE_MS = 10_000;

export interface IntakeEvents {
  /** Chunks that are recorded and prepared, to be sent; they cover everything up to `end_seq`. */
  planned(chunks: readonly Chunk[], end_seq: number): void;
  /** Resolves when the window or `isDown()` has changed, or when the output stops. */
  changed(): Promise<void>;
  /** No server takes anything at the moment. */
  isDown(): boolean;
}

/**
 * Reads the journal and makes chunks of it: first those that were recorded, then new ones.
 * A chunk is handed on only after the plan that it is part of is durable.
 */
export class Intake {
  readonly #context: ForwardContext;
  readonly #source: OutputSource;
  readonly #events: IntakeEvents;
  readonly #loader: Loader;
  readonly #planner: ChunkPlanner;
  readonly #stragglers: Stragglers;
  #events_read: number | undefined;
  #last_committed_ms: number | undefined;
  #was_full = false;

  constructor(context: ForwardContext, source: OutputSource, events: IntakeEvents) {
    this.#context = context;
    this.#source = source;
    this.#events = events;
    const rewrite = rewriteFor(context.options);
    this.#loader = new Loader(context, rewrite);
    const { chunk_max_bytes, window_max_bytes, windows_in_flight_max } = context.options;
    this.#stragglers = new Stragglers(windows_in_flight_max);
    const limits = { chunk_max_bytes, window_max_bytes, plan_max_bytes: BATCH_PLAN_MAX_BYTES };
    this.#planner = new ChunkPlanner(limits, rewrite, context.ids);
  }

  /** Events in the journal up to the last record that was read; undefined before the first. */
  get events_read(): number | undefined {
    return this.#events_read;
  }

  /** When the last record that was read was committed. */
  get last_committed_ms(): number | undefined {
    return this.#last_committed_ms;
  }

  /** Never ends by itself: rejects when the output stops. */
  async run(recorded: RecordedWindow | undefined): Promise<void> {
    let records = recorded === undefined ? [] : await this.#replay(recorded);
    for (;;) {
      await this.#room();
      if (records.length === 0) records = await this.#readBatch();
      records = await this.#plan(records);
    }
  }

  /** What cannot be sent at the moment is left on the disk, but for the first window. */
  async #room(): Promise<void> {
    const { window, options, stopping } = this.#context;
    const isFull = (): boolean => {
      const windows = this.#events.isDown() ? 1 : options.windows_in_flight_max;
      return window.unsettled_bytes >= options.window_max_bytes * windows;
    };
    while (isFull() || window.recorded_bytes >= PLAN_MAX_BYTES) {
      await this.#events.changed();
      stopping.throwIfAborted();
    }
  }

  /** At once while nothing is in flight; under load a batch that is worth its save. */
  async #readBatch(): Promise<JournalRecord[]> {
    const { window, options, clock, stopping } = this.#context;
    if (window.unsettled_count > 0 && !this.#was_full) await sleep(clock, LINGER_MS, stopping);
    const records = await this.#read(stopping);
    const bytes = records.reduce((sum, record) => sum + record.body_bytes, 0);
    this.#was_full = bytes * 2 >= options.window_max_bytes;
    return records;
  }

  /** As much as a batch may hold, if it is there: the disk gives less at a time. Rejects with nothing read. */
  async #read(signal: AbortSignal): Promise<JournalRecord[]> {
    const { retrier, options } = this.#context;
    const { reader } = this.#source;
    const records: JournalRecord[] = [];
    let left_bytes = options.window_max_bytes;
    while (records.length === 0 || (left_bytes > 0 && reader.has_more)) {
      try {
        const read = await retrier.run('the journal cannot be read', signal, () =>
          reader.read(left_bytes, signal),
        );
        for (const record of read) left_bytes -= record.body_bytes;
        records.push(...read);
      } catch (aborted) {
        // What was read before does not come again.
        if (records.length === 0) throw aborted;
        break;
      }
    }
    const last = records.at(-1);
    if (last !== undefined) {
      this.#events_read = last.events_before + last.count;
      this.#last_committed_ms = last.committed_ms;
    }
    return records;
  }

  /** Plans one batch; returns the records that it had no room for. */
  async #plan(records: readonly JournalRecord[]): Promise<JournalRecord[]> {
    const { window } = this.#context;
    const all_own = withoutNeighbours(records, ({ tag }) => this.#source.matches(tag));
    let taken_count = 0;
    let end_seq = window.end_seq;
    for (const record of records) {
      if (this.#planner.full) break;
      const own = all_own[taken_count++];
      end_seq = record.seq + 1;
      // What the journal has dropped meanwhile it has counted too.
      if (record.seq < window.end_seq) continue;
      if (own === undefined) {
        this.#source.passedOver?.(record);
        continue;
      }
      const plain = this.#loader.plainPiece(own);
      const pieces = plain === undefined ? await this.#loader.pieces(own) : [plain];
      for (const piece of pieces) this.#planner.add(piece);
    }
    await this.#commit(this.#planner.seal(), end_seq);
    return records.slice(taken_count);
  }

  /** Makes a batch durable, then hands it on. */
  async #commit(made: readonly Chunk[], end_seq: number): Promise<void> {
    const { window, saver, stopping } = this.#context;
    const chunks = await this.#loader.prepared(made);
    if (chunks.length === 0) {
      this.#events.planned([], end_seq);
      return;
    }
    this.#stragglers.partFrom(end_seq, window.unsettled());
    const plan = () => ({ end_seq, chunks: [...window.unsettled(), ...chunks] });
    await saver.change({ plan, apply: () => this.#events.planned(chunks, end_seq) }, stopping);
  }

  /** Rebuilds the recorded chunks and hands them on; returns records that lie behind them. */
  async #replay(recorded: RecordedWindow): Promise<JournalRecord[]> {
    const { reader } = this.#source;
    const replay = new Replay(recorded);
    const behind: JournalRecord[] = [];
    let end_seq = reader.next_seq;
    while (end_seq < replay.end_seq) {
      const records = await this.#readPatiently();
      if (records === undefined) break;
      const isOwn = ({ tag, seq }: JournalRecord): boolean =>
        seq >= replay.end_seq || replay.covers(tag, seq).length > 0;
      for (const record of withoutNeighbours(records, isOwn)) {
        if (record === undefined) continue;
        if (record.seq >= replay.end_seq) behind.push(record);
        else await this.#rebuild(record, replay);
      }
      end_seq = Math.min(reader.next_seq, replay.end_seq);
    }
    await this.#commit(replay.finish(this.#context.ids), end_seq);
    return behind;
  }

  async #rebuild(record: JournalRecord, replay: Replay): Promise<void> {
    for (const cover of replay.covers(record.tag, record.seq)) {
      const piece = await this.#loader.covered(record, cover);
      if (piece !== undefined) replay.add(cover, piece);
    }
  }

  /**
   * Undefined when nothing comes: the rest of what was recorded is no longer in the journal. Where
   * the journal has more, and the disk does not give it, nothing has been read.
   */
  async #readPatiently(): Promise<JournalRecord[] | undefined> {
    const { clock, stopping } = this.#context;
    const patience = new AbortController();
    const cancel = clock.after(REPLAY_PATIENCE_MS, () => patience.abort());
    try {
      return await this.#read(AbortSignal.any([patience.signal, stopping]));
    } catch (error) {
      stopping.throwIfAborted();
      if (!patience.signal.aborted) throw error;
      return this.#source.reader.at_end ? undefined : [];
    } finally {
      cancel();
    }
  }
}
