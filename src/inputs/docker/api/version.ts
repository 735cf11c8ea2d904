/** The newest version whose answers are known here: later ones change the log body on request only. */
const NEWEST_KNOWN = '1.51';

/**
 * The version to speak with an Engine that offers `[oldest, newest]`: the newest that both
 * know. One that has left all of ours behind is spoken to in its oldest, the least strange.
 */
export function chooseVersion(newest: string, oldest: string): string {
  if (compare(newest, NEWEST_KNOWN) <= 0) return newest;
  return compare(oldest, NEWEST_KNOWN) > 0 ? oldest : NEWEST_KNOWN;
}

function compare(a: string, b: string): number {
  const [a_major = 0, a_minor = 0] = a.split('.').map(Number);
  const [b_major = 0, b_minor = 0] = b.split('.').map(Number);
  return a_major - b_major || a_minor - b_minor;
}
