import { LIMITS } from '../../../limits.ts';
import type { LineFormat, LogBatch, LogPlace } from '../types.ts';
import type { FileBytes } from './file-bytes.ts';
import { FileEntries } from './file-entries.ts';
import { ReadMemory } from './read-memory.ts';

/** How far before a place its entry is looked for: most are short, none is longer than the last. */
const WINDOWS_BYTES = [64 * 1024, 2 * LIMITS.log_entry_max_bytes] as const;

/**
 * Where reading goes on in the file that the place names: at the place itself, if the
 * entry before it is the one that was read; else behind the entry nearest to it that is
 * (bytes before it went), else at the file's beginning.
 */
export async function findPlace(
  bytes: FileBytes,
  format: LineFormat,
  place: LogPlace,
): Promise<LogPlace> {
  if (place.offset === 0) return place;
  for (const window_bytes of WINDOWS_BYTES) {
    if (await holdsPlace(bytes, format, place, window_bytes)) return place;
  }
  return nearestPlace(bytes, format, place);
}

/** The place behind the last whole entry; undefined: there is none. */
export async function lastPlace(
  bytes: FileBytes,
  format: LineFormat,
  file_bytes: number,
): Promise<LogPlace | undefined> {
  const from = Math.max(0, file_bytes - LIMITS.log_entry_max_bytes);
  return (
    (await lastFrom(bytes, format, from)) ?? (from === 0 ? undefined : lastFrom(bytes, format, 0))
  );
}

async function holdsPlace(
  bytes: FileBytes,
  format: LineFormat,
  place: LogPlace,
  window_bytes: number,
): Promise<boolean> {
  let holds = false;
  await eachPlace(bytes, format, Math.max(0, place.offset - window_bytes), (found) => {
    holds ||= found.offset === place.offset && found.check === place.check;
    return found.offset < place.offset;
  });
  return holds;
}

async function nearestPlace(
  bytes: FileBytes,
  format: LineFormat,
  place: LogPlace,
): Promise<LogPlace> {
  let nearest: LogPlace | undefined;
  const distance = (to: LogPlace): number => Math.abs(to.offset - place.offset);
  await eachPlace(bytes, format, 0, (found) => {
    if (found.check !== place.check) return true;
    if (nearest === undefined || distance(found) < distance(nearest)) nearest = found;
    return true;
  });
  return nearest ?? { fingerprint: place.fingerprint, offset: 0, check: 0 };
}

async function lastFrom(
  bytes: FileBytes,
  format: LineFormat,
  from: number,
): Promise<LogPlace | undefined> {
  let last: LogPlace | undefined;
  await eachBatch(bytes, format, from, (batch) => {
    last = batch.placeAfter(batch.count - 1);
    return true;
  });
  return last;
}

/** Visits the place behind each entry from the first that begins at `from` or later, until `visit` returns false. */
async function eachPlace(
  bytes: FileBytes,
  format: LineFormat,
  from: number,
  visit: (place: LogPlace) => boolean,
): Promise<void> {
  await eachBatch(bytes, format, from, (batch) => {
    for (let index = 0; index < batch.count; index++) {
      if (!visit(batch.placeAfter(index))) return false;
    }
    return true;
  });
}

async function eachBatch(
  bytes: FileBytes,
  format: LineFormat,
  from: number,
  visit: (batch: LogBatch) => boolean,
): Promise<void> {
  const resync = from > 0;
  const memory = new ReadMemory();
  const entries = new FileEntries(bytes, {
    memory,
    format,
    offset: from,
    resync,
    onTorn: () => {},
  });
  for (;;) {
    const got = await entries.next(LIMITS.log_read_max_bytes);
    if (got === 'end' || got === 'changed' || !visit(got)) return;
  }
}
