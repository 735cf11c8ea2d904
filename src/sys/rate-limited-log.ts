import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

type Level = 'info' | 'warn' | 'error';

interface Window {
  begun_ms: number;
  lines: number;
  suppressed: number;
}

export interface RateLimit {
  /** Lines of one topic that are written within one interval. */
  readonly lines_max: number;
  readonly interval_ms: number;
}

const DEFAULT_LIMIT: RateLimit = { lines_max: 10, interval_ms: 10_000 };

/**
 * A log for what peers can cause at will: of each topic at most `lines_max`
 * lines an interval are written. What was left out is not silent: the topic's
 * next line carries its number in `suppressed`.
 *
 * Topics are words of the program, never of a peer, so their number is fixed.
 */
export class RateLimitedLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  readonly #windows = new Map<string, Window>();

  constructor(log: Log, clock: Clock, limit: RateLimit = DEFAULT_LIMIT) {
    this.#log = log;
    this.#clock = clock;
    this.#limit = limit;
  }

  info(topic: string, fields: object, message: string): void {
    this.#write('info', topic, fields, message);
  }

  warn(topic: string, fields: object, message: string): void {
    this.#write('warn', topic, fields, message);
  }

  error(topic: string, fields: object, message: string): void {
    this.#write('error', topic, fields, message);
  }

  #write(level: Level, topic: string, fields: object, message: string): void {
    const window = this.#window(topic);
    if (window.lines >= this.#limit.lines_max) {
      window.suppressed++;
      return;
    }
    window.lines++;
    const suppressed = window.suppressed;
    window.suppressed = 0;
    this.#log[level](suppressed === 0 ? fields : { ...fields, suppressed }, message);
  }

  #window(topic: string): Window {
    const now_ms = this.#clock.monotonic_ms();
    let window = this.#windows.get(topic);
    if (window === undefined) {
      window = { begun_ms: now_ms, lines: 0, suppressed: 0 };
      this.#windows.set(topic, window);
    } else if (now_ms - window.begun_ms >= this.#limit.interval_ms) {
      window.begun_ms = now_ms;
      window.lines = 0;
    }
    return window;
  }
}
