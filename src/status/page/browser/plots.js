// The small plots: uPlot, in the page's colours.

import { byId } from './dom.js';
import { compact, count, duration, rate } from './format.js';
import { HISTORY_S } from './history.js';
import uPlot from './uplot.js';

/** @import { History, Sample } from './history.js' */

/**
 * @typedef {object} Line
 * @property {Exclude<keyof Sample, 'at_s'>} name
 * @property {string} label
 * @property {string} color a custom property of the style sheet
 * @property {number[]} dash tells lines apart without colour; empty: unbroken
 */

/**
 * @typedef {object} PlotSpec
 * @property {string} id
 * @property {string} title
 * @property {readonly Line[]} lines
 * @property {(value: number) => string} figure
 * @property {(value: number) => string} tick
 * @property {(max: number) => number} ceiling a round figure from `max` up: the end of the axis
 */

const HEIGHT_PX = 120;
/** Narrower plots have fewer marks. */
const NARROW_PX = 300;
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;
const ROUND_AGES_S = [
  ...[1, 2, 4, 10, 20, 40],
  ...[1, 2, 4, 10, 20, 40].map((minutes) => minutes * MINUTE_S),
  ...[1, 2, 4, 12, 24].map((hours) => hours * HOUR_S),
];

/** @type {readonly PlotSpec[]} */
const PLOTS = [
  {
    id: 'plot-rate',
    title: 'Events per second',
    lines: [
      { name: 'in_per_s', label: 'in', color: '--line-a', dash: [] },
      { name: 'out_per_s', label: 'all outputs', color: '--line-b', dash: [5, 3] },
    ],
    figure: rate,
    tick: compact,
    ceiling: roundCount,
  },
  {
    id: 'plot-lag',
    title: 'Events waiting',
    lines: [{ name: 'lag_events', label: 'furthest behind', color: '--line-c', dash: [] }],
    figure: count,
    tick: compact,
    ceiling: roundCount,
  },
  {
    id: 'plot-age',
    title: 'Oldest waiting event',
    lines: [{ name: 'oldest_age_s', label: 'waits for', color: '--line-c', dash: [] }],
    figure: (s) => duration(1000 * s),
    tick: age,
    ceiling: roundAge,
  },
];

/** All plots, drawn from one history. */
export class Plots {
  #history;
  #plots = PLOTS.map((spec) => new Plot(spec));

  /** @param {History} history */
  constructor(history) {
    this.#history = history;
    const recolor = () => this.draw();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolor);
  }

  draw() {
    for (const plot of this.#plots) plot.draw(this.#history);
  }
}

class Plot {
  #spec;
  #node;
  #legend;
  /** @type {uPlot | undefined} */
  #chart;

  /** @param {PlotSpec} spec */
  constructor(spec) {
    this.#spec = spec;
    const figure = byId(spec.id);
    this.#node = /** @type {HTMLElement} */ (figure.querySelector('.plot'));
    this.#legend = /** @type {HTMLElement} */ (figure.querySelector('.legend'));
    new ResizeObserver(() => this.#fit()).observe(this.#node);
  }

  /** @param {History} history */
  draw(history) {
    const { lines } = this.#spec;
    const data = history.columns(lines.map(({ name }) => name));
    this.#chart ??= new uPlot(options(this.#spec, this.#width()), data, this.#node);
    this.#chart.setData(data);
    this.#say(lines.map((_, at) => data[at + 1]?.at(-1) ?? null));
  }

  /**
   * The last figures as text: in the legend, and for those who do not see the plot.
   *
   * @param {(number | null)[]} values
   */
  #say(values) {
    const { title, lines, figure } = this.#spec;
    const texts = lines.map(({ label }, at) => {
      const value = values[at] ?? null;
      return `${label} ${value === null ? '–' : figure(value)}`;
    });
    if (this.#legend.childElementCount === 0) {
      this.#legend.append(...lines.map(({ color }) => legendEntry(color)));
    }
    texts.forEach((text, at) => {
      const entry = this.#legend.children[at];
      if (entry !== undefined && entry.textContent !== text) entry.textContent = text;
    });
    this.#node.setAttribute('aria-label', `${title}, the last five minutes: ${texts.join(', ')}`);
  }

  #fit() {
    this.#chart?.setSize({ width: this.#width(), height: HEIGHT_PX });
  }

  #width() {
    return Math.max(80, this.#node.clientWidth);
  }
}

/** @param {string} color */
function legendEntry(color) {
  const entry = document.createElement('span');
  entry.dataset['line'] = color.slice('--line-'.length);
  return entry;
}

/**
 * @param {PlotSpec} spec
 * @param {number} width
 * @returns {uPlot.Options}
 */
function options({ lines, tick, ceiling }, width) {
  const grid = { stroke: () => color('--edge'), width: 1 };
  const axis = { stroke: () => color('--quiet'), font: '11px system-ui, sans-serif', grid };
  return {
    width,
    height: HEIGHT_PX,
    cursor: { show: false },
    legend: { show: false },
    padding: [8, 14, 0, 0],
    scales: {
      x: { time: false, range: [-HISTORY_S, 0] },
      y: { range: (_, __, max) => [0, ceiling(max ?? 0)] },
    },
    axes: [
      {
        ...axis,
        size: 22,
        ticks: { show: false },
        splits: (u) => (u.width < NARROW_PX ? [-240, -120, 0] : [-240, -180, -120, -60, 0]),
        values: (_, ages) => ages.map((age) => (age === 0 ? 'now' : `−${-age / MINUTE_S} min`)),
      },
      {
        ...axis,
        size: 58,
        ticks: { show: false },
        splits: (_, __, ___, max) => [0, max / 2, max],
        values: (_, values) => values.map(tick),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        stroke: () => color(line.color),
        width: 2,
        dash: line.dash,
        points: { show: false },
      })),
    ],
  };
}

/**
 * 1, 2 or 5 times a power of ten.
 *
 * @param {number} max
 */
function roundCount(max) {
  if (!(max > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(max));
  return power * ([1, 2, 5].find((step) => step * power >= max) ?? 10);
}

/**
 * Such that its half reads well too.
 *
 * @param {number} max_s
 */
function roundAge(max_s) {
  const round_s = ROUND_AGES_S.find((s) => s >= max_s);
  return round_s ?? DAY_S * roundCount(max_s / DAY_S);
}

/**
 * `30 s`, `2.5 min`
 *
 * @param {number} s
 */
function age(s) {
  const { unit_s, unit } = ageUnit(s);
  return `${compact(s / unit_s)} ${unit}`;
}

/** @param {number} s */
function ageUnit(s) {
  if (s < MINUTE_S) return { unit_s: 1, unit: 's' };
  if (s < HOUR_S) return { unit_s: MINUTE_S, unit: 'min' };
  if (s < DAY_S) return { unit_s: HOUR_S, unit: 'h' };
  return { unit_s: DAY_S, unit: 'd' };
}

/** @param {string} name */
function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
