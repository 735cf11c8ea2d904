/** What a figure's name says about its unit, by its ending; longer endings first. */
const UNITS: readonly (readonly [ending: string, title: string])[] = [
  ['events_per_s', 'events/s'],
  ['cpu_us_per_event', 'us CPU/event'],
  ['cpu_ns_per_op', 'ns CPU'],
  ['cpu_percent', '% of a core'],
  ['_mib', 'MiB'],
  ['_ms', 'ms'],
];

/** A heading for a figure: `peak_mib` → `peak MiB`, `events_per_s` → `events/s`. */
export function figureTitle(figure: string): string {
  for (const [ending, title] of UNITS) {
    if (!figure.endsWith(ending)) continue;
    const name = figure.slice(0, -ending.length).replaceAll('_', ' ').trim();
    return `${name} ${title}`.trim();
  }
  return figure.replaceAll('_', ' ');
}
