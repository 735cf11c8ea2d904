import type { Figures, Summary } from './results.ts';
import { alignedTable, numberText, ratioText } from './table.ts';
import { figureTitle } from './units.ts';

/** What the others are compared with, the first that took part. */
const REFERENCES = ['pump', 'logboom'] as const;

/** Figures that get a column with their ratio to the reference. */
const COMPARED = ['events_per_s', 'cpu_us_per_event'] as const;

/** About the bench itself: not in the tables. */
const OWN = new Set(['generator_percent', 'sink_percent']);

/** The results as aligned text: one table for each kind of scenario, in the order of the runs. */
export function reportTables(summaries: readonly Summary[]): string {
  return tablesOf(summaries).map(tableText).join('\n\n');
}

/**
 * Of short runs: how each figure compares with the reference's, and no figure by itself. What
 * has nothing beside it is only said to have run.
 */
export function ratioTables(summaries: readonly Summary[]): string {
  const [compared, alone] = [[] as Summary[], [] as Summary[]];
  for (const summary of summaries) {
    const others = summaries.filter(({ scenario }) => scenario === summary.scenario);
    (others.length > 1 ? compared : alone).push(summary);
  }
  const tables = tablesOf(compared).map(ratioTable);
  const ran = alone.map(({ scenario, failures: [failure] }) =>
    failure === undefined ? scenario : `${scenario} (failed: ${failure})`,
  );
  return [...tables, ...(ran.length === 0 ? [] : [`ran too: ${ran.join('; ')}`])].join('\n\n');
}

/** Summaries that show the same figures share a table. */
function tablesOf(summaries: readonly Summary[]): Summary[][] {
  const tables = new Map<string, Summary[]>();
  for (const summary of summaries) {
    const rivals = summaries.filter(({ scenario }) => scenario === summary.scenario);
    const key = shownFigures(rivals).join();
    tables.set(key, [...(tables.get(key) ?? []), summary]);
  }
  return [...tables.values()];
}

function shownFigures(summaries: readonly Summary[]): string[] {
  const names = summaries.flatMap(({ figures }) => Object.keys(figures));
  return [...new Set(names)].filter((name) => !OWN.has(name));
}

function tableText(summaries: readonly Summary[]): string {
  const figures = shownFigures(summaries);
  const has_peers = new Set(summaries.map(({ contestant }) => contestant)).size > 1;
  const compared = has_peers ? COMPARED.filter((figure) => figures.includes(figure)) : [];
  const head = [
    'scenario',
    'what',
    ...figures.map(figureTitle),
    ...compared.map((figure) => (figure === 'events_per_s' ? 'speed' : 'CPU')),
    'spread',
  ];
  const rows = summaries.map((summary) => {
    const reference = referenceOf(summary, summaries);
    return [
      summary.scenario,
      summary.contestant,
      ...figures.map((figure) => numberText(summary.figures[figure])),
      ...compared.map((figure) => ratioText(summary.figures[figure], reference[figure])),
      spreadText(summary, figures),
    ];
  });
  return withFailures(alignedTable([head, ...rows], 2), summaries);
}

function ratioTable(summaries: readonly Summary[]): string {
  const figures = shownFigures(summaries);
  const rows = summaries.map((summary) => {
    const reference = referenceOf(summary, summaries);
    return [
      summary.scenario,
      summary.contestant,
      ...figures.map((figure) => ratioText(summary.figures[figure], reference[figure])),
      spreadText(summary, figures),
    ];
  });
  const head = ['scenario', 'what', ...figures.map(ratioTitle), ''];
  return withFailures(alignedTable([head, ...rows], 2), summaries);
}

/** `peak_mib` → `peak`: a ratio has no unit. */
const ratioTitle = (figure: string): string => {
  if (figure === 'events_per_s') return 'speed';
  return figure.startsWith('cpu_us')
    ? 'CPU/event'
    : figure.replace(/_[a-z]+$/, '').replaceAll('_', ' ');
};

function referenceOf({ scenario }: Summary, table: readonly Summary[]): Figures {
  const rivals = table.filter((other) => other.scenario === scenario);
  const found = REFERENCES.map((name) => rivals.find(({ contestant }) => contestant === name)).find(
    (rival) => rival !== undefined,
  );
  return found?.figures ?? {};
}

/** Of the first figure, which is what the scenario is about. */
function spreadText(
  { spreads, rounds_count, failures }: Summary,
  figures: readonly string[],
): string {
  if (rounds_count === 0) return 'failed';
  const spread = spreads[figures[0] ?? ''];
  const text = rounds_count < 2 || spread === undefined ? '' : `${Math.round(spread * 100)} %`;
  return failures.length === 0 ? text : `${text} (${failures.length} failed)`;
}

/** Below the table each failure with its reason, which would be too wide for a column. */
function withFailures(table: string, summaries: readonly Summary[]): string {
  const reasons = summaries.flatMap(({ scenario, contestant, failures }) =>
    [...new Set(failures)].map((failure) => `${scenario}, ${contestant} failed: ${failure}`),
  );
  return [table, ...reasons].join('\n');
}
