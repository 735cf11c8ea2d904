// Figures as people read them. Pure.

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** From so many of the larger unit on, the smaller one is noise. */
const FEW = 10;

/** What stands for a figure that is not known. */
export const UNKNOWN = '–';

/**
 * `12,345`
 *
 * @param {number | null} value
 */
export function count(value) {
  return value === null ? UNKNOWN : WHOLE.format(value);
}

/**
 * `3 events`, `1 event`
 *
 * @param {number} value
 * @param {string} one
 */
export function counted(value, one) {
  return `${WHOLE.format(value)} ${one}${value === 1 ? '' : 's'}`;
}

/**
 * For the axis of a plot: `12.3K`
 *
 * @param {number} value
 */
export function compact(value) {
  return COMPACT.format(value);
}

/**
 * `0`, `0.4`, `8,214`: small rates keep a decimal.
 *
 * @param {number} per_s
 */
export function rate(per_s) {
  return per_s < 10 ? TENTHS.format(per_s) : WHOLE.format(per_s);
}

/**
 * `512 B`, `1.5 GiB`
 *
 * @param {number | null} value
 */
export function bytes(value) {
  if (value === null) return UNKNOWN;
  let unit = 0;
  let scaled = value;
  while (scaled >= 1024 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  const figure = unit > 0 && scaled < 100 ? TENTHS.format(scaled) : WHOLE.format(scaled);
  return `${figure} ${BYTE_UNITS[unit]}`;
}

/**
 * In the largest unit, and while that is few the next: `45 s`, `3 min 5 s`, `20 min`, `4 d 3 h`
 *
 * @param {number} ms below 0 counts as 0: clocks differ
 */
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(s, 60, 'min', 1, 's');
  if (s < 86_400) return pair(s, 3600, 'h', 60, 'min');
  return pair(s, 86_400, 'd', 3600, 'h');
}

/**
 * @param {number} s
 * @param {number} large_s
 * @param {string} large
 * @param {number} small_s
 * @param {string} small
 */
function pair(s, large_s, large, small_s, small) {
  const whole = Math.floor(s / large_s);
  const rest = Math.floor((s % large_s) / small_s);
  const text = `${WHOLE.format(whole)} ${large}`;
  return rest === 0 || whole >= FEW ? text : `${text} ${rest} ${small}`;
}

/** @param {number} ms */
export function ago(ms) {
  return ms < 1000 ? 'just now' : `${duration(ms)} ago`;
}
