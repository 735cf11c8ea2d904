import { type Inspected, type InspectOptions, inspectLog } from '../../journal/inspect.ts';
import type { Host } from '../host.ts';
import type { FoundJournal } from './look.ts';
import { Progress } from './progress.ts';

/** Where a progress bar goes, if that is a terminal. */
export type ProgressPlace = Pick<Host, 'stderr' | 'stderr_is_terminal'>;

/** Walks the log with a progress bar. Ends early, in good order, when `signal` aborts. */
export async function* walkLog(
  host: ProgressPlace,
  journal: FoundJournal,
  options: InspectOptions,
  signal: AbortSignal,
): AsyncGenerator<Inspected> {
  const before_bytes = new Map<string, number>();
  let total_bytes = 0;
  for (const { path, bytes } of journal.segments) {
    before_bytes.set(path, total_bytes);
    total_bytes += bytes;
  }
  const progress = new Progress(host, total_bytes);
  try {
    for await (const item of inspectLog(journal.directory, options)) {
      const { path, offset } = placeOf(item);
      progress.at((before_bytes.get(path) ?? 0) + offset);
      yield item;
      if (signal.aborted) return;
    }
  } finally {
    progress.end();
  }
}

function placeOf(item: Inspected): { readonly path: string; readonly offset: number } {
  if (item.type === 'corruption') return item.corruption;
  return { path: item.path, offset: item.type === 'commit' ? item.commit.offset : item.offset };
}
