import { messageOf } from '../errors.ts';
import type { Gap } from '../inputs/docker/trouble-report.ts';
import { POSITION_SPACE, type Positions } from '../inputs/logfile/positions.ts';
import type { JournalWriter } from '../journal/types.ts';
import { LIMITS } from '../limits.ts';
import type { Clock } from '../sys/clock.ts';
import type { Log } from '../sys/log.ts';

/** When the relay was last known to run, among the positions. */
const ALIVE_KEY = 'alive';

/** Every input looks for new sources more often than this; times of files are a little early, besides. */
const UNSEEN_MAX_MS = 10_000;

export interface UpkeepOptions {
  /** How long the position of a source that is gone is kept. */
  readonly forget_after_ms: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the positions are looked after with. */
export interface PositionUsers {
  /** Positions under these keys are in use. */
  keysAlive(): Iterable<string>;
  /** Positions may have expired. */
  forgetExpired(): void;
}

/**
 * Looks after the positions from time to time: writes down that logboom is alive, which
 * tells new sources from old ones at the next start, and lets those expire whose sources
 * are gone for long.
 */
export class Upkeep {
  readonly #positions: Positions;
  readonly #options: UpkeepOptions;
  #journal: JournalWriter | undefined;
  #cancel = (): void => {};
  /** Of the positions that were forgotten, as many were told of. */
  #told_count = 0;

  constructor(positions: Positions, options: UpkeepOptions) {
    this.#positions = positions;
    this.#options = options;
  }

  /**
   * When logboom was last known to run on this journal, less the time that a new source may
   * stay unseen: what is older and has no position was not wanted. Now, for a new journal.
   */
  lastAlive(): number {
    const stamp = this.#positions.get(ALIVE_KEY);
    const now_ms = this.#options.clock.now_ms();
    if (stamp === undefined) return now_ms;
    const alive_ms = Number(stamp.toString());
    // The clock was set back: nothing can be told from it.
    return alive_ms > now_ms ? 0 : alive_ms - UNSEEN_MAX_MS;
  }

  /** Begins, at once. */
  start(journal: JournalWriter, users: PositionUsers): void {
    this.#journal = journal;
    this.#keep(journal, users);
  }

  /** Call it when everything is read as far as it will be. */
  stop(): void {
    this.#cancel();
    if (this.#journal !== undefined) this.#attempt(this.#journal, () => {});
  }

  /** What the limit on positions has cost. */
  gaps(): Gap[] {
    const { forgotten_count: times } = this.#positions;
    const reason =
      'there are too many sources, and the places of some were forgotten: their lines may be missing or doubled';
    return times === 0 ? [] : [{ container: '(others)', reason, times }];
  }

  #keep(journal: JournalWriter, users: PositionUsers): void {
    this.#tellForgotten();
    this.#attempt(journal, (now_s) => this.#expire(journal, users, now_s));
    const { clock } = this.#options;
    this.#cancel = clock.after(LIMITS.positions_upkeep_ms, () => this.#keep(journal, users));
  }

  #tellForgotten(): void {
    const { forgotten_count: forgotten } = this.#positions;
    if (forgotten === this.#told_count) return;
    this.#told_count = forgotten;
    const message = 'positions were forgotten, there are too many; lines may be missing or doubled';
    this.#options.log.warn({ forgotten, positions_max: LIMITS.positions_max }, message);
  }

  /** Not while the journal is blocked: an older stamp is the safe one, and entries would pile up. */
  #attempt(journal: JournalWriter, more: (now_s: number) => void): void {
    if (!journal.writable) return;
    const { clock, log } = this.#options;
    const now_ms = clock.now_ms();
    const now_s = Math.floor(now_ms / 1000);
    try {
      const stamp = Buffer.from(String(now_ms));
      journal.note(POSITION_SPACE, this.#positions.entry(ALIVE_KEY, stamp, now_s));
      more(now_s);
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'positions could not be looked after');
    }
  }

  #expire(journal: JournalWriter, users: PositionUsers, now_s: number): void {
    const alive = new Set([ALIVE_KEY, ...users.keysAlive()]);
    const after_s = this.#options.forget_after_ms / 1000;
    for (const entry of this.#positions.expire(alive, now_s, after_s)) {
      journal.note(POSITION_SPACE, entry);
    }
    users.forgetExpired();
  }
}
