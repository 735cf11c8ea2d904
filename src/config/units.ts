import { type Reading, refused, understood } from './reading.ts';

/**
 * Sizes and durations as people write them. A unit is never guessed: a bare
 * number other than 0 is refused, since the same number means bytes in one
 * program and mebibytes in the next.
 */

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['KB', 1e3],
  ['B', 1],
]);

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

/** Other spellings of a unit, in lower case, and what is suggested instead. */
const SIZE_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['', 'B'],
  ['byte', 'B'],
  ['bytes', 'B'],
  ['k', 'KiB'],
  ['kb', 'KB'],
  ['ki', 'KiB'],
  ['m', 'MiB'],
  ['mi', 'MiB'],
  ['g', 'GiB'],
  ['gi', 'GiB'],
  ['gig', 'GiB'],
  ['gigs', 'GiB'],
  ['t', 'TiB'],
  ['ti', 'TiB'],
  ...[...SIZE_UNITS.keys()].map((unit): [string, string] => [unit.toLowerCase(), unit]),
]);

const DURATION_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['', 's'],
  ['msec', 'ms'],
  ['millis', 'ms'],
  ['milliseconds', 'ms'],
  ['sec', 's'],
  ['secs', 's'],
  ['second', 's'],
  ['seconds', 's'],
  ['min', 'm'],
  ['mins', 'm'],
  ['minute', 'm'],
  ['minutes', 'm'],
  ['hr', 'h'],
  ['hrs', 'h'],
  ['hour', 'h'],
  ['hours', 'h'],
  ['day', 'd'],
  ['days', 'd'],
  ...[...DURATION_UNITS.keys()].map((unit): [string, string] => [unit, unit]),
]);

const QUANTITY = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/;
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/;

/** `8GiB`, `1.5MB`, `512B`, `0`: binary units (KiB ...) and decimal ones (KB ...), in bytes. */
export function parseSize(text: string): Reading<number> {
  if (text === '0') return understood(0);
  const [, amount, unit] = QUANTITY.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return { ok: false };
  const factor = SIZE_UNITS.get(unit);
  if (factor === undefined) return misspelt(amount, unit, SIZE_SPELLINGS);
  return whole(Number(amount) * factor, 'bytes');
}

/** `10s`, `500ms`, `1m30s`, `1.5h`, `1d`, `0`: the largest unit first, each at most once, in milliseconds. */
export function parseDuration(text: string): Reading<number> {
  if (text === '0') return understood(0);
  if (!DURATION.test(text)) {
    const [, amount, unit] = QUANTITY.exec(text) ?? [];
    if (amount === undefined || unit === undefined) return { ok: false };
    return misspelt(amount, unit.toLowerCase(), DURATION_SPELLINGS);
  }
  let sum_ms = 0;
  let factor_before = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|[dhms])/g)) {
    const factor = DURATION_UNITS.get(unit ?? '') ?? 0;
    if (factor >= factor_before) {
      return refused('units go from the largest to the smallest, each once');
    }
    sum_ms += Number(amount) * factor;
    factor_before = factor;
  }
  return whole(sum_ms, 'milliseconds');
}

/** The shortest text that `parseSize` reads back as exactly `bytes`. */
export function formatSize(bytes: number): string {
  return format(bytes, SIZE_UNITS);
}

/** A text that `parseDuration` reads back as exactly `duration_ms`. */
export function formatDuration(duration_ms: number): string {
  return format(duration_ms, DURATION_UNITS);
}

/** In the unit that leaves the smallest whole number; the first listed wins a tie. */
function format(value: number, units: ReadonlyMap<string, number>): string {
  if (value === 0) return '0';
  let shortest = '';
  for (const [unit, factor] of units) {
    const text = `${value / factor}${unit}`;
    const better = shortest === '' || text.length < shortest.length;
    if (value % factor === 0 && better) shortest = text;
  }
  return shortest;
}

function misspelt(
  amount: string,
  unit: string,
  spellings: ReadonlyMap<string, string>,
): Reading<number> {
  const meant = spellings.get(unit.toLowerCase());
  const reason = unit === '' ? 'a unit is missing' : `there is no unit ${JSON.stringify(unit)}`;
  return refused(reason, meant === undefined ? undefined : `${amount}${meant}`);
}

/** Fractions are for people (`1.5GiB`); what they come to is whole, apart from rounding. */
function whole(value: number, unit: string): Reading<number> {
  const rounded = Math.round(value);
  if (!Number.isSafeInteger(rounded)) return refused(`more ${unit} than can be counted`);
  if (Math.abs(value - rounded) > 1e-6) return refused(`not a whole number of ${unit}`);
  return understood(rounded);
}
