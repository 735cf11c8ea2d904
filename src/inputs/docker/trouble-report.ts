import { LRUCache } from 'lru-cache';
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

/** A container, or another log, such as a file. */
type Named = Pick<Container, 'id' | 'name'>;

/** What is missing, or may be, of one container. */
export interface Gap {
  readonly container: string;
  readonly reason: string;
  /** How often it happened; how many lines it took is not known. */
  times: number;
}

/** Gaps of further containers share one entry for each reason. */
const GAPS_MAX = 256;
const OTHERS = { id: '(others)', name: '(others)' };
/** What was said so long ago may be said again. */
const SAID_MAX = 4096;

/** Says by name what is wrong with containers and their logs; each thing once, or rarely, and counts it. */
export class TroubleReport {
  readonly #log: Log;
  readonly #limited: RateLimitedLog;
  /** By container and reason. */
  readonly #gaps = new Map<string, Gap>();
  readonly #said = new LRUCache<string, true>({ max: SAID_MAX });

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#limited = new RateLimitedLog(log, clock);
  }

  get gaps(): Gap[] {
    return [...this.#gaps.values()];
  }

  /** Said, and counted, once for each container and reason, however often it is told. */
  once(container: Named, reason: string, message: string): void {
    if (!this.#said.has(keyOf(container, reason))) this.container(container, reason, message);
  }

  /** Said once for each container and reason; counted each time. */
  container(container: Named, reason: string, message: string): void {
    this.#count(container, reason);
    const key = keyOf(container, reason);
    if (this.#said.has(key)) return;
    this.#said.set(key, true);
    this.#log.warn({ container: container.name, reason }, message);
  }

  /** Takes what a reader of the log finds. */
  ofLog(container: Named): (trouble: LogTrouble) => void {
    return ({ kind, file, offset, bytes }) => {
      this.#count(container, kind);
      const fields = { container: container.name, kind, where: `${file}:${offset}`, bytes };
      this.#limited.warn(kind, fields, MEANING[kind]);
    };
  }

  #count(container: Named, reason: string): void {
    const own = keyOf(container, reason);
    const has_room = this.#gaps.has(own) || this.#gaps.size < GAPS_MAX;
    const [key, { name }] = has_room ? [own, container] : [keyOf(OTHERS, reason), OTHERS];
    const gap = this.#gaps.get(key) ?? { container: name, reason, times: 0 };
    gap.times++;
    this.#gaps.set(key, gap);
  }
}

function keyOf({ id }: Named, reason: string): string {
  return `${id} ${reason}`;
}
