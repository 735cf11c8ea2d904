import { messageOf } from '../../errors.ts';
import type { JournalWriter } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import type { PolledLog, Poller } from '../logfile/follow/poller.ts';
import { decodePlace, encodePlace, PLACE_BYTES } from '../logfile/position-entry.ts';
import { POSITION_SPACE, type Positions } from '../logfile/positions.ts';
import {
  createLogLine,
  type LineFormat,
  type LogBatch,
  type LogPlace,
  type LogReader,
  type LogStart,
} from '../logfile/types.ts';
import { DriverEvents, type LineIdentity } from './records/driver-events.ts';
import type { JoinRule } from './records/partials.ts';

export interface LogFeedDeps {
  readonly journal: JournalWriter;
  readonly positions: Positions;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LogFeedOptions extends LineIdentity {
  /** What its position is kept under. */
  readonly key: string;
  readonly format: LineFormat;
  readonly open: (from: LogStart) => Promise<LogReader>;
  /** Where it begins if it has no position. */
  readonly start_at: 'newest' | 'oldest';
}

export interface LogFeedFigures {
  /** Lines that were journaled. */
  lines: number;
  /** Entries that could not be read, in whole or in part. */
  torn: number;
}

/** How an entry shows that it goes on with the line before it (formats.md 4.1, 7.1). */
const JOIN_RULES: Readonly<Record<LineFormat['name'], JoinRule>> = {
  'json-file': 'same_time',
  local: 'same_time',
  cri: 'same_source',
};

const NOTHING = Buffer.alloc(0);

/**
 * One log on its way into the journal: each line becomes the event that the fluentd
 * driver would have sent.
 *
 * Invariant: a batch of lines is journaled, and the place behind it noted, in one go and
 * so in one commit. After a crash the log is read on from the last place that is durable:
 * every line is in the journal exactly once (G3).
 */
export class LogFeed {
  readonly figures: LogFeedFigures = { lines: 0, torn: 0 };
  readonly #options: LogFeedOptions;
  readonly #deps: LogFeedDeps;
  readonly #events: DriverEvents;
  readonly #line = createLogLine();
  /** The position that was noted last; `positions` show it once it is durable. */
  #noted: Buffer | undefined;
  readonly #stopped = new AbortController();
  #reader: LogReader | undefined;
  #polled: PolledLog | undefined;
  #is_finishing = false;
  #tellEnd: () => void = () => {};
  /** Those who wait until all is read that is there. */
  readonly #askers: ((is_read: boolean) => void)[] = [];

  constructor(options: LogFeedOptions, deps: LogFeedDeps) {
    this.#options = options;
    this.#deps = deps;
    const rule = JOIN_RULES[options.format.name];
    this.#events = new DriverEvents(deps.journal, options, rule);
  }

  get format(): LineFormat['name'] {
    return this.#options.format.name;
  }

  /** Begins to read, and goes on as the log grows. */
  start(): void {
    const { poller, log, clock } = this.#deps;
    const { key: name } = this.#options;
    const limited = new RateLimitedLog(log, clock, { lines_max: 1, interval_ms: 60_000 });
    this.#polled = poller.add(
      () => (this.#standsStill() ? false : this.#look()),
      (error) => {
        if (this.#stopped.signal.aborted) return;
        const fields = { log: name, error: messageOf(error) };
        limited.warn('unreadable', fields, 'a log cannot be read; it is tried again');
      },
    );
  }

  /** Looks soon: something hints at news. */
  nudge(): void {
    this.#polled?.nudge();
  }

  /** Resolves with true once all that is there now was read; false: that is for the next start. */
  readToEnd(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#stopped.signal.aborted) resolve(false);
      else this.#askers.push(resolve);
      this.nudge();
    });
  }

  /** Nothing will be written any more: resolves once what is left has been read. */
  async finish(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#tellEnd = resolve;
    });
    this.#is_finishing = true;
    this.#reader?.finish();
    this.nudge();
    await ended;
    await this.stop();
  }

  /** At once; the rest is for the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#tellEnd();
    for (const tell of this.#askers.splice(0)) tell(false);
    await this.#polled?.remove();
    await this.#reader?.close();
    this.#reader = undefined;
  }

  /** Nothing is new, and nobody waits to be told so. */
  #standsStill(): boolean {
    return this.#askers.length === 0 && this.#reader?.standsStill() === true;
  }

  /** Everything that is there now; true if there was something. */
  async #look(): Promise<boolean> {
    const { signal } = this.#stopped;
    const asked_before = this.#askers.length;
    const reader = await this.#open();
    let had_news = false;
    // A full journal must not keep others from their look: a log that is not open is lost when it is removed.
    while (!signal.aborted && this.#deps.journal.writable) {
      // It may throw, and nothing is read yet.
      this.#events.refresh();
      const batch = await reader.read(LIMITS.log_read_max_bytes);
      if (batch === undefined) {
        for (const tell of this.#askers.splice(0, asked_before)) tell(true);
        break;
      }
      await this.#takeOrReturn(batch);
      had_news = true;
    }
    // Else each of many logs that are behind would keep what it reads into while the journal is full.
    reader.rest();
    if (reader.ended) this.#tellEnd();
    return had_news;
  }

  async #open(): Promise<LogReader> {
    if (this.#reader !== undefined) return this.#reader;
    const { key, open, start_at } = this.#options;
    const position = this.#noted ?? this.#deps.positions.get(key);
    if (position === undefined) {
      this.#reader = await open(start_at);
      // Else what is written while logboom is away would be taken for old at the next start.
      this.#note(this.#reader.place);
    } else {
      this.#events.partials.decode(position.subarray(PLACE_BYTES));
      this.#reader = await open(decodePlace(position));
    }
    if (this.#is_finishing) this.#reader.finish();
    return this.#reader;
  }

  /** What cannot be journaled is read again from the last place that was noted. */
  async #takeOrReturn(batch: LogBatch): Promise<void> {
    try {
      this.#take(batch);
    } catch (error) {
      const reader = this.#reader;
      this.#reader = undefined;
      await reader?.close();
      throw error;
    }
  }

  #take(batch: LogBatch): void {
    try {
      this.#writeLines(batch);
    } finally {
      this.#events.rest();
      this.#line.buf = NOTHING;
    }
    this.#note(batch.placeAfter(batch.count - 1));
  }

  #writeLines(batch: LogBatch): void {
    const line = this.#line;
    const { format } = this.#options;
    // From the buffer's offsets to the file's.
    const base = batch.placeAfter(0).offset - batch.end(0);
    for (let index = 0; index < batch.count; index++) {
      const start = batch.start(index);
      if (!format.parse(batch.buf, start, batch.end(index), line)) {
        this.figures.torn++;
        continue;
      }
      if (line.torn_bytes > 0) this.figures.torn++;
      this.#events.write(line, base + start);
      this.figures.lines++;
    }
  }

  #note(behind: LogPlace): void {
    const { journal, positions, clock } = this.#deps;
    const { partials } = this.#events;
    const place = encodePlace(behind);
    const value = partials.has_open_line ? Buffer.concat([place, partials.encode()]) : place;
    this.#noted = value;
    const now_s = Math.floor(clock.now_ms() / 1000);
    journal.note(POSITION_SPACE, positions.entry(this.#options.key, value, now_s));
  }
}
