import { type CommitFrame, type Place, RECORD_KIND } from './format.ts';
import { isUnreadable } from './salvaged-file.ts';
import type { SegmentItem } from './segment-items.ts';
import type { SegmentScan } from './segment-scan.ts';

/** After a loss, seqs go on this far behind every seq that anybody is known to have named. */
export const SEQ_JUMP = 2 ** 20;

interface Damage {
  readonly from: number;
  readonly to: number;
  readonly what: string;
}

export interface ReplayEnd {
  /** Behind the last commit that counts. */
  readonly end_bytes: number;
  readonly end: Place;
  /** Bytes behind `end_bytes`: a commit that is not whole. */
  readonly torn_bytes: number;
  /** Bad blocks are at its end: commits may be gone that nothing tells of. */
  readonly is_end_unreadable: boolean;
}

/**
 * Goes through a segment once more: applies the state of each commit that
 * counts, and finds where the last one ends.
 *
 * A commit that is not whole counts if another one follows: a commit is begun
 * only after the one before was durable, so the damage came later. If nothing
 * follows, it is torn: it may never have been durable, and is cut as a whole.
 *
 * What the disk cannot read is not torn: it was written once. A commit with bad
 * blocks in it counts too, as far as it can be read, and seqs go on behind all
 * that it may have named.
 */
export async function replay(scan: SegmentScan, to: ReplayTarget): Promise<ReplayEnd> {
  const run = new Replay(scan, to);
  try {
    for (let item = await scan.next(); item !== undefined; item = await scan.next()) {
      await run.take(item);
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    await run.breakOff();
  }
  return run.end();
}

export interface ReplayTarget {
  apply(state: Buffer): void;
  keep(damage: Damage): Promise<void>;
  /** A commit with events counts. */
  holdsEventsOf(committed_ms: number): void;
  /** Whether a block in `[from, to)` cannot be read. */
  isBad(from: number, to: number): boolean;
}

class Replay {
  readonly #scan: SegmentScan;
  readonly #to: ReplayTarget;
  /** Everything before counts. */
  #settled: { offset: number; place: Place };
  /** Found behind it. */
  #states: Buffer[] = [];
  #damages: Damage[] = [];
  /** The commit that is being gone through. */
  #frame: CommitFrame | undefined;
  #is_end_unreadable = false;

  constructor(scan: SegmentScan, to: ReplayTarget) {
    this.#scan = scan;
    this.#to = to;
    this.#settled = { offset: scan.parser.offset, place: scan.parser.place };
  }

  async take(item: SegmentItem): Promise<void> {
    switch (item.type) {
      case 'commit':
        await this.#settle(item.offset, item.frame.first);
        this.#frame = item.frame;
        return undefined;
      case 'end':
        if (!item.whole && !this.#to.isBad(item.offset, item.end_offset)) return undefined;
        return this.#settle(item.end_offset, this.#scan.parser.place);
      case 'damage':
        this.#damages.push(item);
        return undefined;
      case 'record':
        if (!item.intact) {
          this.#damages.push({ from: item.offset, to: item.end_offset, what: 'record body' });
        } else if (item.header.kind === RECORD_KIND.state) {
          this.#states.push(item.body);
        }
        return undefined;
    }
  }

  /** Nothing can be read from here on. */
  async breakOff(): Promise<void> {
    const { offset, end_bytes } = this.#scan.parser;
    await this.#settleUnreadable({ from: offset, to: end_bytes, what: 'rest of a segment' });
  }

  async end(): Promise<ReplayEnd> {
    const { end_bytes } = this.#scan.parser;
    const from = this.#settled.offset;
    if (from < end_bytes && this.#to.isBad(from, end_bytes)) await this.#settleUnreadable();
    const { offset, place } = this.#settled;
    return {
      end_bytes: offset,
      end: place,
      torn_bytes: Math.max(0, end_bytes - offset),
      is_end_unreadable: this.#is_end_unreadable,
    };
  }

  async #settleUnreadable(damage?: Damage): Promise<void> {
    this.#is_end_unreadable = true;
    if (damage !== undefined) this.#damages.push(damage);
    const { place, end_bytes } = this.#scan.parser;
    const { first, event_records } = this.#frame ?? { first: place, event_records: 0 };
    // A record that cannot be read has one event at least.
    const unread_records = Math.max(0, first.seq + event_records - place.seq);
    await this.#settle(end_bytes, {
      ...place,
      seq: place.seq + unread_records + SEQ_JUMP,
      events_before: place.events_before + unread_records,
    });
  }

  /** What was found up to here counts. */
  async #settle(offset: number, place: Place): Promise<void> {
    for (const state of this.#states) this.#to.apply(state);
    for (const damage of this.#damages) await this.#to.keep(damage);
    const frame = this.#frame;
    if (frame !== undefined && frame.event_records > 0) this.#to.holdsEventsOf(frame.committed_ms);
    this.#states = [];
    this.#damages = [];
    this.#frame = undefined;
    this.#settled = { offset, place };
  }
}
