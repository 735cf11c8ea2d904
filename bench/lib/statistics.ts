/** Statistics over a handful of rounds, or many samples. Pure. */

/** @throws RangeError without values */
export function median(values: readonly number[]): number {
  return quantile(sorted(values), 0.5);
}

export function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

/**
 * The value below which `share` of `ascending` lies, interpolated between neighbours.
 *
 * @throws RangeError without values
 */
export function quantile(ascending: readonly number[], share: number): number {
  const place = (ascending.length - 1) * share;
  const low = ascending[Math.floor(place)];
  const high = ascending[Math.ceil(place)];
  if (low === undefined || high === undefined) throw new RangeError('no values');
  return low + (high - low) * (place - Math.floor(place));
}

/** Largest minus smallest, as a share of the median: how far the rounds agree. */
export function spread(values: readonly number[]): number {
  const ascending = sorted(values);
  return (quantile(ascending, 1) - quantile(ascending, 0)) / quantile(ascending, 0.5);
}
