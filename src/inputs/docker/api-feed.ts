import { messageOf } from '../../errors.ts';
import type { JournalWriter } from '../../journal/types.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { POSITION_SPACE, type Positions } from '../logfile/positions.ts';
import type { LogLine } from '../logfile/types.ts';
import { whenWritable } from '../when-writable.ts';
import { ApiLogSource } from './api/api-log-source.ts';
import type { EngineApi } from './api/engine-api.ts';
import { API_PLACE_BYTES } from './api/place-codec.ts';
import type { LogFeedFigures } from './log-feed.ts';
import { DriverEvents, type LineIdentity } from './records/driver-events.ts';

export interface ApiFeedDeps {
  readonly journal: JournalWriter;
  readonly positions: Positions;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ApiFeedOptions extends LineIdentity {
  readonly api: EngineApi;
  readonly container_id: string;
  readonly tty: boolean;
  /** What its position is kept under. */
  readonly key: string;
  /** Where it begins if it has no position. */
  readonly start_at: 'newest' | 'oldest';
  readonly isRunning: () => boolean;
  /** Lines are missing, or may be. */
  readonly onLoss: (reason: string) => void;
}

/** The API tells no offsets: entries are told apart by their times. */
const NO_OFFSET = 0;

/**
 * One container's log on its way into the journal through the Engine API, as `LogFeed`
 * brings one from its files.
 *
 * Invariant: lines are journaled and the place behind them noted in one go and so in one
 * commit.
 */
export class ApiFeed {
  readonly figures: LogFeedFigures = { lines: 0, torn: 0 };
  readonly #options: ApiFeedOptions;
  readonly #deps: ApiFeedDeps;
  readonly #events: DriverEvents;
  readonly #stopped = new AbortController();
  #source: ApiLogSource | undefined;
  #running: Promise<void> = Promise.resolve();
  #has_ended = false;
  /** Those who wait until all is read that an ended container has written. */
  readonly #askers: ((is_read: boolean) => void)[] = [];

  constructor(options: ApiFeedOptions, deps: ApiFeedDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#events = new DriverEvents(deps.journal, options, 'same_time');
  }

  /** Begins to read, and goes on as the log grows. */
  start(): void {
    const { key, start_at, ...options } = this.#options;
    const { partials } = this.#events;
    const position = this.#deps.positions.get(key);
    if (position !== undefined) partials.decode(position.subarray(API_PLACE_BYTES));
    const source = new ApiLogSource({
      ...options,
      ...this.#deps,
      from: position?.subarray(0, API_PLACE_BYTES) ?? start_at,
      consumer: {
        line: (line) => this.#take(line),
        position: (place) => this.#note(place),
        complete: () => this.#tellAskers(true),
      },
    });
    this.#source = source;
    // Else what is written while logboom is away would be taken for old at the next start.
    if (position === undefined) this.#notePlace(source.place);
    this.#running = this.#run(source);
  }

  /** The container may have begun to run again, or has ended. */
  nudge(): void {
    this.#source?.wake();
  }

  /** Of one that has ended: resolves with true once all that it wrote was read. */
  readToEnd(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#has_ended) resolve(false);
      else this.#askers.push(resolve);
      this.nudge();
    });
  }

  /** The container is gone: resolves once that is seen. */
  async finish(): Promise<void> {
    this.nudge();
    await this.#running;
  }

  /** At once; the rest is for the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Never rejects. */
  async #run(source: ApiLogSource): Promise<void> {
    const { onLoss, container_id } = this.#options;
    try {
      const end = await source.run(this.#stopped.signal);
      if (end === 'unreadable') onLoss('its log driver keeps nothing that the Engine can read');
      if (end === 'removed' && !source.is_complete) {
        onLoss('removed before its last lines could be read through the Engine API');
      }
    } catch (error) {
      const fields = { container: container_id, error: messageOf(error) };
      this.#deps.log.error(fields, 'the log of a container is not read any more');
    } finally {
      this.#has_ended = true;
      this.#tellAskers(false);
    }
  }

  #tellAskers(is_read: boolean): void {
    for (const tell of this.#askers.splice(0)) tell(is_read);
  }

  #take(line: LogLine): void {
    this.#events.write(line, NO_OFFSET);
    this.figures.lines++;
  }

  /** Also waits until the journal takes more. */
  #note(place: Buffer): Promise<void> | undefined {
    const { journal } = this.#deps;
    this.#notePlace(place);
    this.#events.rest();
    this.#events.refresh();
    return journal.writable ? undefined : whenWritable(journal, this.#stopped.signal);
  }

  #notePlace(place: Buffer): void {
    const { journal, positions, clock } = this.#deps;
    const { partials } = this.#events;
    const value = partials.has_open_line ? Buffer.concat([place, partials.encode()]) : place;
    const now_s = Math.floor(clock.now_ms() / 1000);
    journal.note(POSITION_SPACE, positions.entry(this.#options.key, value, now_s));
  }
}
