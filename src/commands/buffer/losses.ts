import { basename, join } from 'node:path';
import { inspectDirectory } from '../../journal/inspect.ts';
import type { LostRange, Survey } from '../../journal/inspect-survey.ts';
import { segmentName } from '../../journal/segments.ts';
import { DROP_WORDS } from '../../status/drop-words.ts';
import type { FoundJournal } from './look.ts';
import { countText, visible } from './text.ts';

/** Events that a journal once held, and that cannot be read any more. */
export interface Losses {
  readonly events: number;
  /** False: there may be more, since no readable record follows. */
  readonly is_exact: boolean;
  readonly by_reason: Readonly<Partial<Record<LostRange['reason'], number>>>;
  /** Of these, what each output had not delivered; null: its place cannot be read. */
  readonly by_output: Readonly<Record<string, number | null>>;
  /** The segment that was created last, if its file is gone. */
  readonly newest_gone: string | undefined;
}

/** What a walk over the whole log found to be lost. */
export async function lossesOf(journal: FoundJournal, survey: Survey): Promise<Losses> {
  const { cursors } = journal;
  const ranges = await withoutDeleted(journal, survey.lost);
  const by_reason: Partial<Record<LostRange['reason'], number>> = {};
  for (const { reason, events } of ranges) by_reason[reason] = (by_reason[reason] ?? 0) + events;
  const undelivered = cursors.map(({ name, slot }): [string, number | null] => [
    name,
    slot === undefined ? null : behind(ranges, slot.at.events_before),
  ]);
  return {
    events: ranges.reduce((sum, { events }) => sum + events, 0),
    is_exact: survey.lost_is_exact,
    by_reason,
    by_output: Object.fromEntries(undelivered),
    newest_gone: newestGone(journal),
  };
}

/** A relay that runs deletes segments that every output is done with, also while they are walked. */
async function withoutDeleted(
  { directory }: FoundJournal,
  ranges: readonly LostRange[],
): Promise<readonly LostRange[]> {
  if (!ranges.some(({ reason }) => reason === 'missing_segment')) return ranges;
  const { segments } = await inspectDirectory(directory);
  const oldest_seq = segments[0]?.first_seq ?? 0;
  return ranges.filter(
    ({ reason, end_seq }) => reason !== 'missing_segment' || end_seq > oldest_seq,
  );
}

function behind(ranges: readonly LostRange[], at_events: number): number {
  return ranges.reduce((sum, { events, from_events, end_events }) => {
    return sum + Math.min(events, Math.max(0, end_events - Math.max(from_events, at_events)));
  }, 0);
}

/** It is noted in the LOCK file once it is there. */
function newestGone({ directory, owner, segments }: FoundJournal): string | undefined {
  const newest_seq = owner?.newest_segment ?? 0;
  if (newest_seq <= (segments.at(-1)?.first_seq ?? 0)) return undefined;
  return join(directory, segmentName(newest_seq));
}

/** For a person; no lines: nothing is lost. */
export function lossLines(losses: Losses, is_damaged: boolean): string[] {
  const { events, is_exact, by_reason, by_output, newest_gone } = losses;
  const lines: string[] = [];
  if (newest_gone !== undefined) {
    lines.push(`${basename(newest_gone)} is gone: the segment that was created last`);
  }
  if (events === 0 && !is_exact) {
    return [...lines, 'lost: not known, since no readable record follows the damage'];
  }
  if (events === 0 && newest_gone !== undefined) {
    return [...lines, 'lost: not known, since nothing is left behind it'];
  }
  if (events === 0) return is_damaged ? ['lost: no event'] : [];
  const count = `${is_exact ? '' : 'at least '}${countText(events, 'event')}`;
  lines.push(`lost: ${count}${reasonsText(by_reason)}`);
  for (const [name, undelivered] of Object.entries(by_output)) {
    if (undelivered === null || undelivered === 0) continue;
    const number = undelivered.toLocaleString('en-US');
    lines.push(`output ${visible(name)} had not delivered ${number} of them`);
  }
  return lines;
}

function reasonsText(by_reason: Losses['by_reason']): string {
  const reasons = Object.entries(by_reason);
  const words = (reason: string): string => `${DROP_WORDS[reason] ?? reason} (${reason})`;
  const [only] = reasons;
  if (only !== undefined && reasons.length === 1) return ` ${words(only[0])}`;
  const each = reasons.map(
    ([reason, events]) => `${events.toLocaleString('en-US')} ${words(reason)}`,
  );
  return `: ${each.join(', ')}`;
}
