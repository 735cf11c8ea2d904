import { messageOf } from '../../../errors.ts';
import type { JournalWriter } from '../../../journal/types.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Log } from '../../../sys/log.ts';
import { Nap } from '../../../sys/nap.ts';
import { RateLimitedLog } from '../../../sys/rate-limited-log.ts';
import {
  createLogLine,
  type LineFormat,
  type LogBatch,
  type LogLine,
  type LogPlace,
  type LogReader,
} from '../../logfile/types.ts';
import { whenWritable } from '../../when-writable.ts';
import type { MergeCore } from './merge-core.ts';

export interface CacheWalkTimes {
  /** Between looks at a cache that grows, or whose container streams. */
  readonly busy_poll_ms: number;
  /** Between looks at one that has stood still for long. */
  readonly idle_poll_ms: number;
  /** While a stream line waits for the cache. */
  readonly urgent_poll_ms: number;
  /** How long a line of the cache waits for the stream to show it first, while a connection lives. */
  readonly grace_ms: number;
}

export const CACHE_WALK_TIMES: CacheWalkTimes = {
  busy_poll_ms: 100,
  idle_poll_ms: 1000,
  urgent_poll_ms: 20,
  grace_ms: 250,
};

/** What is read from the cache at once, and journaled in one commit. */
const BATCH_MAX_BYTES = 128 * 1024;
/** What is tried again and again is said once a minute. */
const SAID = { lines_max: 1, interval_ms: 60_000 };

export interface CacheWalkDeps {
  readonly journal: JournalWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: CacheWalkTimes;
  readonly format: LineFormat;
  /** Reads on from a place, after a line could not be journaled. */
  readonly reopen: (from: LogPlace) => Promise<LogReader>;
  /** A connection of the container lives. */
  readonly isStreaming: () => boolean;
  /** Journals a line that the stream has not shown. */
  readonly recover: (line: LogLine) => void;
  /** Takes note of one that it has. */
  readonly matched: (line: LogLine) => void;
  /** Writes down what was judged, in the commit of what was journaled. */
  readonly note: () => void;
}

/** Somebody who waits until the cache has shown what it has. */
interface Watcher {
  readonly asked_ms: number;
  /** Looks that had begun when it asked: what they find says nothing of what came since. */
  readonly looks_before: number;
  readonly settle_ms: number;
  readonly isEnough: () => boolean;
  readonly resolve: (is_settled: boolean) => void;
  /** Its deadline. */
  cancel?: () => void;
}

/**
 * Reads the cache of one container to its end, and on as it grows: each line that the
 * stream has shown is matched, each other one is journaled.
 *
 * While a connection lives, a line that the stream has not shown gets a moment's
 * grace: the stream is the speed. Without one, or while a stream line is held back to
 * find its place, there is nothing to wait for.
 *
 * Invariant: a line is judged, journaled and written down as such without a pause in
 * between, so all of it is in one commit.
 */
export class CacheWalk {
  #reader: LogReader;
  /** The reader is beyond what was journaled. */
  #is_beyond = false;
  #is_finishing = false;
  readonly #core: MergeCore;
  readonly #deps: CacheWalkDeps;
  readonly #line = createLogLine();
  readonly #nap: Nap;
  readonly #trouble: RateLimitedLog;
  readonly #watchers = new Set<Watcher>();
  /** Since when every look found nothing new; undefined: the last one found something. */
  #still_since_ms: number | undefined;
  /** Looks at the cache that have begun. */
  #looks_count = 0;
  /** When the last one did: what it found says nothing of the time since. */
  #look_began_ms = 0;
  #in_grace = false;
  /** So many want no line to be judged for now. */
  #freezes_count = 0;
  #is_over = false;
  torn_count = 0;

  constructor(reader: LogReader, core: MergeCore, deps: CacheWalkDeps) {
    this.#reader = reader;
    this.#core = core;
    this.#deps = deps;
    this.#nap = new Nap(deps.clock);
    this.#trouble = new RateLimitedLog(deps.log, deps.clock, SAID);
  }

  /** Runs until `signal` aborts, or the cache has ended; then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#nap.wake();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted && !this.#reader.ended) await this.#attempt(signal);
    } finally {
      this.#is_over = true;
      signal.removeEventListener('abort', stop);
      for (const watcher of [...this.#watchers]) this.#dismiss(watcher, this.#reader.ended);
    }
  }

  /** Nothing will be added to the cache: `run` ends once it is read. */
  finish(): void {
    this.#is_finishing = true;
    this.#reader.finish();
    this.#nap.wake();
  }

  /** Lets go of all files; after `run`. */
  close(): Promise<void> {
    return this.#reader.close();
  }

  /** The stream has shown a line: perhaps the one that is waited for. */
  streamed(): void {
    if (this.#in_grace) this.#nap.wake();
  }

  /** Look now. */
  hurry(): void {
    this.#nap.wake();
  }

  /** No line is judged until the returned function is called. */
  freeze(): () => void {
    this.#freezes_count++;
    return () => {
      this.#freezes_count--;
      this.#nap.wake();
    };
  }

  /**
   * Resolves once the cache has been read to its end and has not grown for `settle_ms`,
   * or `isEnough`; or, with false, after `deadline_ms`.
   */
  caughtUp(settle_ms: number, deadline_ms: number, isEnough: () => boolean): Promise<boolean> {
    if (this.#is_over || isEnough()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const asked_ms = this.#deps.clock.monotonic_ms();
      const looks_before = this.#looks_count;
      const watcher: Watcher = { asked_ms, looks_before, settle_ms, isEnough, resolve };
      this.#watchers.add(watcher);
      watcher.cancel = this.#deps.clock.after(deadline_ms, () => this.#dismiss(watcher, false));
      this.#nap.wake();
    });
  }

  /** What fails is tried again, from the last line that was journaled. */
  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      if (this.#is_beyond) await this.#goBack();
      await this.#step(signal);
    } catch (error) {
      this.#is_beyond = true;
      const message = 'the lines of a cache could not be journaled; they are read again';
      this.#trouble.error('journal', { error: messageOf(error) }, message);
      if (!signal.aborted) await this.#nap.take(this.#deps.times.idle_poll_ms);
    }
  }

  async #goBack(): Promise<void> {
    await this.#reader.close();
    this.#reader = await this.#deps.reopen(this.#core.journaled);
    if (this.#is_finishing) this.#reader.finish();
    this.#is_beyond = false;
  }

  async #step(signal: AbortSignal): Promise<void> {
    const batch = await this.#read();
    if (batch === 'failed') return;
    if (batch === undefined) {
      this.#foundNothing();
      const has_ended = signal.aborted || this.#reader.ended;
      if (!has_ended) await this.#nap.take(this.#pollInterval());
      return;
    }
    this.#still_since_ms = undefined;
    await this.#walk(batch, signal);
    this.#satisfy((watcher) => watcher.isEnough());
  }

  /** What the machine lacks for now is tried again; it says nothing about what the cache has. */
  async #read(): Promise<LogBatch | 'failed' | undefined> {
    this.#looks_count++;
    this.#look_began_ms = this.#deps.clock.monotonic_ms();
    try {
      return await this.#reader.read(BATCH_MAX_BYTES);
    } catch (error) {
      const message = 'a cache cannot be read; it is tried again';
      this.#trouble.warn('cache', { error: messageOf(error) }, message);
      await this.#nap.take(this.#deps.times.idle_poll_ms);
      return 'failed';
    }
  }

  async #walk(batch: LogBatch, signal: AbortSignal): Promise<void> {
    let index = 0;
    let is_overdue = false;
    while (!signal.aborted) {
      await this.#thaw(signal);
      await whenWritable(this.#deps.journal, signal);
      if (!signal.aborted && this.#freezes_count === 0) {
        index = this.#judge(batch, index, is_overdue);
      }
      if (index === batch.count) return;
      is_overdue = await this.#grace(batch, index, signal);
    }
  }

  async #thaw(signal: AbortSignal): Promise<void> {
    while (this.#freezes_count > 0 && !signal.aborted) {
      await this.#nap.take(this.#deps.times.busy_poll_ms);
    }
  }

  /**
   * Judges the lines from `from` on, up to one that deserves grace, and returns the
   * index of that one. `is_overdue`: all have had it, since they were read together.
   */
  #judge(batch: LogBatch, from: number, is_overdue: boolean): number {
    const { format, recover, matched, note } = this.#deps;
    const core = this.#core;
    const line = this.#line;
    let index = from;
    try {
      for (; index < batch.count; index++) {
        if (!format.parse(batch.buf, batch.start(index), batch.end(index), line)) {
          this.torn_count++;
          continue;
        }
        const lane = core.lane(line.source);
        const key = core.keyOf(line);
        if (lane.match(key)) {
          matched(line);
          continue;
        }
        if (!is_overdue && this.#deservesGrace()) break;
        recover(line);
        const before = index === 0 ? core.journaled : batch.placeAfter(index - 1);
        lane.owe(key, before, batch.placeAfter(index));
      }
    } finally {
      if (index > from) core.moveTo(batch.placeAfter(index - 1));
      note();
    }
    return index;
  }

  #deservesGrace(): boolean {
    return this.#watchers.size === 0 && this.#deps.isStreaming();
  }

  /** Waits until the stream shows the line, or need not be waited for. True: it did not in time. */
  async #grace(batch: LogBatch, index: number, signal: AbortSignal): Promise<boolean> {
    const { clock, times } = this.#deps;
    const end_ms = clock.monotonic_ms() + times.grace_ms;
    this.#in_grace = true;
    let left_ms = times.grace_ms;
    while (left_ms > 0 && !signal.aborted && this.#deservesGrace()) {
      if (this.#isExpected(batch, index)) break;
      await this.#nap.take(left_ms);
      left_ms = end_ms - clock.monotonic_ms();
    }
    this.#in_grace = false;
    return left_ms <= 0;
  }

  #isExpected(batch: LogBatch, index: number): boolean {
    const { format } = this.#deps;
    const line = this.#line;
    const core = this.#core;
    return (
      format.parse(batch.buf, batch.start(index), batch.end(index), line) &&
      core.lane(line.source).expects(core.keyOf(line))
    );
  }

  #foundNothing(): void {
    const began_ms = this.#look_began_ms;
    const since_ms = this.#still_since_ms ?? began_ms;
    this.#still_since_ms = since_ms;
    this.#satisfy(({ asked_ms, looks_before, settle_ms, isEnough }) => {
      if (isEnough()) return true;
      return (
        this.#looks_count > looks_before && began_ms - Math.max(asked_ms, since_ms) >= settle_ms
      );
    });
  }

  #pollInterval(): number {
    const { clock, times, isStreaming } = this.#deps;
    if (this.#watchers.size > 0) return times.urgent_poll_ms;
    if (isStreaming()) return times.busy_poll_ms;
    const still_ms = clock.monotonic_ms() - (this.#still_since_ms ?? 0);
    return Math.min(Math.max(still_ms, times.busy_poll_ms), times.idle_poll_ms);
  }

  #satisfy(isDone: (watcher: Watcher) => boolean): void {
    for (const watcher of [...this.#watchers]) if (isDone(watcher)) this.#dismiss(watcher, true);
  }

  #dismiss(watcher: Watcher, is_settled: boolean): void {
    if (!this.#watchers.delete(watcher)) return;
    watcher.cancel?.();
    watcher.resolve(is_settled);
  }
}
