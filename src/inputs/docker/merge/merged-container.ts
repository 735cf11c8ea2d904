import type { JournalWriter } from '../../../journal/types.ts';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Log } from '../../../sys/log.ts';
import {
  type LineFormat,
  type LogLine,
  type LogPlace,
  type LogReader,
  type LogStart,
  SOURCE,
  type Source,
} from '../../logfile/types.ts';
import { CACHE_WALK_TIMES, CacheWalk, type CacheWalkTimes } from './cache-walk.ts';
import { MergeCore } from './merge-core.ts';
import { MERGE_SPACE, type MergeState } from './merge-states.ts';
import { recall, recallOwed } from './recall.ts';

/** What became of a container's lines, since the start. */
export interface MergeFigures {
  /** Journaled, from the stream and from the cache. */
  readonly lines: number;
  /** From the cache: the stream had not shown them. */
  readonly recovered: number;
  /** Brought by the stream when the journal had them from the cache. */
  readonly dropped_doubled: number;
  /** Journaled behind lines that were written after them. */
  readonly late: number;
  /** Left out although another line of the same key might have been meant. */
  readonly ambiguous: number;
  /** The first lines of a connection that went on without their place in the cache being found. */
  readonly unanchored: number;
  /** Journaled stream lines that the cache never showed. */
  readonly uncached: number;
  /** Entries of the cache that could not be read. */
  readonly torn: number;
}

export interface MergedContainerDeps {
  readonly journal: JournalWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly open: (from: LogStart) => Promise<LogReader>;
  readonly format: LineFormat;
  /** Journals a line as the driver would have sent it. */
  readonly store: (line: LogLine) => void;
  /** A line of the cache was the stream's, too. */
  readonly matched: (line: LogLine) => void;
  readonly times?: CacheWalkTimes;
}

/** How long the cache must stand still before it is taken to have shown all that it has. */
const SETTLE_MS = 300;

/** The cache of a container that has ended is read long before. */
const READ_MAX_MS = 600_000;

/**
 * One fluentd container: its connections, one after the other, and its cache, merged
 * into the journal (DESIGN 7).
 *
 *     connection ──► judge ──► journal ──► ahead ─┐
 *                                                 ├─ match
 *     cache ───────► CacheWalk ──► journal ──► owed ─┘
 *
 * Invariants:
 * - at most one connection is judged at a time: the others wait for its end
 * - what was judged is written down in the commit of its events: whoever judges calls
 *   `note` before anything is awaited
 */
export class MergedContainer {
  readonly id: string;
  readonly #figures = {
    lines: 0,
    recovered: 0,
    dropped_doubled: 0,
    ambiguous: 0,
    unanchored: 0,
    uncached: 0,
  };
  readonly #deps: MergedContainerDeps;
  readonly #core: MergeCore;
  readonly #walk: CacheWalk;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  /** The end of the connection that came last. */
  #turn: Promise<void> = Promise.resolve();
  #connections_open = 0;
  /** The end of the last search. */
  #searching: Promise<unknown> = Promise.resolve();

  private constructor(id: string, core: MergeCore, reader: LogReader, deps: MergedContainerDeps) {
    this.id = id;
    this.#deps = deps;
    this.#core = core;
    const { journal, clock, log, format, matched, times = CACHE_WALK_TIMES } = deps;
    this.#walk = new CacheWalk(reader, core, {
      journal,
      clock,
      log,
      times,
      format,
      reopen: deps.open,
      isStreaming: () => this.#connections_open > 0,
      recover: (line) => this.#recover(line),
      matched,
      note: () => this.note(),
    });
    this.#running = this.#walk.run(this.#stopped.signal);
  }

  /**
   * Begins where `state` says, else at `start`, and follows the cache from there. Where it
   * began is written down: a restart before the first line must not begin later.
   *
   * @param sub_second the driver sends times with nanoseconds
   */
  static async open(
    id: string,
    state: MergeState | undefined,
    start: 'oldest' | 'newest',
    sub_second: boolean,
    deps: MergedContainerDeps,
  ): Promise<MergedContainer> {
    const reader = await deps.open(state?.journaled ?? start);
    const core = new MergeCore(id, state, reader.place, sub_second);
    if (state === undefined) core.moveTo(reader.place);
    const merged = new MergedContainer(id, core, reader, deps);
    merged.note();
    return merged;
  }

  get figures(): MergeFigures {
    const late =
      this.#core.lane(SOURCE.stdout).late_count + this.#core.lane(SOURCE.stderr).late_count;
    return { ...this.#figures, late, torn: this.#walk.torn_count };
  }

  /**
   * Waits for the end of the connections before this one; not for ever, since a
   * container must not be blocked by a connection that nobody closes. Returns what
   * ends the turn; call it once.
   */
  async connect(): Promise<() => void> {
    const before = this.#turn;
    let end: () => void = () => {};
    this.#turn = new Promise((resolve) => {
      end = resolve;
    });
    this.#connections_open++;
    await this.#patiently(before);
    return () => {
      this.#connections_open--;
      this.#walk.hurry();
      end();
    };
  }

  /** Judges a line of a connection whose place is found: true to store it; undefined: only `search` can tell. */
  judge(source: Source, key: number): boolean | undefined {
    const lane = this.#core.lane(source);
    if (lane.isFull) return undefined;
    const verdict = lane.stream(key);
    if (verdict === 'unknown') return undefined;
    if (verdict === 'journal') return this.#journaled();
    return this.#resent(source, key);
  }

  /**
   * Finds the place of a connection's first line, or of one that `judge` cannot place:
   * the cache is read as far as it goes. The function that it returns judges the line;
   * call it when the line can be stored in the same go.
   *
   * @param waits the line can wait for the cache to stand still: its driver does not wait for us
   */
  search(source: Source, key: number, waits: boolean): Promise<() => boolean> {
    // Two at once, after patience with a connection has ended, would recall the same lines twice.
    const search = this.#searchAfter(this.#searching, source, key, waits);
    this.#searching = search.catch(() => {});
    return search;
  }

  async #searchAfter(
    before: Promise<unknown>,
    source: Source,
    key: number,
    waits: boolean,
  ): Promise<() => boolean> {
    await before;
    return this.#search(source, key, waits);
  }

  async #search(source: Source, key: number, waits: boolean): Promise<() => boolean> {
    const lane = this.#core.lane(source);
    await this.#whileFrozen(() => recallOwed(this.#core, source, this.#deps));
    const settle_ms = waits && this.#core.journaled.offset > 0 ? SETTLE_MS : 0;
    const is_settled = await this.#walk.caughtUp(settle_ms, LIMITS.merge_hold_max_ms, () =>
      lane.owes(key),
    );
    const { found, thaw } = await this.#findFrozen(source, key);
    return () => {
      thaw();
      if (!is_settled) this.#figures.unanchored++;
      if (lane.isFull) this.#figures.uncached += lane.giveUpAhead();
      const verdict = lane.streamFrom(key, found);
      return verdict === 'journal' ? this.#journaled() : this.#resent(source, key);
    };
  }

  /** Puts what was judged into the commit that is filling. */
  note(): void {
    const entry = this.#core.takeEntry();
    if (entry !== undefined) this.#deps.journal.note(MERGE_SPACE, entry);
  }

  /** Reads what the cache has now, to its end or for at most `deadline_ms`. */
  async catchUp(deadline_ms: number): Promise<void> {
    await this.#walk.caughtUp(0, deadline_ms, () => false);
  }

  /** Resolves with true once its connections have ended, and all that its cache has then was read. */
  async readToEnd(): Promise<boolean> {
    await this.#patiently(this.#turn);
    if (this.#stopped.signal.aborted) return false;
    return this.#walk.caughtUp(0, READ_MAX_MS, () => false);
  }

  get is_connected(): boolean {
    return this.#connections_open > 0;
  }

  /** What is kept to compare further lines with. */
  get kept_lines(): number {
    return this.#core.lane(SOURCE.stdout).kept_count + this.#core.lane(SOURCE.stderr).kept_count;
  }

  /**
   * The container is gone: resolves once its cache is read to the end. Connections are still
   * judged, by what is in memory.
   */
  async finish(): Promise<void> {
    this.#walk.finish();
    await this.#running;
    await this.#walk.close();
    this.#core.lane(SOURCE.stdout).settle();
    this.#core.lane(SOURCE.stderr).settle();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await this.#walk.close();
  }

  async #whileFrozen(task: () => Promise<void>): Promise<void> {
    const thaw = this.#walk.freeze();
    try {
      await task();
    } finally {
      thaw();
    }
  }

  /** What is found holds until `thaw` is called. */
  async #findFrozen(
    source: Source,
    key: number,
  ): Promise<{ found: LogPlace | undefined; thaw: () => void }> {
    const thaw = this.#walk.freeze();
    try {
      return { found: await recall(this.#core, source, key, this.#deps), thaw };
    } catch (error) {
      thaw();
      throw error;
    }
  }

  async #patiently(turn: Promise<void>): Promise<void> {
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#deps.clock.after(LIMITS.merge_turn_max_ms, resolve);
    });
    await Promise.race([turn, patience]);
    cancel();
  }

  #journaled(): true {
    this.#figures.lines++;
    this.#walk.streamed();
    return true;
  }

  #resent(source: Source, key: number): false {
    this.#figures.dropped_doubled++;
    if (this.#core.lane(source).owes(key)) this.#figures.ambiguous++;
    return false;
  }

  #recover(line: LogLine): void {
    this.#deps.store(line);
    this.#figures.lines++;
    this.#figures.recovered++;
  }
}
