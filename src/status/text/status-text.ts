import { DROP_WORDS } from '../drop-words.ts';
import { counted, humanCount, humanDuration, humanRate, humanSize } from '../human.ts';
import type {
  ContainerStatus,
  JournalStatus,
  OutputStatus,
  Problem,
  RelayStatus,
} from '../types.ts';
import { harmless, type Look, type Paint } from './style.ts';
import { type Column, needed, tableLines } from './table.ts';

/**
 * The snapshot for a person, as lines without their newlines.
 *
 * @param columns_max of the terminal: names are cut where its tables would be wider
 */
export function statusLines(status: RelayStatus, paint: Paint, columns_max?: number): string[] {
  const { outputs, containers, now_ms } = status;
  const shown_of_containers = needed(containerColumns(now_ms), containers);
  const parts = [
    [headline(status, paint), ...problemLines(status.problems, paint)],
    flowLines(status, paint),
    tableLines(outputColumns(now_ms, paint), outputs, paint, columns_max),
    tableLines(shown_of_containers, containers, paint, columns_max),
    dropLines(status.dropped, paint, columns_max),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .flatMap((lines, at) => (at === 0 ? lines : ['', ...lines]));
}

function headline({ version, pid, state, started_ms, now_ms }: RelayStatus, paint: Paint): string {
  const up = `up ${humanDuration(now_ms - started_ms)}`;
  const about = `pid ${pid}, ${up}`;
  return `${paint('bold', `logboom ${version}`)}  ${state}  ${paint('dim', about)}`;
}

const LEVELS: Readonly<Record<Problem['level'], readonly [mark: string, look: Look]>> = {
  error: ['✗', 'red'],
  warning: ['!', 'yellow'],
};

function problemLines(problems: readonly Problem[], paint: Paint): string[] {
  if (problems.length === 0) return [`${paint('green', '✓')} all is well`];
  return problems.map(({ level, where, text }) => {
    const [mark, look] = LEVELS[level];
    return `${paint(look, mark)} ${paint('bold', harmless(where))}: ${harmless(text)}`;
  });
}

// ── in, journal, out ─────────────────────────────────────────────────────────

function flowLines({ rates, inputs, journal, outputs }: RelayStatus, paint: Paint): string[] {
  const urls = inputs.listeners.map(({ url }) => url).join(', ');
  const clients = counted(inputs.connections_open, 'connection');
  const running = outputs.filter(({ state }) => state === 'running').length;
  const row = (label: string, ...words: readonly string[]): string =>
    `${paint('dim', label.padEnd(LABEL_COLUMNS))}${words.filter((word) => word !== '').join(', ')}`;
  return [
    row('in', rate(rates.events_in_per_s, rates.bytes_in_per_s), clients, urls && `on ${urls}`),
    row('journal', ...journalWords(journal)),
    row(
      'out',
      rate(rates.events_out_per_s, rates.bytes_out_per_s),
      `${running} of ${counted(outputs.length, 'output')} running`,
    ),
  ];
}

const LABEL_COLUMNS = 9;

const rate = (events_per_s: number, bytes_per_s: number): string =>
  `${humanRate(events_per_s)} events/s (${humanSize(bytes_per_s)}/s)`;

function journalWords(journal: JournalStatus): string[] {
  const { bytes, max_bytes, room_left_bytes, segments, oldest_ms, dir } = journal;
  const oldest = oldest_ms === null ? 'empty' : `oldest event ${clockTime(oldest_ms)}`;
  return [
    `${humanSize(bytes)} of ${humanSize(max_bytes)}`,
    `room for ${humanSize(room_left_bytes)}`,
    counted(segments, 'segment'),
    oldest,
    `in ${harmless(dir)}`,
  ];
}

/** `2026-11-23 10:00:00Z`. */
function clockTime(time_ms: number): string {
  return `${new Date(time_ms).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

// ── outputs ──────────────────────────────────────────────────────────────────

const STATE_LOOKS: Readonly<Record<OutputStatus['state'], Look>> = {
  starting: 'yellow',
  running: 'green',
  retrying: 'red',
  stopped: 'yellow',
};

function outputColumns(now_ms: number, paint: Paint): Column<OutputStatus>[] {
  return [
    { title: 'OUTPUT', shrinks: true, cell: ({ name }) => harmless(name) },
    { title: 'TYPE', cell: ({ type }) => type },
    { title: 'STATE', cell: ({ state }) => paint(STATE_LOOKS[state], state) },
    { title: 'EVENTS/S', align: 'right', cell: (output) => humanRate(output.events_per_s) },
    { title: 'SENT', align: 'right', cell: ({ events_out }) => humanCount(events_out) },
    { title: 'WAITING', align: 'right', cell: waitingCell },
    { title: 'OLDEST', align: 'right', cell: (output) => ageCell(output.oldest_age_ms) },
    { title: 'IN FLIGHT', align: 'right', cell: (output) => humanCount(output.chunks_in_flight) },
    { title: 'RETRIES', align: 'right', cell: ({ retries }) => humanCount(retries) },
    { title: 'LAST ERROR', runs_on: true, cell: (output) => errorCell(output, now_ms) },
  ];
}

function waitingCell({ lag_events, lag_bytes }: OutputStatus): string {
  if (lag_events === null) return '?';
  if (lag_events === 0) return '0';
  return lag_bytes === null
    ? humanCount(lag_events)
    : `${humanCount(lag_events)} (${humanSize(lag_bytes)})`;
}

const ageCell = (age_ms: number | null): string => (age_ms === null ? '-' : humanDuration(age_ms));

function errorCell(output: OutputStatus, now_ms: number): string {
  const { last_error, last_error_ms, has_recovered } = output;
  if (last_error === null) return '-';
  const when = [
    last_error_ms === null ? '' : `${humanDuration(now_ms - last_error_ms)} ago`,
    has_recovered ? 'since recovered' : '',
  ].filter((word) => word !== '');
  const lead = when.length === 0 ? '' : `${when.join(', ')}: `;
  return `${lead}${harmless(last_error)}`;
}

// ── containers ───────────────────────────────────────────────────────────────

const HOW_WORDS: Readonly<Record<ContainerStatus['how'], string>> = {
  'json-file': 'json-file log',
  local: 'local log',
  cri: 'CRI log',
  merged: 'stream and cache',
  api: 'Engine API',
};

function containerColumns(now_ms: number): Column<ContainerStatus>[] {
  const some = (count: number): string => (count === 0 ? '' : humanCount(count));
  return [
    {
      title: 'CONTAINER',
      shrinks: true,
      cell: ({ name, id }) => harmless(name) || id.slice(0, 12),
    },
    { title: 'READ FROM', cell: ({ how }) => HOW_WORDS[how] },
    { title: 'LINES/S', align: 'right', cell: (each) => humanRate(each.lines_per_s) },
    { title: 'LINES', align: 'right', cell: ({ lines }) => humanCount(lines) },
    { title: 'LAST', align: 'right', cell: ({ last_line_s }) => lastCell(last_line_s, now_ms) },
    { title: 'FROM CACHE', align: 'right', cell: ({ recovered }) => some(recovered) },
    { title: 'REPEATS', align: 'right', cell: (each) => some(each.dropped_doubled) },
    { title: 'LATE', align: 'right', cell: ({ late }) => some(late) },
    { title: 'AMBIGUOUS', align: 'right', cell: ({ ambiguous }) => some(ambiguous) },
    { title: 'UNANCHORED', align: 'right', cell: ({ unanchored }) => some(unanchored) },
    { title: 'UNCACHED', align: 'right', cell: ({ uncached }) => some(uncached) },
    { title: 'TORN', align: 'right', cell: ({ torn }) => some(torn) },
    { title: '', cell: ({ is_removed }) => (is_removed ? 'removed' : '') },
  ];
}

function lastCell(last_line_s: number | null, now_ms: number): string {
  return last_line_s === null ? '-' : `${humanDuration(now_ms - last_line_s * 1000)} ago`;
}

// ── what was dropped ─────────────────────────────────────────────────────────

interface Drop {
  readonly events: number;
  readonly reason: string;
  readonly place: string;
}

function dropLines(
  dropped: RelayStatus['dropped'],
  paint: Paint,
  columns_max: number | undefined,
): string[] {
  const drops = Object.entries(dropped).flatMap(([reason, places]) =>
    Object.entries(places).map(([place, events]): Drop => ({ reason, place, events })),
  );
  const columns: Column<Drop>[] = [
    { title: 'DROPPED', align: 'right', cell: ({ events }) => humanCount(events) },
    { title: 'OF', shrinks: true, cell: ({ place }) => harmless(place) },
    { title: 'REASON', cell: ({ reason }) => `${DROP_WORDS[reason] ?? reason} (${reason})` },
  ];
  return tableLines(
    columns,
    drops.toSorted((a, b) => b.events - a.events),
    paint,
    columns_max,
  );
}
