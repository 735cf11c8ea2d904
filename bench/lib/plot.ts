/**
 * A dot plot on logarithmic axes: what is compared spans two orders of magnitude. Its
 * colours can be read on white and on black, and there is no background. Pure.
 */

export interface Series {
  readonly name: string;
  /** A ring, for what the others are compared with, stays visible around a dot on the same place. */
  readonly mark: 'dot' | 'ring';
}

export interface Panel {
  readonly title: string;
  readonly rows: readonly PanelRow[];
}

interface PanelRow {
  readonly label: string;
  readonly dots: readonly { readonly series: string; readonly value: number }[];
}

const INK = '#767676';
const COLOURS = [INK, '#d9730d', '#3b82c4', '#4a9c5d'] as const;

const LABELS_WIDTH = 180;
const PLOT_WIDTH = 280;
const GAP = 48;
const ROW_HEIGHT = 22;
const HEAD_HEIGHT = 58;
const FOOT_HEIGHT = 26;
const DOT_RADIUS = 5;
const RING_RADIUS = 7.5;

/** Panels side by side with the same rows, in the order of `series`. */
export function plotSvg(
  title: string,
  series: readonly Series[],
  panels: readonly Panel[],
): string {
  const rows_count = Math.max(0, ...panels.map(({ rows }) => rows.length));
  const width = LABELS_WIDTH + panels.length * (PLOT_WIDTH + GAP);
  const height = HEAD_HEIGHT + rows_count * ROW_HEIGHT + FOOT_HEIGHT;
  const labels = (panels[0]?.rows ?? []).map(({ label }, index) =>
    textAt(LABELS_WIDTH - 10, rowY(index) + 4, label, 'end'),
  );
  const body = panels.flatMap((panel, index) =>
    drawPanel(panel, LABELS_WIDTH + index * (PLOT_WIDTH + GAP), rows_count, series),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="12" fill="${INK}">`,
    `<title>${escapeXml(title)}</title>`,
    ...drawLegend(series),
    ...labels,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(
  { title, rows }: Panel,
  left: number,
  rows_count: number,
  series: readonly Series[],
): string[] {
  const values = rows.flatMap(({ dots }) => dots.map(({ value }) => value));
  const axis = logAxis(values);
  const x = (value: number): number => round(left + axis.share(value) * PLOT_WIDTH);
  const bottom = HEAD_HEIGHT + rows_count * ROW_HEIGHT;
  const grid = axis.ticks.flatMap((tick) => [
    `<line x1="${x(tick)}" x2="${x(tick)}" y1="${HEAD_HEIGHT}" y2="${bottom}" stroke="${INK}" stroke-opacity="0.3"/>`,
    textAt(x(tick), bottom + 16, tickText(tick), 'middle'),
  ]);
  const dots = rows.flatMap((row, index) =>
    row.dots.map(({ series: name, value }) =>
      markAt(
        x(value),
        rowY(index),
        series.findIndex((one) => one.name === name),
        series,
        `<title>${escapeXml(`${name}, ${row.label}: ${value.toPrecision(3)}`)}</title>`,
      ),
    ),
  );
  return [textAt(left, HEAD_HEIGHT - 12, title, 'start'), ...grid, ...dots];
}

function drawLegend(series: readonly Series[]): string[] {
  return series.flatMap(({ name }, index) => {
    const x = LABELS_WIDTH + index * 110;
    return [markAt(x + DOT_RADIUS, 14, index, series, ''), textAt(x + 18, 18, name, 'start')];
  });
}

/** The mark of the series at `index`, with `content` inside. */
function markAt(
  x: number,
  y: number,
  index: number,
  series: readonly Series[],
  content: string,
): string {
  const colour = COLOURS[index % COLOURS.length] ?? INK;
  const look =
    series[index]?.mark === 'ring'
      ? `r="${RING_RADIUS}" fill="none" stroke="${colour}" stroke-width="1.5"`
      : `r="${DOT_RADIUS}" fill="${colour}"`;
  return `<circle cx="${x}" cy="${y}" ${look}>${content}</circle>`;
}

const rowY = (index: number): number => HEAD_HEIGHT + (index + 0.5) * ROW_HEIGHT;

const round = (value: number): number => Math.round(value * 10) / 10;

function textAt(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(text)}</text>`;
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** From the power of ten below the smallest value to the one above the largest. */
export function logAxis(values: readonly number[]): {
  readonly ticks: readonly number[];
  readonly share: (value: number) => number;
} {
  const exponents = values.filter((value) => value > 0).map(Math.log10);
  const first = exponents.length === 0 ? 0 : Math.floor(Math.min(...exponents));
  const last = Math.max(first + 1, Math.ceil(Math.max(...exponents)));
  return {
    ticks: Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)),
    share: (value) => (Math.log10(value) - first) / (last - first),
  };
}

function tickText(tick: number): string {
  if (tick >= 1e6) return `${tick / 1e6} M`;
  if (tick >= 1e3) return `${tick / 1e3} k`;
  return String(Number(tick.toPrecision(1)));
}
