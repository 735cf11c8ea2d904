/**
 * Where reading a container's log through the API goes on: pure.
 *
 * The API has no offsets, only `since` and `tail`, and times step back: between stdout and
 * stderr, with the clock, and inside a long line whose pieces all carry the time of the first.
 * But an answer has its entries in the order of the log. So one entry, the last that was
 * taken, tells the place: what comes up to it was taken, what comes behind it was not. It is
 * known by source, time, number among those of the same time, and checksum.
 *
 *     the log         1  2  3  3  4  5
 *     taken so far    1  2  3 ←  the anchor: time 3, number 0
 *     tail=4                3  3  4  5      where does the run of 3 begin? ask for more
 *     tail=5             2  3  3  4  5      the anchor is found, 3 4 5 are new
 *
 * `since` lies a margin before the anchor. It spares the Engine old files, and no more:
 * 20.10 compares every entry with it, so the margin is what the two sources may be apart;
 * newer ones compare up to the first match only (formats.md 6.1).
 *
 * When the anchor is in no answer, its file was rotated away, and everything older with
 * it: all that is there is new.
 *
 * What stays: 20.10 does not show an entry whose time is more than the margin before the
 * last one taken (its clock was set back).
 */
import { crc32 } from 'node:zlib';
import { type LogLine, PIECE, type Source } from '../../logfile/types.ts';

/** How far the times of two sources may be apart in their log. */
const MARGIN_S = 60;
/** A line that was begun so long before the last entry is not waited for: its end may never come. */
const OPEN_LINE_MAX_S = 600;

interface Instant {
  readonly time_s: number;
  readonly time_ns: number;
}

/** An entry, as it is found again. */
export interface Anchor extends Instant {
  readonly source: Source;
  /** CRC-32 of the line. */
  readonly check: number;
  /** Entries of its source directly before it that have the same time. */
  readonly ordinal: number;
}

export interface ApiPlace {
  readonly since: Instant;
  /** Undefined: nothing was taken yet, everything from `since` on is new. */
  readonly last: Anchor | undefined;
  /**
   * Of the unterminated end of a TTY's log, if that was taken behind `last`; else 0. It is no
   * anchor: what a later run writes there goes on in the same line.
   */
  readonly tail_check: number;
}

/** `since` as the API takes it. */
export function sinceText({ time_s, time_ns }: Instant): string {
  return `${time_s}.${String(time_ns).padStart(9, '0')}`;
}

function sameAnchor(a: Anchor, b: Anchor): boolean {
  return (
    a.source === b.source &&
    a.time_ns === b.time_ns &&
    a.time_s === b.time_s &&
    a.check === b.check &&
    a.ordinal === b.ordinal
  );
}

/** Follows one answer from its beginning, so that each entry gets its anchor. */
class AnchorTracker {
  /** Whether the entries of one time are here from the first, by source. */
  readonly #is_whole: [boolean, boolean];
  readonly #last: (Anchor | undefined)[] = [undefined, undefined];
  /** When a line began whose end has not come; by source. */
  readonly #open: (Instant | undefined)[] = [undefined, undefined];

  /** @param cut the answer may begin among entries of the same time */
  constructor(cut: boolean) {
    this.#is_whole = [!cut, !cut];
  }

  /** False: an anchor's ordinal may be too low. */
  isCertain({ source }: Anchor): boolean {
    return this.#is_whole[source];
  }

  next(line: LogLine): Anchor {
    const { source, time_s, time_ns } = line;
    const before = this.#last[source];
    const is_same_time = before?.time_ns === time_ns && before.time_s === time_s;
    const ordinal = is_same_time ? before.ordinal + 1 : 0;
    const anchor = { source, time_s, time_ns, ordinal, check: checkOf(line) };
    if (before !== undefined && !is_same_time) this.#is_whole[source] = true;
    this.#last[source] = anchor;
    this.#open[source] = line.piece === PIECE.part ? anchor : undefined;
    return anchor;
  }

  /** The place behind `last`, which is the newest of this tracker. */
  placeAfter(last: Anchor): ApiPlace {
    let since: Instant = { time_s: Math.max(0, last.time_s - MARGIN_S), time_ns: last.time_ns };
    for (const open of this.#open) {
      if (open === undefined || open.time_s < last.time_s - OPEN_LINE_MAX_S) continue;
      if (isBefore(open, since)) since = open;
    }
    return { since: { time_s: since.time_s, time_ns: since.time_ns }, last, tail_check: 0 };
  }
}

/** Whether an answer is all that `since` lets pass, or the last entries of it (`tail`). */
export type AnswerKind = 'whole' | 'tail';

/** Passes on what is new in an answer: everything behind the place. */
export class Seam {
  readonly #pass: (line: LogLine) => void;
  readonly #tracker: AnchorTracker;
  #place: ApiPlace;
  #tail_check: number;
  #newest: Anchor | undefined;
  #changed = false;
  /** The place is here; what follows is new. */
  found: boolean;
  entries_count = 0;

  /** @param search false: the place is known to be gone, and everything is new */
  constructor(place: ApiPlace, kind: AnswerKind, search: boolean, pass: (line: LogLine) => void) {
    this.#place = place;
    this.#tracker = new AnchorTracker(kind === 'tail');
    this.#tail_check = place.tail_check;
    this.found = !search || place.last === undefined;
    this.#pass = pass;
  }

  take(line: LogLine): void {
    this.entries_count++;
    const anchor = this.#tracker.next(line);
    if (!this.found) {
      const { last } = this.#place;
      this.found =
        last !== undefined && sameAnchor(anchor, last) && this.#tracker.isCertain(anchor);
      return;
    }
    if (!this.#isTailAgain(anchor.check)) this.#pass(line);
    this.#newest = anchor;
    this.#changed = true;
  }

  /** Takes the unterminated end of a TTY's log. */
  takeTail(line: LogLine): void {
    if (!this.found) return;
    const tail_check = checkOf(line);
    if (this.#isTailAgain(tail_check)) return;
    this.#pass(line);
    this.#settle();
    this.#place = { ...this.#place, tail_check };
    this.#changed = true;
  }

  /** The place behind what was passed on since the last call; undefined: nothing was. */
  nextPlace(): ApiPlace | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    this.#settle();
    return this.#place;
  }

  #settle(): void {
    if (this.#newest !== undefined) this.#place = this.#tracker.placeAfter(this.#newest);
    this.#newest = undefined;
  }

  /** Only the first entry behind the place can be the tail that was taken. */
  #isTailAgain(check: number): boolean {
    const is_again = this.#tail_check !== 0 && this.#tail_check === check;
    this.#tail_check = 0;
    return is_again;
  }
}

function checkOf(line: LogLine): number {
  return crc32(line.buf.subarray(line.log_start, line.log_end));
}

function isBefore(a: Instant, b: Instant): boolean {
  return a.time_s < b.time_s || (a.time_s === b.time_s && a.time_ns < b.time_ns);
}
