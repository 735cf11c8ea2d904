import type { FoundSegment } from './found-segments.ts';
import type { InspectedJournal } from './inspect.ts';

/** What is to be taken away. Without `before_seq` and `before_ms`: what every output is done with. */
export interface TrimWish {
  /** Segments with nothing but records before it. */
  readonly before_seq?: number | undefined;
  /** Segments whose last commit is older. Wall clock. */
  readonly before_ms?: number | undefined;
}

export interface TrimPlan {
  /** Oldest first; the order in which to delete them. */
  readonly segments: readonly FoundSegment[];
  readonly bytes: number;
  /** What outputs would lose that have not delivered it. Empty: the trim is safe. */
  readonly losses: readonly TrimLoss[];
  /** Every output is done with what comes before it; undefined: no output has a place. */
  readonly done_seq: number | undefined;
}

interface TrimLoss {
  /** `(no output)` where none has a place yet: those to come may be told to begin with the oldest. */
  readonly output: string;
  readonly events: number;
}

const NO_OUTPUT = '(no output)';

/**
 * Which segments a trim takes away. Pure.
 *
 * Invariants:
 * - they are the oldest ones, without a gap: what is left is still one log
 * - never the last: its snapshot is all the state there is
 */
export function planTrim(
  journal: Pick<InspectedJournal, 'segments' | 'cursors'>,
  wish: TrimWish,
): TrimPlan {
  const { segments, cursors } = journal;
  // A damaged place: that output begins with the oldest record again.
  const seqs = cursors.map(({ slot }) => slot?.at.seq ?? 0);
  const done_seq = seqs.length === 0 ? undefined : Math.min(...seqs);
  const is_forced = wish.before_seq !== undefined || wish.before_ms !== undefined;
  const seq = wish.before_seq ?? (is_forced ? Number.POSITIVE_INFINITY : (done_seq ?? 0));
  const ms = wish.before_ms ?? Number.POSITIVE_INFINITY;
  let count = 0;
  for (const next of segments.slice(1)) {
    // Without its header it is not known when it began.
    const begun_ms = next.header?.created_ms ?? Number.POSITIVE_INFINITY;
    const is_old = ms === Number.POSITIVE_INFINITY || begun_ms <= ms;
    if (next.first_seq > seq || !is_old) break;
    count += 1;
  }
  const taken = segments.slice(0, count);
  const left = segments[count];
  return {
    segments: taken,
    bytes: taken.reduce((sum, { bytes }) => sum + bytes, 0),
    losses: count === 0 || left === undefined ? [] : lossesOf(journal, left),
    done_seq,
  };
}

function lossesOf(
  { segments, cursors }: Pick<InspectedJournal, 'segments' | 'cursors'>,
  left: FoundSegment,
): TrimLoss[] {
  const end_events = left.header?.first.events_before ?? 0;
  const begin_events = segments[0]?.header?.first.events_before ?? 0;
  if (cursors.length === 0) {
    return [{ output: NO_OUTPUT, events: Math.max(0, end_events - begin_events) }];
  }
  return cursors.flatMap(({ name, slot }) => {
    if (slot !== undefined && slot.at.seq >= left.first_seq) return [];
    const at_events = Math.max(begin_events, slot?.at.events_before ?? begin_events);
    return [{ output: name, events: Math.max(0, end_events - at_events) }];
  });
}
