import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { type FoundCursor, openCursorFiles } from './cursors.ts';
import { judgeEpoch } from './epoch.ts';
import type { Place } from './format.ts';
import { findSegments, journalIdOf } from './found-segments.ts';
import { type DirectoryLock, Identity } from './identity.ts';
import type { FullOptions } from './options.ts';
import { Quarantine } from './quarantine.ts';
import { recoverLog, removeUnfinished } from './recovery.ts';
import type { SegmentList } from './segments.ts';
import { Spaces } from './spaces.ts';

/** A directory that was recovered; nothing has been appended yet. */
export interface OpenDirectory {
  readonly identity: Identity;
  readonly quarantine: Quarantine;
  readonly spaces: Spaces;
  readonly segments: SegmentList;
  /** Where appending goes on. */
  readonly end: Place;
  /** Torn commits that were cut off. */
  readonly cut_count: number;
  readonly cursors: readonly FoundCursor[];
  /** Its last owner did not close it: it was killed, or the machine went down. */
  readonly was_left_open: boolean;
}

/** Brings what is found in a directory into order; see recovery.ts for the cases. */
export async function openDirectory(
  options: FullOptions,
  lock: DirectoryLock,
): Promise<OpenDirectory> {
  const { fs, directory, log, sync } = options;
  const found = await findSegments(fs, directory); // first of all: it checks the version
  await removeUnfinished(fs, directory);
  await emptySpool(options);
  const spaces = new Spaces(options.spaces);
  const quarantine_path = join(directory, 'quarantine');
  const quarantine = new Quarantine(fs, quarantine_path, options.quarantine_max_bytes, log);
  await quarantine.open();
  const journal_id = journalIdOf(found, lock.found?.journal_id);
  const recovered = await recoverLog({ ...options, quarantine, spaces }, found, journal_id);
  const cursors = await openCursorFiles(fs, join(directory, 'cursors'), sync === 'disk');
  const { end, epoch } = judgeEpoch(lock, journal_id, found, recovered, cursors, log);
  const identity = new Identity(lock, journal_id, epoch, sync);
  const { segments, cut_count } = recovered;
  const was_left_open = lock.found?.closed === false;
  return { identity, quarantine, spaces, segments, end, cut_count, cursors, was_left_open };
}

/** What inputs put aside for commits that never were. Where it cannot be done now, they make the folder when they need it. */
async function emptySpool({ fs, directory, log }: FullOptions): Promise<void> {
  const path = join(directory, 'spool');
  try {
    await fs.remove(path);
    await fs.mkdir(path);
  } catch (error) {
    log.warn({ path, error: messageOf(error) }, 'the spool folder cannot be emptied');
  }
}
