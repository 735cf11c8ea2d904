import type { StateSpace } from '../../../journal/types.ts';
import type { LogPlace } from '../../logfile/types.ts';
import {
  decodeEntry,
  decodeSnapshot,
  encodeSnapshot,
  KIND,
  type MergeChange,
  type MergeEntry,
} from './merge-codec.ts';
import type { LaneChange, LaneState } from './reconcile.ts';

/** The journal's state space of merged containers. */
export const MERGE_SPACE = 3;

/** How far the merge of one container has got. */
export interface MergeState {
  /** Every line of the cache before it is in the journal. */
  readonly journaled: LogPlace;
  /** By source. */
  readonly lanes: readonly [LaneState, LaneState];
}

/**
 * The durable side of every merge: where each container's cache is journaled up to,
 * and what each side still owes the other (DESIGN 7, rule 1).
 */
export class MergeStates implements StateSpace {
  readonly #states = new Map<string, MergeState>();

  get(container_id: string): MergeState | undefined {
    return this.#states.get(container_id);
  }

  ids(): IterableIterator<string> {
    return this.#states.keys();
  }

  apply(entry: Buffer): void {
    this.#apply(decodeEntry(entry));
  }

  snapshot(): Buffer {
    return encodeSnapshot(this.#changes());
  }

  restore(snapshot: Buffer | undefined): void {
    this.#states.clear();
    if (snapshot === undefined) return;
    for (const entry of decodeSnapshot(snapshot)) this.#apply(entry);
  }

  #apply(entry: MergeEntry): void {
    if (entry.kind === KIND.forget) {
      this.#states.delete(entry.container_id);
      return;
    }
    const { container_id, journaled, lanes } = entry.change;
    const before = this.#states.get(container_id)?.lanes;
    this.#states.set(container_id, {
      journaled,
      lanes: [changed(before?.[0], lanes[0]), changed(before?.[1], lanes[1])],
    });
  }

  *#changes(): Generator<MergeChange> {
    for (const [container_id, { journaled, lanes }] of this.#states) {
      yield { container_id, journaled, lanes: [fromNothing(lanes[0]), fromNothing(lanes[1])] };
    }
  }
}

function changed(lane: LaneState | undefined, change: LaneChange): LaneState {
  const { ahead_first, ahead_added, ahead_taken, seen } = change;
  const ahead = (lane?.ahead ?? []).slice(ahead_first - (lane?.ahead_first ?? ahead_first));
  ahead.push(...ahead_added);
  for (const number of ahead_taken) ahead[number - ahead_first] = Number.NaN;
  return { ahead_first, ahead, seen };
}

function fromNothing({ ahead_first, ahead, seen }: LaneState): LaneChange {
  return { ahead_first, ahead_added: ahead, ahead_taken: [], seen };
}
