/** One file of a container's log. */
export interface LogFile {
  /** 0: the live one; rotated ones from the newest on. */
  readonly generation: number;
  readonly bytes: number;
  readonly modified_ms: number;
  readonly is_compressed: boolean;
}

export interface Rate {
  readonly bytes_per_s: number;
  /** The time it was measured over. */
  readonly over_ms: number;
}

/** Less tells too little. */
const SPAN_MIN_MS = 10_000;

/**
 * How fast a log grows when it grows fastest, by the sizes and times of its files: each was
 * written between the last change of the one before it and its own. A compressed file was as
 * large as `rotated_bytes`. Undefined: the files span too little time to tell. Pure.
 */
export function rateOf(
  files: readonly LogFile[],
  begun_ms: number,
  rotated_bytes: number | undefined,
): Rate | undefined {
  const oldest_first = files.toSorted((a, b) => b.generation - a.generation);
  let from_ms = begun_ms;
  let fastest: Rate | undefined;
  let is_first = true;
  for (const { bytes, modified_ms, is_compressed } of oldest_first) {
    // The oldest file that is left need not be the first that was written.
    const from_known = !is_first || oldest_first.length === 1;
    const over_ms = modified_ms - from_ms;
    const written_bytes = is_compressed ? rotated_bytes : bytes;
    if (from_known && over_ms >= SPAN_MIN_MS && written_bytes !== undefined) {
      const bytes_per_s = written_bytes / (over_ms / 1000);
      if (bytes_per_s > (fastest?.bytes_per_s ?? 0)) fastest = { bytes_per_s, over_ms };
    }
    from_ms = modified_ms;
    is_first = false;
  }
  return fastest;
}
