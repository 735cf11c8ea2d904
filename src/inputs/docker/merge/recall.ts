import {
  createLogLine,
  type LineFormat,
  type LogBatch,
  type LogPlace,
  type LogReader,
  type Source,
} from '../../logfile/types.ts';
import type { MergeCore } from './merge-core.ts';

const BATCH_MAX_BYTES = 256 * 1024;
const ATTEMPTS_MAX = 3;

export interface RecallDeps {
  readonly open: (from: LogPlace) => Promise<LogReader>;
  readonly format: LineFormat;
}

/**
 * Prepares for judging a stream line when not all lines that the stream may bring again
 * are in memory: after a restart, or when the cache is further ahead than is kept. Reads
 * them from the cache again, between the last one in memory and what is journaled.
 *
 * Returns the end of the line if it lies behind those that memory holds. Until the line
 * is judged the cache must not be.
 */
export async function recall(
  core: MergeCore,
  source: Source,
  key: number,
  deps: RecallDeps,
): Promise<LogPlace | undefined> {
  const lane = core.lane(source);
  if (lane.recall_from === undefined || lane.owes(key)) return undefined;
  await recallOwed(core, source, deps);
  if (lane.recall_from === undefined || lane.owes(key)) return undefined;
  return findOnDisk(core, source, key, deps);
}

/** Fills the memory with the lines that are owed next. Meanwhile the cache must not be judged. */
export async function recallOwed(core: MergeCore, source: Source, deps: RecallDeps): Promise<void> {
  const lane = core.lane(source);
  const is_all = await scan(core, source, deps, (key, place) => {
    return lane.recall(key, place);
  });
  if (is_all) lane.recalledAll();
}

async function findOnDisk(
  core: MergeCore,
  source: Source,
  key: number,
  deps: RecallDeps,
): Promise<LogPlace | undefined> {
  let found: LogPlace | undefined;
  await scan(core, source, deps, (other, place) => {
    if (other === key) found = place;
    return found === undefined;
  });
  return found;
}

/**
 * Calls `take` for each line of the source from `recall_from` up to what is journaled,
 * until it returns false. True: it was called for all of them.
 */
async function scan(
  core: MergeCore,
  source: Source,
  { open, format }: RecallDeps,
  take: (key: number, place: LogPlace) => boolean,
): Promise<boolean> {
  const from = core.lane(source).recall_from;
  if (from === undefined) return true;
  const line = createLogLine();
  const reader = await open(from);
  try {
    for (let at = from; !isSame(at, core.journaled); ) {
      const batch = await readAgain(reader);
      // Rotated away meanwhile: what cannot be read cannot be compared.
      if (batch === undefined) return true;
      for (let index = 0; index < batch.count && !isSame(at, core.journaled); index++) {
        at = batch.placeAfter(index);
        if (!format.parse(batch.buf, batch.start(index), batch.end(index), line)) continue;
        if (line.source === source && !take(core.keyOf(line), at)) return false;
      }
    }
    return true;
  } finally {
    await reader.close();
  }
}

function isSame(a: LogPlace, b: LogPlace): boolean {
  return a.offset === b.offset && a.fingerprint === b.fingerprint && a.check === b.check;
}

/** A file that is just being compressed is found again by another attempt. */
async function readAgain(reader: LogReader): Promise<LogBatch | undefined> {
  for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
    const batch = await reader.read(BATCH_MAX_BYTES);
    if (batch !== undefined) return batch;
  }
  return reader.read(BATCH_MAX_BYTES);
}
