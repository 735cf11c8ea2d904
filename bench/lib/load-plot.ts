import { type Panel, plotSvg, type Series } from './plot.ts';
import type { Summary } from './results.ts';

const PANELS = [
  { figure: 'events_per_s', title: 'events/s (more is better)' },
  { figure: 'cpu_us_per_event', title: 'us of CPU per event (less is better)' },
] as const;

/** Only scenarios with all of this are about load. */
const SHOWN_IF = ['events_per_s', 'cpu_us_per_event', 'peak_mib'] as const;
const HIDDEN = new Set(['backlog']);

/** Throughput and CPU per event of every scenario under load. */
export function loadPlot(summaries: readonly Summary[], title: string): string {
  const shown = summaries.filter(
    ({ scenario, figures }) =>
      !HIDDEN.has(scenario) && SHOWN_IF.every((figure) => figures[figure] !== undefined),
  );
  const scenarios = [...new Set(shown.map(({ scenario }) => scenario))];
  const names = [...new Set(shown.map(({ contestant }) => contestant))];
  const series = names.map((name): Series => ({ name, mark: name === 'pump' ? 'ring' : 'dot' }));
  const panels = PANELS.map(({ figure, title: panel_title }): Panel => {
    const rows = scenarios.map((scenario) => ({
      label: scenario,
      dots: shown
        .filter((summary) => summary.scenario === scenario)
        .map(({ contestant, figures }) => ({ series: contestant, value: figures[figure] ?? 0 })),
    }));
    return { title: panel_title, rows };
  });
  return plotSvg(title, series, panels);
}
