import type { Corruption } from '../../journal/inspect.ts';
import { Survey } from '../../journal/inspect-survey.ts';
import { EXIT, type ExitCode, type Host } from '../host.ts';
import { type FoundJournal, lookInto, ownerText, placeText } from './look.ts';
import { countText, sizeText, visible } from './text.ts';
import { walkLog } from './walk.ts';

export interface VerifyFlags {
  readonly json?: boolean;
}

/** What a damaged place comes to, by what the journal calls it. */
const MEANINGS: Readonly<Record<string, string>> = {
  'segment header': 'nothing is lost: its content is found by the journal id of the others',
  'commit header': 'its records are found without it, as far as they are whole',
  'record body': 'the events of this record are lost, those around it are not',
  'commit trailer': 'only the mark that ends this commit: its records are whole',
  'record header': 'this record and the rest of its commit are lost',
  'another journal': 'this file is of another journal; logboom will move it aside',
};
const OTHERWISE = 'what stands here cannot be read; reading goes on at the next whole commit';

interface Verdict {
  readonly survey: Survey;
  /** Places, the last commit among them if nobody can be writing it. */
  readonly damage: readonly Corruption[];
  readonly damage_count: number;
  /** Names of outputs whose place cannot be read. */
  readonly damaged_cursors: readonly string[];
  /** The last commit, which is being written or never was. */
  readonly unfinished: Corruption | undefined;
}

/** `logboom buffer verify DIR`: checks every checksum. Code 1: something is damaged. */
export async function verifyBuffer(
  host: Host,
  dir: string,
  flags: VerifyFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const journal = await lookInto(host, dir);
  const survey = new Survey(journal);
  for await (const item of walkLog(host, journal, {}, signal)) survey.add(item);
  const verdict = judge(journal, survey);
  host.stdout.write(flags.json === true ? asJson(journal, verdict) : asText(journal, verdict));
  if (signal.aborted) {
    host.stderr.write('logboom: stopped early: what is behind was not checked\n');
    return EXIT.failure;
  }
  return verdict.damage_count + verdict.damaged_cursors.length > 0 ? EXIT.failure : EXIT.ok;
}

/** An owner that closed its journal has left no commit unfinished. */
function judge({ owner, cursors }: FoundJournal, survey: Survey): Verdict {
  const tail_is_damage = survey.tail !== undefined && owner?.closed === true;
  const tail = survey.tail === undefined ? [] : [survey.tail];
  return {
    survey,
    damage: [...survey.damage, ...(tail_is_damage ? tail : [])],
    damage_count: survey.damage_count + (tail_is_damage ? 1 : 0),
    damaged_cursors: cursors.flatMap(({ name, slot }) => (slot === undefined ? [name] : [])),
    unfinished: tail_is_damage ? undefined : survey.tail,
  };
}

function asText(journal: FoundJournal, verdict: Verdict): string {
  const { survey, damage, damage_count, damaged_cursors, unfinished } = verdict;
  const bytes = journal.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const lines = [
    `${countText(journal.segments.length, 'segment')}, ${sizeText(bytes)}, ` +
      `${countText(survey.events, 'event')} readable; owner: ${ownerText(journal)}`,
  ];
  for (const { path, offset, bytes: damaged_bytes, what } of damage) {
    const meaning = MEANINGS[what] ?? OTHERWISE;
    lines.push(`${placeText(path, offset)}: ${damaged_bytes} bytes, ${what}: ${meaning}`);
  }
  if (damage_count > damage.length) lines.push(`... ${damage_count} damaged places in all`);
  for (const name of damaged_cursors) {
    lines.push(
      `output ${visible(name)}: its place is damaged; it will begin with the oldest event`,
    );
  }
  if (unfinished !== undefined) {
    const { path, offset, bytes: torn_bytes } = unfinished;
    lines.push(
      `${placeText(path, offset)}: the last commit is not whole (${torn_bytes} bytes): ` +
        'it is being written, or was when logboom was killed; nothing of it was acked',
    );
  }
  lines.push(lossText(survey, damage));
  const is_whole = damage_count + damaged_cursors.length === 0;
  lines.push(is_whole ? 'every checksum is right' : 'DAMAGED');
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

/** How many events are lost; not known where no readable record follows the damage. */
function lossText({ lost_events, lost_is_exact }: Survey, damage: readonly Corruption[]): string {
  const is_exact = lost_is_exact && !damage.some(({ is_tail }) => is_tail);
  if (is_exact) return lost_events === 0 ? '' : `lost: ${countText(lost_events, 'event')}`;
  return lost_events === 0
    ? 'lost: not known, since no readable record follows the damage'
    : `lost: at least ${countText(lost_events, 'event')}`;
}

function asJson(journal: FoundJournal, verdict: Verdict): string {
  const { survey, damage, damage_count, damaged_cursors, unfinished } = verdict;
  const report = {
    directory: journal.directory,
    journal_id: journal.journal_id.toString('hex'),
    intact: damage_count + damaged_cursors.length === 0,
    segments: journal.segments.length,
    events: survey.events,
    damage_count,
    damage: damage.map(({ path, offset, bytes, what }) => ({
      path,
      offset,
      bytes,
      what,
      meaning: MEANINGS[what] ?? OTHERWISE,
    })),
    damaged_cursors,
    lost_events: survey.lost_events,
    lost_is_exact: survey.lost_is_exact,
    unfinished_commit:
      unfinished === undefined
        ? null
        : { path: unfinished.path, offset: unfinished.offset, bytes: unfinished.bytes },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
