import { clearTally, type EntryTally, EntryWalk, emptyTally, entryLevels } from './entries.ts';
import type { FrameLimits } from './frame.ts';
import { ObjectGatherer } from './object-gatherer.ts';

/** Takes a run of whole entries; the buffer and the tally are valid only during the call. */
export type TakeRun = (buf: Buffer, start: number, end: number, tally: EntryTally) => void;

/**
 * Walks a stream of entries end to end that arrives in pieces, cut anywhere: an
 * inflated payload, a spool file, the body of a large message. Whole entries are
 * handed on where they lie; only one that a cut goes through is copied, within
 * `event_max_bytes`.
 */
export class EntryWalker {
  readonly #limits: FrameLimits;
  readonly #takeRun: TakeRun;
  readonly #walk: EntryWalk;
  readonly #gatherer: ObjectGatherer;
  readonly #tally = emptyTally();
  #mid_entry = false;

  constructor(limits: FrameLimits, takeRun: TakeRun) {
    this.#limits = limits;
    this.#takeRun = takeRun;
    this.#walk = new EntryWalk(limits);
    this.#gatherer = new ObjectGatherer(entryLevels(limits));
  }

  /** An entry has begun and not ended. */
  get midEntry(): boolean {
    return this.#mid_entry;
  }

  get held_bytes(): number {
    return this.#gatherer.held_bytes;
  }

  /** Hands on every entry that `chunk` completes. @throws LB_PROTOCOL_SYNTAX, LB_PROTOCOL_LIMIT */
  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.take(chunk, at, chunk.length, Number.POSITIVE_INFINITY);
    }
  }

  /**
   * Takes some of `buf[pos..end)`, hands on at most one run of at most `entries_max` entries, and
   * returns where it stopped.
   */
  take(buf: Buffer, pos: number, end: number, entries_max: number): number {
    clearTally(this.#tally);
    if (this.#mid_entry) return this.#takeRest(buf, pos, end);
    const stop = this.#walk.walk(buf, pos, end, entries_max, this.#tally);
    if (stop === pos) {
      this.#gatherer.restart(this.#limits.event_max_bytes, 'event_max_bytes');
      this.#mid_entry = true;
      return this.#gatherer.take(buf, pos, end);
    }
    this.#takeRun(buf, pos, stop, this.#tally);
    return stop;
  }

  /**
   * The stream has ended. An entry that was cut off is forgotten; returns 1 for it, else 0. Ready
   * for another stream.
   */
  end(): number {
    const cut_off = this.#mid_entry ? 1 : 0;
    this.#mid_entry = false;
    return cut_off;
  }

  #takeRest(buf: Buffer, pos: number, end: number): number {
    const gatherer = this.#gatherer;
    const stop = gatherer.take(buf, pos, end);
    if (!gatherer.whole) return stop;
    this.#mid_entry = false;
    this.#walk.walk(gatherer.buffer, 0, gatherer.bytes, 1, this.#tally);
    this.#takeRun(gatherer.buffer, 0, gatherer.bytes, this.#tally);
    return stop;
  }
}
