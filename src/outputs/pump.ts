import { messageOf } from '../errors.ts';
import type { JournalRecord } from '../journal/types.ts';
import { LIMITS } from '../limits.ts';
import { Backoff } from '../sys/backoff.ts';
import type { Clock } from '../sys/clock.ts';
import type { Log } from '../sys/log.ts';
import { RateLimitedLog } from '../sys/rate-limited-log.ts';
import { sleep } from '../sys/sleep.ts';
import type { Output, OutputSource, OutputState, OutputStats } from './output.ts';

/** What was read from the journal with one call. */
export interface Stretch {
  /** The records that go to this output, in order. */
  readonly records: readonly JournalRecord[];
  /** Where the cursor stands once they are delivered. */
  readonly next_seq: number;
}

/** So many events, as so many bytes, were delivered for good. */
export type Done = (events: number, bytes: number) => void;

/** The far end of a pump. */
export interface Delivery {
  /**
   * Puts the records where they belong and saves the cursor at `next_seq`: resolves
   * once both are done for good. What the cursor has moved over on the way is told to
   * `done`, so it counts also if the rest fails. After a rejection it is called again
   * with what is then behind the cursor. Rejects when `signal` aborts.
   */
  deliver(stretch: Stretch, done: Done, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
  /** For `OutputStats.details`. */
  details(): Readonly<Record<string, number | string>>;
}

export interface PumpOptions {
  readonly name: string;
  readonly type: string;
  /** While there is no more than a trickle, deliveries begin at most this often. */
  readonly interval_ms: number;
  /** One read from the journal: what is in memory at a time. */
  readonly read_max_bytes: number;
  readonly retry_min_ms: number;
  readonly retry_max_ms: number;
}

export const PUMP_DEFAULTS = {
  read_max_bytes: LIMITS.read_chunk_bytes,
  retry_min_ms: LIMITS.retry_min_ms,
  retry_max_ms: LIMITS.retry_max_ms,
} as const;

/** The edges of the world that an output needs. */
export interface OutputWorld {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * An output that reads a stretch of the journal, delivers it, and reads the next:
 * the common half of the file and the stdout output. A delivery that fails is made
 * again, after a growing pause, until it works; nothing is read meanwhile.
 */
export class Pump implements Output {
  readonly name: string;
  readonly type: string;
  readonly #options: PumpOptions;
  readonly #source: OutputSource;
  readonly #delivery: Delivery;
  readonly #clock: Clock;
  readonly #log: RateLimitedLog;
  readonly #backoff: Backoff;
  /** Aborts waiting: for records, for the next interval, for the next attempt. */
  readonly #stopping = new AbortController();
  /** Aborts a delivery that outlasts the deadline of `stop()`. */
  readonly #giving_up = new AbortController();
  #running: Promise<void> | undefined;
  #state: OutputState = 'starting';
  #events_out = 0;
  #bytes_out = 0;
  #retries = 0;
  #last_error: string | undefined;
  #last_error_ms: number | undefined;
  #cursor_events: number | undefined;
  #cursor_committed_ms: number | undefined;

  readonly #done: Done = (events, bytes) => {
    this.#events_out += events;
    this.#bytes_out += bytes;
  };

  constructor(
    options: PumpOptions,
    source: OutputSource,
    delivery: Delivery,
    { clock, log }: OutputWorld,
  ) {
    this.name = options.name;
    this.type = options.type;
    this.#options = options;
    this.#source = source;
    this.#delivery = delivery;
    this.#clock = clock;
    this.#log = new RateLimitedLog(log.child({ output: options.name }), clock);
    this.#backoff = new Backoff({
      delay_min_ms: options.retry_min_ms,
      delay_max_ms: options.retry_max_ms,
      factor: 2,
    });
  }

  async start(): Promise<void> {
    this.#state = 'running';
    this.#running = this.#run();
  }

  async stop(deadline_ms: number): Promise<void> {
    this.#stopping.abort();
    const cancel = this.#clock.after(deadline_ms, () => this.#giving_up.abort());
    await this.#running;
    cancel();
    this.#source.reader.close();
    await this.#delivery.close();
    this.#state = 'stopped';
  }

  stats(): OutputStats {
    const { cursor, beneath } = this.#source;
    return {
      state: this.#state,
      events_out: this.#events_out,
      bytes_out: this.#bytes_out,
      chunks_in_flight: 0,
      retries: this.#retries,
      last_error: this.#last_error,
      last_error_ms: this.#last_error_ms,
      cursor_seq: beneath?.cursor_seq ?? cursor.seq,
      cursor_events: this.#cursor_events,
      cursor_committed_ms: this.#cursor_committed_ms,
      details: { ...this.#delivery.details(), ...beneath?.details() },
    };
  }

  /** Ends when told to stop; never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#deliverNext();
      } catch (error) {
        if (!signal.aborted) await this.#pauseAfter(error);
      }
    }
  }

  async #deliverNext(): Promise<void> {
    const { signal } = this.#stopping;
    const read = await this.#source.reader.read(this.#options.read_max_bytes, signal);
    const begun_ms = this.#clock.monotonic_ms();
    await this.#deliverAll(read);
    const read_bytes = read.reduce((sum, record) => sum + record.body_bytes, 0);
    if (read_bytes * 2 >= this.#options.read_max_bytes) return;
    const spent_ms = this.#clock.monotonic_ms() - begun_ms;
    await sleep(this.#clock, this.#options.interval_ms - spent_ms, signal);
  }

  /** Delivers until it worked or the output is told to stop. */
  async #deliverAll(read: readonly JournalRecord[]): Promise<void> {
    const { cursor, reader } = this.#source;
    const next_seq = reader.next_seq;
    const taken = read.filter((record) => this.#takes(record));
    // The journal itself may move the cursor meanwhile: it counts what it passes over.
    while (cursor.seq < next_seq) {
      const records = taken.filter((record) => record.seq >= cursor.seq);
      try {
        await this.#delivery.deliver({ records, next_seq }, this.#done, this.#giving_up.signal);
        this.#state = 'running';
        this.#backoff.reset();
        reader.release(next_seq);
        break;
      } catch (error) {
        if (this.#stopping.signal.aborted) throw error;
        this.#retries += 1;
        await this.#pauseAfter(error);
      }
    }
    const last = read.at(-1);
    if (last === undefined) return;
    this.#cursor_events = last.events_before + last.count;
    this.#cursor_committed_ms = last.committed_ms;
  }

  #takes(record: JournalRecord): boolean {
    const is_taken = this.#source.matches(record.tag);
    if (!is_taken) this.#source.passedOver?.(record);
    return is_taken;
  }

  async #pauseAfter(error: unknown): Promise<void> {
    this.#state = 'retrying';
    this.#last_error = messageOf(error);
    this.#last_error_ms = this.#clock.now_ms();
    const pause_ms = this.#backoff.next_ms();
    const fields = { error: this.#last_error, retry_in_ms: pause_ms };
    this.#log.warn('delivery', fields, 'the output cannot write; it will be tried again');
    await sleep(this.#clock, pause_ms, this.#stopping.signal);
  }
}
