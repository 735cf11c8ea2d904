/** Numbers as people read them. */

const KIB = 1024;
const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `1,234,567`. */
export function humanCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** `1 event`, `12,345 events`. */
export function counted(count: number, word: string): string {
  return `${humanCount(count)} ${word}${Math.round(count) === 1 ? '' : 's'}`;
}

/** Three digits: `512 B`, `1.21 KiB`, `36.4 MiB`, `8 GiB`. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.round(value) >= KIB && unit < SIZE_UNITS.length - 1) {
    value /= KIB;
    unit++;
  }
  return `${threeDigits(value)} ${SIZE_UNITS[unit]}`;
}

/** `0`, `0.4`, `12.3`, `1,234`: per second. */
export function humanRate(per_s: number): string {
  return per_s >= 1_000 ? humanCount(per_s) : threeDigits(per_s);
}

/** The two largest units: `340 ms`, `12 s`, `2 min 5 s`, `3 h 10 min`, `4 d 2 h`. */
export function humanDuration(duration_ms: number): string {
  const ms = Math.max(0, Math.round(duration_ms));
  if (ms < SECOND_MS) return `${ms} ms`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return two(ms, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return two(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return two(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

function two(ms: number, large_ms: number, large: string, small_ms: number, small: string): string {
  const rest = Math.floor((ms % large_ms) / small_ms);
  const whole = `${Math.floor(ms / large_ms)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

function threeDigits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  const text = value.toFixed(value >= 10 ? 1 : 2);
  return text.replace(/\.?0+$/, '');
}
