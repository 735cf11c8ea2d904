import type { Corruption } from '../../journal/inspect.ts';
import { Survey } from '../../journal/inspect-survey.ts';
import { EXIT, type ExitCode, type Host } from '../host.ts';
import { endedEarly } from './ended-early.ts';
import { type FoundJournal, lookInto, ownerText, placeText } from './look.ts';
import { type Losses, lossesOf, lossLines } from './losses.ts';
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
  readonly losses: Losses;
  /** Nothing is damaged, and no file is gone. */
  readonly intact: boolean;
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
  const verdict = judge(journal, survey, await lossesOf(journal, survey));
  host.stdout.write(flags.json === true ? asJson(journal, verdict) : asText(journal, verdict));
  return !endedEarly(host, signal) && verdict.intact ? EXIT.ok : EXIT.failure;
}

/** An owner that closed its journal has left no commit unfinished. */
function judge({ owner, cursors }: FoundJournal, survey: Survey, found: Losses): Verdict {
  const tail_is_damage = survey.tail !== undefined && owner?.closed === true;
  const tail = survey.tail === undefined ? [] : [survey.tail];
  const damage_count = survey.damage_count + (tail_is_damage ? 1 : 0);
  const damaged_cursors = cursors.flatMap(({ name, slot }) => (slot === undefined ? [name] : []));
  const losses = { ...found, is_exact: found.is_exact && !tail_is_damage };
  const is_gone = losses.newest_gone !== undefined || losses.events > 0;
  return {
    survey,
    damage: [...survey.damage, ...(tail_is_damage ? tail : [])],
    damage_count,
    damaged_cursors,
    unfinished: tail_is_damage ? undefined : survey.tail,
    losses,
    intact: damage_count + damaged_cursors.length === 0 && !is_gone,
  };
}

function asText(journal: FoundJournal, verdict: Verdict): string {
  const { survey, damage, damage_count, damaged_cursors, unfinished, losses } = verdict;
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
  lines.push(...lossLines(losses, damage_count > 0));
  lines.push(verdict.intact ? 'every checksum is right' : 'DAMAGED');
  return `${lines.join('\n')}\n`;
}

function asJson(journal: FoundJournal, verdict: Verdict): string {
  const { survey, damage, damage_count, damaged_cursors, unfinished, losses } = verdict;
  const report = {
    directory: journal.directory,
    journal_id: journal.journal_id.toString('hex'),
    intact: verdict.intact,
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
    lost_events: losses.events,
    lost_is_exact: losses.is_exact,
    lost_by_reason: losses.by_reason,
    lost_by_output: losses.by_output,
    newest_segment_gone: losses.newest_gone ?? null,
    unfinished_commit:
      unfinished === undefined
        ? null
        : { path: unfinished.path, offset: unfinished.offset, bytes: unfinished.bytes },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
