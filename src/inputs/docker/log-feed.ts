import { messageOf } from '../../errors.ts';
import type { JournalWriter } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
import { CODEC } from '../../protocol/codec.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import type { PolledLog, Poller } from '../logfile/follow/poller.ts';
import { decodePlace, encodePlace, PLACE_BYTES } from '../logfile/position-entry.ts';
import { POSITION_SPACE, type Positions } from '../logfile/positions.ts';
import {
  createLogLine,
  type LineFormat,
  type LogBatch,
  type LogReader,
  type LogStart,
} from '../logfile/types.ts';
import { whenWritable } from '../when-writable.ts';
import { DriverRecord } from './records/driver-record.ts';
import { type JoinRule, PartialTracker } from './records/partials.ts';
import type { Identity } from './types.ts';

export interface LogFeedDeps {
  readonly journal: JournalWriter;
  readonly positions: Positions;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LogFeedOptions {
  /** What its position is kept under. */
  readonly key: string;
  readonly format: LineFormat;
  readonly open: (from: LogStart) => Promise<LogReader>;
  /** Where it begins if it has no position. */
  readonly start_at: 'newest' | 'oldest';
  /** As its lines go out from now on. */
  readonly identity: () => Identity;
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
  readonly #partials: PartialTracker;
  readonly #line = createLogLine();
  readonly #stopped = new AbortController();
  #reader: LogReader | undefined;
  #identity: Identity;
  #record: DriverRecord;
  #tag: Buffer;
  #polled: PolledLog | undefined;
  #is_finishing = false;
  #tellEnd: () => void = () => {};

  constructor(options: LogFeedOptions, deps: LogFeedDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#identity = options.identity();
    this.#record = new DriverRecord(this.#identity);
    this.#tag = Buffer.from(this.#identity.tag);
    this.#partials = new PartialTracker(
      this.#identity.container_id,
      JOIN_RULES[options.format.name],
    );
  }

  /** Begins to read, and goes on as the log grows. */
  start(): void {
    const { poller, log } = this.#deps;
    const { key } = this.#options;
    this.#polled = poller.add(
      () => this.#look(),
      (error) =>
        log.warn({ log: key, error: messageOf(error) }, 'a log cannot be read; it is tried again'),
    );
  }

  /** Nothing will be written any more: resolves once what is left has been read. */
  async finish(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#tellEnd = resolve;
    });
    this.#is_finishing = true;
    this.#reader?.finish();
    this.#polled?.nudge();
    await ended;
    await this.stop();
  }

  /** At once; the rest is for the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#tellEnd();
    await this.#polled?.remove();
    await this.#reader?.close();
    this.#reader = undefined;
  }

  /** Everything that is there now; true if there was something. */
  async #look(): Promise<boolean> {
    const { signal } = this.#stopped;
    const reader = await this.#open();
    let had_news = false;
    while (!signal.aborted) {
      await whenWritable(this.#deps.journal, signal);
      if (signal.aborted) break;
      const batch = await reader.read(LIMITS.log_read_max_bytes);
      if (batch === undefined) break;
      this.#take(batch);
      had_news = true;
    }
    if (reader.ended) this.#tellEnd();
    return had_news;
  }

  async #open(): Promise<LogReader> {
    if (this.#reader !== undefined) return this.#reader;
    const { key, open, start_at } = this.#options;
    const position = this.#deps.positions.get(key);
    if (position === undefined) {
      this.#reader = await open(start_at);
    } else {
      this.#partials.decode(position.subarray(PLACE_BYTES));
      this.#reader = await open(decodePlace(position));
    }
    if (this.#is_finishing) this.#reader.finish();
    return this.#reader;
  }

  #take(batch: LogBatch): void {
    const { journal } = this.#deps;
    this.#takeIdentity();
    const record = this.#record;
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
      this.#partials.complete(line, base + start);
      record.write(line, journal.builder(this.#tag, 0, this.#tag.length, CODEC.none, 0));
      this.figures.lines++;
    }
    this.#note(batch);
  }

  #note(batch: LogBatch): void {
    const { journal, positions, clock } = this.#deps;
    const place = encodePlace(batch.placeAfter(batch.count - 1));
    const value = this.#partials.has_open_line
      ? Buffer.concat([place, this.#partials.encode()])
      : place;
    const now_s = Math.floor(clock.now_ms() / 1000);
    journal.note(POSITION_SPACE, positions.entry(this.#options.key, value, now_s));
  }

  #takeIdentity(): void {
    const identity = this.#options.identity();
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#record = new DriverRecord(identity);
    this.#tag = Buffer.from(identity.tag);
  }
}
