/** Figures in sentences. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Decimal, as Docker's options are: `20 MB`. */
export function sizeWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${rounded(value)} ${UNITS[unit]}`;
}

export const rateWords = (bytes_per_s: number): string => `${sizeWords(bytes_per_s)}/s`;

/** `40 s`, `10 min`, `3 h`, `2 d`. */
export function durationWords(duration_ms: number): string {
  const seconds = duration_ms / 1000;
  if (seconds < 120) return `${rounded(seconds)} s`;
  if (seconds < 7200) return `${rounded(seconds / 60)} min`;
  if (seconds < 172_800) return `${rounded(seconds / 3600)} h`;
  return `${rounded(seconds / 86_400)} d`;
}

/** `1 error`, `2 errors`. */
export const countWords = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

function rounded(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}
