import { lineKey } from '../../logfile/line-key.ts';
import type { LogLine, LogPlace, Source } from '../../logfile/types.ts';
import { encodeChange } from './merge-codec.ts';
import type { MergeState } from './merge-states.ts';
import { Lane, type LaneLimits } from './reconcile.ts';

/** What a line of the cache is compared by with what the stream showed. */
type LineKey = (line: LogLine, sub_second: boolean) => number;

/**
 * The merge of one container, in memory: a lane for each source, and one place in the
 * cache for both, since a line of either moves it. Pure.
 */
export class MergeCore {
  readonly #container_id: string;
  readonly #keyOf: LineKey;
  readonly #lanes: readonly [Lane, Lane];
  /** Times as the driver sends them: with nanoseconds, or in whole seconds. */
  sub_second: boolean;
  #journaled: LogPlace;
  #moved = false;

  /** @param start where its cache is read from if there is no `state` */
  constructor(
    container_id: string,
    state: MergeState | undefined,
    start: LogPlace,
    sub_second: boolean,
    { limits, keyOf = lineKey }: { limits?: LaneLimits; keyOf?: LineKey } = {},
  ) {
    this.#container_id = container_id;
    this.#keyOf = keyOf;
    this.#lanes = [new Lane(state?.lanes[0], limits), new Lane(state?.lanes[1], limits)];
    this.#journaled = state?.journaled ?? start;
    this.sub_second = sub_second;
  }

  /** Every line of the cache before it is in the journal, or in the commit that is filling. */
  get journaled(): LogPlace {
    return this.#journaled;
  }

  lane(source: Source): Lane {
    return this.#lanes[source];
  }

  keyOf(line: LogLine): number {
    return this.#keyOf(line, this.sub_second);
  }

  moveTo(place: LogPlace): void {
    this.#journaled = place;
    this.#moved = true;
  }

  /** The entry that puts what was judged into the commit of its events; undefined: nothing was. */
  takeEntry(): Buffer | undefined {
    const [stdout, stderr] = this.#lanes;
    if (!this.#moved && !stdout.isChanged && !stderr.isChanged) return undefined;
    this.#moved = false;
    return encodeChange({
      container_id: this.#container_id,
      journaled: this.#journaled,
      lanes: [stdout.takeChange(), stderr.takeChange()],
    });
  }
}
