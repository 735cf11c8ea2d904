import { LIMITS } from '../../../limits.ts';
import type { LogPlace } from '../../logfile/types.ts';
import { KeyQueue } from './key-queue.ts';

/** What of a lane is durable; `MergeStates` keeps it (DESIGN 7, rule 1). */
export interface LaneState {
  /** Number of the first key in `ahead`. */
  readonly ahead_first: number;
  /** Keys of journaled stream lines that the cache has not shown, in order; NaN where it has. */
  readonly ahead: readonly number[];
  /** No line of the cache before it is owed; undefined: none is. */
  readonly seen: LogPlace | undefined;
}

/** What has changed in a lane since it was last written down. */
export interface LaneChange {
  /** The lines ahead begin with this number now. */
  readonly ahead_first: number;
  readonly ahead_added: readonly number[];
  /** Numbers behind the first that the cache has shown. */
  readonly ahead_taken: readonly number[];
  readonly seen: LogPlace | undefined;
}

export interface LaneLimits {
  /** Stream lines that the cache may owe. */
  readonly ahead_max_lines: number;
  /** Lines of the cache that the stream may owe, as far as they are kept in memory. */
  readonly owed_max_lines: number;
  /** A line that the other side has passed by is given up after so many more. */
  readonly passed_max_lines: number;
}

/**
 * `journal`: nobody has it yet; it is `ahead` of the cache now. `resent`: the journal
 * has it from the cache. `unknown`: not among the lines in memory, and more of them
 * are on disk.
 */
export type StreamVerdict = 'journal' | 'resent' | 'unknown';

const LANE_LIMITS: LaneLimits = {
  ahead_max_lines: LIMITS.merge_ahead_max_lines,
  owed_max_lines: LIMITS.merge_owed_max_lines,
  passed_max_lines: LIMITS.merge_passed_max_lines,
};

/**
 * One source of one fluentd container (its stdout, or its stderr): the merge of what
 * the driver streamed with what Docker's cache holds. Pure.
 *
 * Both are the source's true lines in their true order, each with holes: the stream
 * lacks what a broken connection or a discarded queue took, the cache what its ring
 * dropped. Either may be ahead of the other: the cache of an async driver by a
 * million lines, the stream of a sync one by the lines under way.
 *
 *     cache    1  2  3  4  5  6  7  8  │ not read yet
 *                    ▲           ▲─────┘
 *                   seen      journaled     owed = 4..8: from the cache, the stream may still bring them
 *
 *     stream   1  2  3  4  5  6  │ not come yet
 *              cache read to 3       ahead = 4..6: from the stream, the cache will show them
 *
 * A line that comes second is matched, one for one, with an equal one that came first,
 * and left out.
 *
 * Why nothing is lost or doubled, for the lines of one key, if the cache has them all:
 * each line of the cache is journaled, or matched with a stream line that was. So there
 * are never fewer than the cache has. There are more only if a stream line was journaled
 * and never matched. It is journaled only while no equal line is owed, and while it is
 * ahead every equal line of the cache is matched with it, so in the end as many are ahead
 * as the stream has lines that the cache has not: none.
 *
 * That holds for equal lines in one whole second too, where nobody can tell which is
 * which. Where the cache lacks lines, what only the stream brings is kept, unless an
 * equal one is owed.
 *
 * What the other side has passed by stays a while, since with equal lines "passed by"
 * may be a mistake, and is then given up.
 */
export class Lane {
  readonly #limits: LaneLimits;
  readonly #ahead = new KeyQueue();
  /** Keys below this number are written down. */
  #ahead_known: number;
  #ahead_taken: number[] = [];
  readonly #owed = new KeyQueue();
  /** The place behind each line that is owed. */
  #owed_places: LogPlace[] = [];
  /** Number of the line to which the first of the places belongs. */
  #owed_places_first = 0;
  /** More is owed than is in memory: it lies between that and where the cache is journaled. */
  #owed_more = false;
  #seen: LogPlace | undefined;
  /** Stream lines since the stream was found to be past everything that is owed; undefined: it is not. */
  #past_count: number | undefined;
  /** Lines journaled from the cache while stream lines were ahead: late if one of those is behind them. */
  #perhaps_late = 0;
  /** Number that the next stream line had when the last of them was journaled. */
  #perhaps_late_before = 0;
  #late_count = 0;
  #changed = false;

  constructor(state: LaneState | undefined, limits: LaneLimits = LANE_LIMITS) {
    this.#limits = limits;
    this.#ahead.reset(state?.ahead_first ?? 0);
    for (const key of state?.ahead ?? []) this.#ahead.push(key);
    this.#ahead_known = this.#ahead.next;
    this.#seen = state?.seen;
    this.#owed_more = state?.seen !== undefined;
  }

  /** Stream lines that the cache has not shown. */
  get ahead_count(): number {
    return this.#ahead.length;
  }

  /** Lines in memory that one side has not shown; 8 bytes each once `settle` was called. */
  get kept_count(): number {
    return this.#owed.length + this.#ahead.length;
  }

  /** Lines journaled behind a line of this source that was written after them. */
  get late_count(): number {
    return this.#late_count;
  }

  /** As many stream lines are ahead as may be. */
  get isFull(): boolean {
    return this.#ahead.length >= this.#limits.ahead_max_lines;
  }

  /** Where the lines that are owed begin that are not in memory; undefined: there are none. */
  get recall_from(): LogPlace | undefined {
    if (!this.#owed_more) return undefined;
    return this.#owed_places.at(-1) ?? this.#seen;
  }

  /** The stream shows a line. */
  stream(key: number): StreamVerdict {
    const number = this.#owed.take(key);
    if (number !== -1) {
      this.#passOwed(number);
      return 'resent';
    }
    if (this.#owed_more) return 'unknown';
    this.#journal(key);
    return 'journal';
  }

  /**
   * The stream shows a line, and the lines on disk have been looked through.
   *
   * @param found where it ends, if it is one of those
   */
  streamFrom(key: number, found: LogPlace | undefined): Exclude<StreamVerdict, 'unknown'> {
    const verdict = this.stream(key);
    if (verdict !== 'unknown') return verdict;
    if (found === undefined) {
      this.#journal(key);
      return 'journal';
    }
    this.#clearOwed();
    this.#seen = found;
    this.#owed_more = true;
    return 'resent';
  }

  /** Whether `match` would find it. */
  expects(key: number): boolean {
    return this.#ahead.has(key);
  }

  /** Whether the stream may still bring a line of this key, as far as is known. */
  owes(key: number): boolean {
    return this.#owed.has(key);
  }

  /** The cache shows a line: true if the journal has it from the stream. */
  match(key: number): boolean {
    const number = this.#ahead.take(key);
    if (number === -1) return false;
    this.#changed = true;
    this.#ahead_taken.push(number);
    if (number < this.#perhaps_late_before) this.#late_count += this.#perhaps_late;
    this.#perhaps_late = 0;
    this.#ahead.dropBefore(number - this.#limits.passed_max_lines);
    // The stream is past this line, and what is owed is before it.
    this.#past_count ??= 0;
    this.#owed_more = false;
    return true;
  }

  /** The cache shows, from `before` to `place`, a line that is journaled from it now; the stream may still bring it. */
  owe(key: number, before: LogPlace, place: LogPlace): void {
    this.#changed = true;
    this.#seen ??= before;
    this.#past_count = undefined;
    if (this.#ahead.length > 0) {
      this.#perhaps_late++;
      this.#perhaps_late_before = this.#ahead.next;
    }
    if (this.#owed_more) return;
    if (this.#owed.length < this.#limits.owed_max_lines) this.#push(key, place);
    else this.#owed_more = true;
  }

  /** A line that is owed, read again from `recall_from` on. Returns whether there is room for more. */
  recall(key: number, place: LogPlace): boolean {
    this.#push(key, place);
    return this.#owed.length < this.#limits.owed_max_lines;
  }

  /** Everything that is owed is in memory now. */
  recalledAll(): void {
    this.#owed_more = false;
    if (this.#owed.length === 0) this.#clearOwed();
  }

  /** The cache is gone: what the stream brings now is compared with what is in memory. */
  settle(): void {
    this.#owed_places = [];
    this.#owed_places_first = this.#owed.first;
    this.#owed_more = false;
  }

  /** The cache will not show the oldest stream lines any more: makes room. Returns how many were given up. */
  giveUpAhead(): number {
    const { first, next } = this.#ahead;
    this.#changed = true;
    return this.#ahead.dropBefore(first + Math.ceil((next - first) / 2));
  }

  /** Something has to be written down. */
  get isChanged(): boolean {
    return this.#changed;
  }

  /** What has to be written down, in the commit that holds the events that it is about. */
  takeChange(): LaneChange {
    const { first, next } = this.#ahead;
    const added = next - Math.max(first, this.#ahead_known);
    const change: LaneChange = {
      ahead_first: first,
      ahead_added: added > 0 ? this.#ahead.toArray().slice(-added) : [],
      ahead_taken: this.#ahead_taken.filter((number) => number > first),
      seen: this.#seen,
    };
    this.#ahead_known = next;
    this.#ahead_taken = [];
    this.#changed = false;
    return change;
  }

  #journal(key: number): void {
    this.#ahead.push(key);
    this.#changed = true;
    if (this.#past_count === undefined) return;
    this.#past_count++;
    if (this.#past_count > this.#limits.passed_max_lines) this.#clearOwed();
  }

  #push(key: number, place: LogPlace): void {
    this.#owed.push(key);
    this.#owed_places.push(place);
  }

  #passOwed(number: number): void {
    this.#changed = true;
    this.#past_count = undefined;
    this.#owed.dropBefore(number - this.#limits.passed_max_lines);
    if (this.#owed.length === 0 && !this.#owed_more) {
      this.#clearOwed();
      return;
    }
    const passed = this.#owed.first - this.#owed_places_first;
    if (passed === 0) return;
    this.#seen = this.#owed_places[passed - 1];
    if (passed * 2 < this.#owed_places.length) return;
    this.#owed_places.splice(0, passed);
    this.#owed_places_first = this.#owed.first;
  }

  #clearOwed(): void {
    this.#owed.reset(0);
    this.#owed_places = [];
    this.#owed_places_first = 0;
    this.#owed_more = false;
    this.#seen = undefined;
    this.#past_count = undefined;
    this.#changed = true;
  }
}
