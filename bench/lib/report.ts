import type { Summary } from './results.ts';
import { alignedTable, numberText, ratioText } from './table.ts';
import { figureTitle } from './units.ts';

/** What the others are compared with, the first that took part. */
const REFERENCES = ['pump', 'logboom'] as const;

/** Figures that get a column with their ratio to the reference. */
const COMPARED = ['events_per_s', 'cpu_us_per_event'] as const;

/** The results as aligned text: one table for each kind of scenario, in the order of the runs. */
export function reportTables(summaries: readonly Summary[]): string {
  return tablesOf(summaries).map(tableText).join('\n\n');
}

/** Summaries that show the same figures share a table. */
function tablesOf(summaries: readonly Summary[]): Summary[][] {
  const tables = new Map<string, Summary[]>();
  for (const summary of summaries) {
    const key = figuresOfScenario(summaries, summary.scenario).join();
    tables.set(key, [...(tables.get(key) ?? []), summary]);
  }
  return [...tables.values()];
}

function figuresOfScenario(summaries: readonly Summary[], scenario: string): string[] {
  const names = summaries
    .filter((summary) => summary.scenario === scenario)
    .flatMap(({ figures }) => Object.keys(figures));
  return [...new Set(names)];
}

function tableText(summaries: readonly Summary[]): string {
  const figures = [...new Set(summaries.flatMap((summary) => Object.keys(summary.figures)))];
  const has_peers = new Set(summaries.map(({ contestant }) => contestant)).size > 1;
  const compared = has_peers ? COMPARED.filter((figure) => figures.includes(figure)) : [];
  const head = [
    'scenario',
    'what',
    ...figures.map(figureTitle),
    ...compared.map((figure) => (figure === 'events_per_s' ? 'speed' : 'CPU')),
    'spread',
  ];
  const rows = summaries.map((summary) => row(summary, summaries, figures, compared));
  return alignedTable([head, ...rows], 2);
}

function row(
  summary: Summary,
  table: readonly Summary[],
  figures: readonly string[],
  compared: readonly string[],
): string[] {
  const { scenario, contestant } = summary;
  const rivals = table.filter((other) => other.scenario === scenario);
  const reference = REFERENCES.map((name) =>
    rivals.find((rival) => rival.contestant === name),
  ).find((rival) => rival !== undefined);
  return [
    scenario,
    contestant,
    ...figures.map((figure) => numberText(summary.figures[figure])),
    ...compared.map((figure) => ratioText(summary.figures[figure], reference?.figures[figure])),
    spreadText(summary, figures),
  ];
}

/** Of the first figure, which is what the scenario is about. */
function spreadText(
  { spreads, rounds_count, failures }: Summary,
  figures: readonly string[],
): string {
  if (rounds_count === 0) return `failed: ${failures[0] ?? ''}`;
  const spread = spreads[figures[0] ?? ''];
  const text = rounds_count < 2 || spread === undefined ? '' : `${Math.round(spread * 100)} %`;
  return failures.length === 0 ? text : `${text} (${failures.length} failed)`;
}
