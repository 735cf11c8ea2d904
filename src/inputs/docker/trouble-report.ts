import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import type { LogTrouble } from '../logfile/types.ts';
import type { Container } from './types.ts';

/** What each kind of trouble means for whoever reads the log. */
const MEANING: Readonly<Record<LogTrouble['kind'], string>> = {
  place_lost: 'lines were deleted before they could be read; how many is not known',
  rewound: 'a log was cut or changed; it is read again from an earlier place',
  torn: 'bytes that are no log entry were passed over',
  unreadable: 'a log file could not be read to its end',
};

/** What is missing, or may be, of one container. */
export interface Gap {
  readonly container: string;
  readonly reason: string;
  /** How often it happened; how many lines it took is not known. */
  times: number;
}

/** More of them are only logged. */
const GAPS_MAX = 256;

/** Says by name what is wrong with containers and their logs; each thing once, or rarely, and counts it. */
export class TroubleReport {
  readonly #log: Log;
  readonly #limited: RateLimitedLog;
  /** By container and reason. */
  readonly #gaps = new Map<string, Gap>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#limited = new RateLimitedLog(log, clock);
  }

  get gaps(): Gap[] {
    return [...this.#gaps.values()];
  }

  /** Said once for each container and reason. */
  container(container: Container, reason: string, message: string): void {
    if (this.#count(container, reason) > 1) return;
    this.#log.warn({ container: container.name, reason }, message);
  }

  /** Takes what a reader of the container's log finds. */
  ofLog(container: Container): (trouble: LogTrouble) => void {
    return ({ kind, file, offset, bytes }) => {
      this.#count(container, kind);
      const fields = { container: container.name, kind, where: `${file}:${offset}`, bytes };
      this.#limited.warn(kind, fields, MEANING[kind]);
    };
  }

  #count({ id, name }: Container, reason: string): number {
    const key = `${id} ${reason}`;
    const gap = this.#gaps.get(key) ?? { container: name, reason, times: 0 };
    if (this.#gaps.size < GAPS_MAX) this.#gaps.set(key, gap);
    gap.times++;
    return gap.times;
  }
}
