import { type Place, RECORD_KIND } from './format.ts';
import type { SegmentItem } from './segment-items.ts';
import type { SegmentScan } from './segment-scan.ts';

export interface Damage {
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
}

/**
 * Goes through a segment once more: applies the state of each commit that
 * counts, and finds where the last one ends.
 *
 * A commit that is not whole counts if another one follows: a commit is begun
 * only after the one before was durable, so the damage came later. If nothing
 * follows, it is torn: it may never have been durable, and is cut as a whole.
 */
export async function replay(
  scan: SegmentScan,
  apply: (state: Buffer) => void,
  keep: (damage: Damage) => Promise<void>,
): Promise<ReplayEnd> {
  const run = new Replay(scan, apply, keep);
  for (let item = await scan.next(); item !== undefined; item = await scan.next()) {
    await run.take(item);
  }
  return run.end();
}

class Replay {
  readonly #scan: SegmentScan;
  readonly #apply: (state: Buffer) => void;
  readonly #keep: (damage: Damage) => Promise<void>;
  /** Everything before counts. */
  #settled: { offset: number; place: Place };
  /** Found behind it. */
  #states: Buffer[] = [];
  #damages: Damage[] = [];

  constructor(
    scan: SegmentScan,
    apply: (state: Buffer) => void,
    keep: (damage: Damage) => Promise<void>,
  ) {
    this.#scan = scan;
    this.#apply = apply;
    this.#keep = keep;
    this.#settled = { offset: scan.parser.offset, place: scan.parser.place };
  }

  async take(item: SegmentItem): Promise<void> {
    switch (item.type) {
      case 'commit':
        return this.#settle(item.offset, item.frame.first);
      case 'end':
        return item.whole ? this.#settle(item.end_offset, this.#scan.parser.place) : undefined;
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

  end(): ReplayEnd {
    const { offset, place } = this.#settled;
    return {
      end_bytes: offset,
      end: place,
      torn_bytes: Math.max(0, this.#scan.parser.end_bytes - offset),
    };
  }

  /** What was found up to here counts. */
  async #settle(offset: number, place: Place): Promise<void> {
    for (const state of this.#states) this.#apply(state);
    for (const damage of this.#damages) await this.#keep(damage);
    this.#states = [];
    this.#damages = [];
    this.#settled = { offset, place };
  }
}
