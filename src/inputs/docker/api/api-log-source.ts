import { LogboomError } from '../../../errors.ts';
import { Backoff } from '../../../sys/backoff.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Log } from '../../../sys/log.ts';
import { RateLimitedLog } from '../../../sys/rate-limited-log.ts';
import { sleep } from '../../../sys/sleep.ts';
import type { LogLine } from '../../logfile/types.ts';
import { EngineRefusal, transportError } from './api-error.ts';
import { Doorbell } from './doorbell.ts';
import type { EngineApi } from './engine-api.ts';
import { type ApiPlace, Seam, sinceText } from './log-seam.ts';
import { LogStreamReader } from './log-stream.ts';
import { decodePlace, encodePlace } from './place-codec.ts';

/** Lines are gathered for so long, so that a busy log is not asked for line by line. */
const GATHER_MS = 200;
/** A log that says nothing is asked for after this time, then after twice as long, up to the other. */
const QUIET_MIN_MS = 1_000;
const QUIET_MAX_MS = 60_000;
const TAIL_MIN_ENTRIES = 256;
/** Beyond it all that `since` lets pass is asked for. */
const TAIL_MAX_ENTRIES = 16_384;
const TAIL_FACTOR = 8;
const BACKOFF = { delay_min_ms: 500, delay_max_ms: 30_000, factor: 2 };

/** Takes the lines of one container. */
interface ApiLogConsumer {
  /** One entry; valid during the call only. Must not throw. */
  line(line: LogLine): void;
  /**
   * The place behind the lines that came since the last call, in the same turn of the event
   * loop, so that both can go into one commit. Nothing more comes before it resolves.
   */
  position(encoded: Buffer): Promise<void> | undefined;
  /** The container has ended, and all that it wrote was taken. */
  complete?(): void;
}

export interface ApiLogSourceOptions {
  readonly api: EngineApi;
  readonly container_id: string;
  readonly tty: boolean;
  /** A place that `position` gave, or where a container begins that has none. */
  readonly from: Buffer | 'oldest' | 'newest';
  /** Whether the container runs, as far as is known. */
  readonly isRunning: () => boolean;
  readonly consumer: ApiLogConsumer;
  readonly clock: Clock;
  readonly log: Log;
}

/** removed: the container is gone, and so is its log · unreadable: its driver keeps nothing to read */
export type SourceEnd = 'stopped' | 'removed' | 'unreadable';

/**
 * Follows one container's log through the Engine API, for hosts where the files cannot be
 * read. Every entry that the Engine keeps comes once, in the order of the log, over breaks
 * of the connection, rotations, restarts of the container and of logboom (`log-seam.ts`).
 *
 * Lines come from the ends of the log, asked for again and again, never from `follow`: that
 * doubles lines when a json-file log is rotated, and stalls when rotations are compressed
 * (seen with Docker 20.10.24). It is listened to for when to ask; should it be silent
 * for no good reason, the log is asked for anyway from time to time.
 */
export class ApiLogSource {
  readonly #options: ApiLogSourceOptions;
  readonly #backoff = new Backoff(BACKOFF);
  readonly #limited: RateLimitedLog;
  readonly #doorbell: Doorbell;
  /** How much of the log's end probably holds all that is new. */
  #tail_entries = TAIL_MIN_ENTRIES;
  #quiet_ms = QUIET_MIN_MS;
  #place: ApiPlace;
  /** The container had ended, and everything that it wrote was taken. */
  is_complete = false;

  constructor(options: ApiLogSourceOptions) {
    this.#options = options;
    this.#limited = new RateLimitedLog(options.log, options.clock);
    const { api, container_id, clock } = options;
    this.#doorbell = new Doorbell(api, container_id, clock);
    this.#place = this.#firstPlace();
  }

  /** Behind everything that was taken; of a container without a place, where it begins. */
  get place(): Buffer {
    return encodePlace(this.#place);
  }

  /** The container may have begun to run again, or is gone. */
  wake(): void {
    this.#doorbell.ring();
  }

  /** Reads until `signal` aborts, or nothing can come any more. Rejects only where the consumer fails. */
  async run(signal: AbortSignal): Promise<SourceEnd> {
    try {
      return await this.#run(signal);
    } finally {
      this.#doorbell.close();
    }
  }

  async #run(signal: AbortSignal): Promise<SourceEnd> {
    while (!signal.aborted) {
      try {
        await this.#turn(signal);
        this.#backoff.reset();
      } catch (error) {
        if (signal.aborted) break;
        if (!isOfEngine(error)) throw error;
        const end = endOf(error);
        if (end !== undefined) return end;
        await this.#recover(error, signal);
      }
    }
    return 'stopped';
  }

  /** Takes what is new, and waits until there may be more. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { isRunning, clock } = this.#options;
    const runs = isRunning();
    if (runs) this.is_complete = false;
    if (runs) await this.#doorbell.listen(signal);
    this.#doorbell.clear();
    const taken_count = await this.#catchUp(signal);
    this.is_complete = !runs;
    if (this.is_complete) this.#options.consumer.complete?.();
    this.#tail_entries = Math.max(TAIL_MIN_ENTRIES, 2 * taken_count);
    if (taken_count > 0) this.#quiet_ms = QUIET_MIN_MS;
    else this.#quiet_ms = Math.min(2 * this.#quiet_ms, QUIET_MAX_MS);
    await sleep(clock, GATHER_MS, signal);
    // One that ended takes another look, since its last lines may have come meanwhile.
    if (runs && !isRunning()) return;
    await this.#doorbell.wait(runs ? this.#quiet_ms : undefined, signal);
  }

  #firstPlace(): ApiPlace {
    const { from, clock, container_id, log } = this.#options;
    const oldest = { since: { time_s: 0, time_ns: 0 }, last: undefined, tail_check: 0 };
    if (from === 'oldest') return oldest;
    if (from !== 'newest') {
      const stored = decodePlace(from);
      if (stored !== undefined) return stored;
      log.warn(
        { container: container_id },
        'a stored place cannot be read; from the oldest line on',
      );
      return oldest;
    }
    const now_ms = clock.now_ms();
    const since = { time_s: Math.floor(now_ms / 1000), time_ns: (now_ms % 1000) * 1_000_000 };
    return { since, last: undefined, tail_check: 0 };
  }

  /** Takes everything that is new; asks for more of the log's end until it shows the place. */
  async #catchUp(signal: AbortSignal): Promise<number> {
    if (this.#place.last === undefined)
      return (await this.#read(undefined, true, signal)).taken_count;
    let tail: number | undefined = this.#tail_entries;
    while (tail !== undefined) {
      const { found, entries_count, taken_count } = await this.#read(tail, true, signal);
      if (found) return taken_count;
      const is_all: boolean = entries_count < tail || tail > TAIL_MAX_ENTRIES;
      tail = is_all ? undefined : TAIL_FACTOR * tail;
    }
    const { found, taken_count } = await this.#read(undefined, true, signal);
    if (found) return taken_count;
    const fields = { container: this.#options.container_id };
    this.#limited.warn(
      'gone',
      fields,
      'the last line taken is gone from a log; later ones may be, too',
    );
    return (await this.#read(undefined, false, signal)).taken_count;
  }

  /** Takes what is new in one answer. `search` false: everything is. */
  async #read(tail: number | undefined, search: boolean, signal: AbortSignal): Promise<ReadResult> {
    const { consumer, tty } = this.#options;
    let taken_count = 0;
    const seam = new Seam(this.#place, tail === undefined ? 'whole' : 'tail', search, (line) => {
      taken_count++;
      consumer.line(line);
    });
    const reader = new LogStreamReader(tty);
    for await (const piece of this.#answer(tail, signal)) {
      // What came in front of a broken frame counts, so its place is told before the error.
      const failure = failureOf(() => {
        if (piece === undefined) reader.end((line) => seam.takeTail(line));
        else reader.push(piece, (line) => seam.take(line));
      });
      const place = seam.nextPlace();
      if (place !== undefined) {
        this.#place = place;
        await consumer.position(encodePlace(place));
      }
      if (failure !== undefined) throw failure;
    }
    return { found: seam.found, entries_count: seam.entries_count, taken_count };
  }

  /** The log from the place's `since` on, as it comes; undefined is its end, unless it broke off. */
  async *#answer(
    tail: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer | undefined> {
    const { api, container_id } = this.#options;
    const since = sinceText(this.#place.since);
    const body = await api.logs(container_id, { since, tail, follow: false }, signal);
    try {
      for await (const piece of body as AsyncIterable<Buffer>) yield piece;
    } catch (error) {
      throw transportError(`${api.url}/containers/${container_id}/logs`, error);
    }
    yield undefined;
  }

  async #recover(error: LogboomError, signal: AbortSignal): Promise<void> {
    const { container_id, clock } = this.#options;
    const fields = { container: container_id, error: error.describe() };
    this.#limited.warn(
      'broken',
      fields,
      'reading a log through the Engine API broke off; trying again',
    );
    await sleep(clock, this.#backoff.next_ms(), signal);
  }
}

interface ReadResult {
  /** The place was in it. */
  readonly found: boolean;
  readonly entries_count: number;
  readonly taken_count: number;
}

function failureOf(attempt: () => void): Error | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isOfEngine(error: unknown): error is LogboomError {
  return error instanceof LogboomError && error.code === 'LB_DOCKER_API';
}

/** What the Engine says that no later attempt changes. */
function endOf(error: LogboomError): SourceEnd | undefined {
  if (!(error instanceof EngineRefusal)) return undefined;
  if (error.status === 404 || error.status === 409) return 'removed';
  return error.status === 501 ? 'unreadable' : undefined;
}
