import type { Rotation } from './driver-options.ts';

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

/** Less tells too little, unless a driver keeps no more. */
const SPAN_MIN_MS = 10_000;
/** Times of files are no more exact than a few ticks of the kernel. */
const SPAN_FLOOR_MS = 100;

/** What was written between two known times. */
interface Stretch {
  readonly from_ms: number;
  readonly to_ms: number;
  /** Undefined: of a compressed file whose size before is not known. */
  readonly bytes: number | undefined;
}

/**
 * How fast a log grows when it grows fastest, by the sizes and times of its files: each was
 * written between the last change of the one before it and its own. Neighbours count together
 * where one alone spans too little; where all that `rotation` keeps does, the rate is that of
 * all of it. Undefined: the files span too little time to tell. Pure.
 */
export function rateOf(
  files: readonly LogFile[],
  begun_ms: number,
  rotation: Rotation | undefined,
): Rate | undefined {
  const stretches = stretchesOf(files, begun_ms, rotation?.max_bytes);
  let fastest: Rate | undefined;
  for (const [index, { from_ms }] of stretches.entries()) {
    let written_bytes = 0;
    for (const { to_ms, bytes } of stretches.slice(index)) {
      if (bytes === undefined) break;
      written_bytes += bytes;
      const over_ms = to_ms - from_ms;
      if (over_ms < SPAN_MIN_MS) continue;
      const bytes_per_s = written_bytes / (over_ms / 1000);
      if (bytes_per_s > (fastest?.bytes_per_s ?? 0)) fastest = { bytes_per_s, over_ms };
    }
  }
  if (fastest !== undefined || rotation === undefined) return fastest;
  return files.length < rotation.max_files ? undefined : rateOfAll(stretches, rotation);
}

/** Of files that are as many as are kept: they never span more than they do now. */
function rateOfAll(stretches: readonly Stretch[], { max_bytes }: Rotation): Rate | undefined {
  const span_ms = (stretches.at(-1)?.to_ms ?? 0) - (stretches[0]?.from_ms ?? 0);
  const written_bytes = stretches.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  // A few lines right after a rotation tell nothing; nor does a clock that was set back.
  if (span_ms < 0 || span_ms >= SPAN_MIN_MS || written_bytes < max_bytes / 2) return undefined;
  const over_ms = Math.max(span_ms, SPAN_FLOOR_MS);
  return { bytes_per_s: written_bytes / (over_ms / 1000), over_ms };
}

/** The oldest first. */
function stretchesOf(
  files: readonly LogFile[],
  begun_ms: number,
  rotated_bytes: number | undefined,
): Stretch[] {
  const oldest_first = files.toSorted((a, b) => b.generation - a.generation);
  const stretches = oldest_first.map(({ bytes, modified_ms, is_compressed }, index) => ({
    from_ms: oldest_first[index - 1]?.modified_ms ?? begun_ms,
    to_ms: modified_ms,
    bytes: is_compressed ? rotated_bytes : bytes,
  }));
  // The oldest file that is left need not be the first that was written.
  return stretches.length > 1 ? stretches.slice(1) : stretches;
}
