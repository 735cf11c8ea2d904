import { type InspectedJournal, inspectDirectory, inspectLog } from '../journal/inspect.ts';
import { Survey } from '../journal/inspect-survey.ts';

/**
 * What a journal directory tells of a relay that cannot be asked. Plain JSON; `null` where
 * something is not known.
 */
export interface StoppedStatus {
  /** `not_asked`: its last owner did not close the journal; it may run, or may have crashed. */
  readonly state: 'stopped' | 'not_asked';
  readonly now_ms: number;
  /** Of the last owner. */
  readonly pid: number | null;
  readonly dir: string;
  readonly bytes: number;
  readonly segments: number;
  /** When the oldest event that is still there came; null: there is none. */
  readonly oldest_ms: number | null;
  /** Since the journal's creation. */
  readonly events: number | null;
  readonly outputs: readonly StoppedOutput[];
  /** Places of damage in the newest segment, and segments whose header cannot be read. */
  readonly damaged_places: number;
  /** One that answers where this journal's relay was looked for. */
  readonly other_relay: OtherRelay | null;
}

export interface OtherRelay {
  readonly url: string;
  /** Of its journal. */
  readonly dir: string;
}

export interface StoppedOutput {
  readonly name: string;
  /** What waits for it; null: its cursor, or the journal's end, cannot be read. */
  readonly lag_events: number | null;
  readonly lag_bytes: number | null;
}

/**
 * Reads a journal directory, and writes nothing. Only the newest segment is walked, and the
 * oldest one up to its first event, so the time that it takes does not grow with the journal.
 *
 * @throws LB_JOURNAL_VERSION; an error of the file system if it cannot be read
 */
export async function stoppedStatus(
  directory: string,
  now_ms: number,
  other_relay: OtherRelay | null = null,
): Promise<StoppedStatus> {
  const found = await inspectDirectory(directory);
  const { owner, segments, cursors } = found;
  const survey = await surveyEnd(directory, found);
  const begin = segments[0]?.header?.first;
  const end = survey.end ?? segments.at(-1)?.header?.first;
  const unreadable = segments.slice(0, -1).filter(({ header }) => header === undefined).length;
  return {
    state: owner?.closed === true ? 'stopped' : 'not_asked',
    now_ms,
    pid: owner?.pid ?? null,
    dir: directory,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    segments: segments.length,
    oldest_ms: await oldestEventMs(directory),
    events: end?.events_before ?? null,
    outputs: cursors.map(({ name, slot }) => {
      if (end === undefined || slot === undefined)
        return { name, lag_events: null, lag_bytes: null };
      // A trim may have taken what it had not delivered: that waits no more.
      const at = begin !== undefined && begin.seq > slot.at.seq ? begin : slot.at;
      return {
        name,
        lag_events: Math.max(0, end.events_before - at.events_before),
        lag_bytes: Math.max(0, end.bytes_before - at.bytes_before),
      };
    }),
    damaged_places: survey.damage_count + unreadable,
    other_relay,
  };
}

/** When the commit of the oldest event that is there was made; null: there is none. */
async function oldestEventMs(directory: string): Promise<number | null> {
  for await (const item of inspectLog(directory, { bodies: false })) {
    if (item.type === 'record') return item.record.committed_ms;
  }
  return null;
}

async function surveyEnd(directory: string, { segments }: InspectedJournal): Promise<Survey> {
  const newest = segments.slice(-1);
  const survey = new Survey({ segments: newest });
  const from_seq = newest[0]?.first_seq ?? 0;
  for await (const item of inspectLog(directory, { from_seq })) survey.add(item);
  return survey;
}
