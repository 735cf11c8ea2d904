import { basename } from 'node:path';
import { POSITION_SPACE, Positions } from '../../inputs/logfile/positions.ts';
import { inspectLog } from '../../journal/inspect.ts';
import { type SegmentSurvey, Survey, type TagSurvey } from '../../journal/inspect-survey.ts';
import { Spaces } from '../../journal/spaces.ts';
import { EXIT, type ExitCode, type Host } from '../host.ts';
import { columnsOf } from '../terminal.ts';
import { endedEarly } from './ended-early.ts';
import { type FoundJournal, lookInto, ownerText } from './look.ts';
import { countText, sizeText, tableText, timeText, visible } from './text.ts';
import { walkLog } from './walk.ts';

export interface LsFlags {
  readonly json?: boolean;
}

/** More tags are shown by `--json` only. */
const TAGS_SHOWN_MAX = 50;

interface Lag {
  readonly output: string;
  readonly is_damaged: boolean;
  readonly next_seq: number;
  readonly events: number;
  readonly bytes: number;
  /** Not delivered, and deleted by a trim; the next start counts them. */
  readonly missing_events: number;
}

interface Found {
  readonly journal: FoundJournal;
  readonly survey: Survey;
  readonly lags: readonly Lag[];
  /** Durable places of sources; undefined: no snapshot is whole. */
  readonly positions: number | undefined;
}

/**
 * `logboom buffer ls DIR`: segments, tags, outputs with what waits for them, positions.
 * It reads what frames the events, not the events: damage in those shows in `verify`.
 */
export async function listBuffer(
  host: Host,
  dir: string,
  flags: LsFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const journal = await lookInto(host, dir);
  const survey = new Survey(journal);
  for await (const item of walkLog(host, journal, { bodies: false }, signal)) survey.add(item);
  const positions = await countPositions(journal);
  const lags = lagsOf(journal, survey);
  const found = { journal, survey, lags, positions };
  host.stdout.write(flags.json === true ? asJson(found) : asText(found, columnsOf(host)));
  return endedEarly(host, signal) ? EXIT.failure : EXIT.ok;
}

/** Durable places of sources, from the last whole snapshot on; undefined: no snapshot is whole. */
async function countPositions(journal: FoundJournal): Promise<number | undefined> {
  const from_seq = journal.segments.at(-1)?.first_seq ?? 0;
  const positions = new Positions();
  let spaces: Spaces | undefined;
  for await (const item of inspectLog(journal.directory, { from_seq })) {
    if (item.type !== 'state') continue;
    if (item.kind === 'snapshot') {
      spaces = new Spaces(new Map([[POSITION_SPACE, positions]]));
      spaces.restore(item.body);
    } else spaces?.apply(item.body);
  }
  return spaces === undefined ? undefined : positions.size;
}

/**
 * What waits of what is there: a trim may have deleted the place of an output. It may also be
 * newer than the walk: then nothing waits.
 */
function lagsOf({ cursors, segments }: FoundJournal, { end }: Survey): Lag[] {
  const begin = segments[0]?.header?.first;
  return cursors.map(({ name, slot }) => {
    const is_gone = slot !== undefined && begin !== undefined && slot.at.seq < begin.seq;
    const at = slot === undefined || is_gone ? begin : slot.at;
    return {
      output: name,
      is_damaged: slot === undefined,
      next_seq: at?.seq ?? 0,
      events: Math.max(0, (end?.events_before ?? 0) - (at?.events_before ?? 0)),
      bytes: Math.max(0, (end?.bytes_before ?? 0) - (at?.bytes_before ?? 0)),
      missing_events: is_gone ? begin.events_before - slot.at.events_before : 0,
    };
  });
}

function asText({ journal, survey, lags, positions }: Found, columns_max: number): string {
  const bytes = journal.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const head = [
    `journal ${journal.journal_id.toString('hex')}, ${sizeText(bytes)}, ${countText(survey.events, 'event')}`,
    `owner: ${ownerText(journal)}`,
    `positions of sources: ${positions ?? 'not known: the last snapshot is damaged'}`,
  ];
  if (survey.tail !== undefined) head.push('the last commit is not whole: see verify');
  const parts = [
    segmentTable(survey.segments, columns_max),
    tagTable(survey.tags(), columns_max),
    outputTable(lags, columns_max),
  ];
  return `${head.join('\n')}\n\n${parts.filter((part) => part !== '').join('\n')}`;
}

function segmentTable(segments: readonly SegmentSurvey[], columns_max: number): string {
  const titles = ['segment', 'seqs', '>events', '>size', 'first commit', 'last commit', 'damage'];
  const rows = segments.map((segment) => [
    basename(segment.path),
    segment.records === 0 ? 'none' : `${segment.first_seq}-${segment.end_seq - 1}`,
    String(segment.events),
    sizeText(segment.bytes),
    timeText(segment.committed_first_ms),
    timeText(segment.committed_last_ms),
    segment.damaged_places === 0 ? '' : countText(segment.damaged_places, 'place'),
  ]);
  return tableText(titles, rows, columns_max);
}

function tagTable(tags: readonly TagSurvey[], columns_max: number): string {
  if (tags.length === 0) return '';
  const rows = tags
    .slice(0, TAGS_SHOWN_MAX)
    .map(({ tag, events, body_bytes, time_max_s }) => [
      tag?.toString() ?? '(other tags)',
      String(events),
      sizeText(body_bytes),
      timeText(time_max_s * 1000),
    ]);
  const hidden = tags.length - rows.length;
  const more = hidden > 0 ? `... and ${countText(hidden, 'tag')} more\n` : '';
  return tableText(['tag', '>events', '>size', 'newest event'], rows, columns_max) + more;
}

function outputTable(lags: readonly Lag[], columns_max: number): string {
  if (lags.length === 0) return 'no output has a place in this journal\n';
  const rows = lags.map(({ output, is_damaged, next_seq, events, bytes }) => [
    output,
    is_damaged ? 'damaged' : String(next_seq),
    String(events),
    sizeText(bytes),
  ]);
  const titles = ['output', '>next seq', '>events waiting', '>size'];
  const gone = lags.flatMap(({ output, next_seq, missing_events }) =>
    missing_events === 0
      ? []
      : `output ${visible(output)}: ${countText(missing_events, 'event')} before seq ${next_seq} ` +
        `${missing_events === 1 ? 'is' : 'are'} gone; the next start counts them as missing_segment\n`,
  );
  return tableText(titles, rows, columns_max) + gone.join('');
}

function asJson({ journal, survey, lags, positions }: Found): string {
  const { directory, journal_id, owner } = journal;
  const report = {
    directory,
    journal_id: journal_id.toString('hex'),
    owner: owner ?? null,
    positions: positions ?? null,
    segments: survey.segments,
    tags: survey
      .tags()
      .map(({ tag, ...figures }) => ({ tag: tag?.toString() ?? null, ...figures })),
    outputs: lags,
    last_commit_is_whole: survey.tail === undefined,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
