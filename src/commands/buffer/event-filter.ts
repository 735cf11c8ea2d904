import { parseDuration } from '../../config/units.ts';
import { LogboomError } from '../../errors.ts';
import type { JournalRecord } from '../../journal/types.ts';
import { compileTagPatterns, type TagMatcher } from '../../outputs/glob.ts';
import { TIME_FORM, type TimeReading } from '../../protocol/event-time.ts';
import type { FoundJournal } from './look.ts';

/** Flags that choose events, as commander gives them. */
export interface FilterFlags {
  readonly tag?: string;
  readonly since?: string;
  readonly until?: string;
  readonly output?: string;
  readonly limit?: string;
}

/** Which events of a journal are meant. Times are milliseconds since 1970. */
export interface EventFilter {
  /** Records before it are not. */
  readonly from_seq: number;
  readonly matches: TagMatcher;
  readonly since_ms: number;
  /** Events at this time and later are not. */
  readonly until_ms: number;
  /** No more than so many. */
  readonly limit: number;
}

/** @throws LB_USAGE for a flag that cannot be understood, or an output without a place in the journal */
export function parseFilter(
  flags: FilterFlags,
  journal: Pick<FoundJournal, 'cursors'>,
  now_ms: number,
): EventFilter {
  return {
    from_seq: flags.output === undefined ? 0 : cursorSeq(flags.output, journal),
    matches: tagMatcher(flags.tag ?? '**'),
    since_ms: parseTime('--since', flags.since, now_ms) ?? Number.NEGATIVE_INFINITY,
    until_ms: parseTime('--until', flags.until, now_ms) ?? Number.POSITIVE_INFINITY,
    limit: parseCount('--limit', flags.limit) ?? Number.POSITIVE_INFINITY,
  };
}

/** Whether some event of the record may be meant. */
export function mayHold(filter: EventFilter, record: JournalRecord): boolean {
  if (!filter.matches(record.tag)) return false;
  const { time_min_s, time_max_s, committed_ms } = record;
  // An event without a time is taken at the time of its commit.
  const from_ms = time_max_s === 0 ? committed_ms : Math.min(time_min_s * 1000, committed_ms);
  // The range may be of whole seconds.
  const to_ms = Math.max((time_max_s + 1) * 1000, committed_ms);
  return to_ms >= filter.since_ms && from_ms < filter.until_ms;
}

/** Whether an event of the record is meant. */
export function takesTime(filter: EventFilter, time: TimeReading, committed_ms: number): boolean {
  const has_time = time.form === TIME_FORM.kept || time.form === TIME_FORM.rewritten;
  const time_ms = has_time ? time.seconds * 1000 + time.nanoseconds / 1e6 : committed_ms;
  return time_ms >= filter.since_ms && time_ms < filter.until_ms;
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** A moment (`2026-11-23T10:00:00Z`; UTC unless it says otherwise), or how long ago it was (`10m`). */
export function parseTime(
  flag: string,
  text: string | undefined,
  now_ms: number,
): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago.ok) return now_ms - ago.value;
  const [, date, time = '00:00', zone = 'Z'] = MOMENT.exec(text) ?? [];
  const time_ms = date === undefined ? Number.NaN : Date.parse(`${date}T${time}${zone}`);
  if (!Number.isNaN(time_ms)) return time_ms;
  const meant = ago.suggestion === undefined ? '' : `Did you mean ${ago.suggestion}? `;
  throw new LogboomError('LB_USAGE', `${flag} ${text}: it is neither a time nor a duration`, {
    hint: `${meant}Use 10m or 1h30m for so long ago, or a moment: 2026-11-23T10:00:00Z, or 2026-11-23.`,
  });
}

export function parseCount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new LogboomError('LB_USAGE', `${flag} ${text}: it is not a whole number from 1 on`);
}

function tagMatcher(patterns: string): TagMatcher {
  try {
    return compileTagPatterns(patterns);
  } catch (error) {
    if (!(error instanceof LogboomError)) throw error;
    const { message, hint } = error;
    throw new LogboomError('LB_USAGE', `--tag ${patterns}: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function cursorSeq(name: string, { cursors }: Pick<FoundJournal, 'cursors'>): number {
  const cursor = cursors.find((each) => each.name === name);
  if (cursor?.slot !== undefined) return cursor.slot.at.seq;
  const names = cursors.map((each) => each.name).join(', ') || 'none';
  throw new LogboomError(
    'LB_USAGE',
    cursor === undefined
      ? `--output ${name}: no output of that name has a place in this journal`
      : `--output ${name}: its place in this journal is damaged`,
    {
      hint:
        cursor === undefined
          ? `There are: ${names}.`
          : 'The output will begin with the oldest event: leave --output away.',
    },
  );
}
