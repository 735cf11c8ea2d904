/**
 * Opening a journal directory. What is found, and what is done about it:
 *
 *  1. no segments                      a new journal
 *  2. all whole                        go on behind the last commit
 *  3. last commit torn                 copied aside, cut off
 *  4. bytes behind the last commit     as 3
 *  5. damaged body, a commit follows   copied aside, that record lost, the rest kept
 *  6. damaged record header, likewise  copied aside, the rest of that commit lost
 *  7. damaged commit header            its records are found without it
 *  8. damage of any length             the next valid commit header is searched for
 *  9. damaged snapshot                 state comes from the segment before, replayed to the end
 * 10. damaged segment header           its content is found by the journal id of the others, or of LOCK
 * 11. nothing readable in a segment    the file is moved aside
 * 12. a segment of another journal     the file is moved aside
 * 13. a segment missing in between     the gap in seqs tells how many events
 * 14. commit written twice             the copy in the later segment counts (its first write failed)
 * 15. a cursor ahead of the end        durable records are gone: epoch up, seqs jump over all that were named
 * 16. the newest segment gone          as 15
 * 17. another machine, a copy, a cut   epoch up (epoch.ts)
 * 18. a cursor file with a torn slot   the other slot counts
 * 19. a cursor file with no whole slot that output begins with the oldest record
 * 20. a newer format                   LB_JOURNAL_VERSION, nothing is touched
 * 21. a half-created segment or cursor removed; it never counted
 * 22. blocks that cannot be read      as 5 to 10; at the end nothing is cut, and seqs jump over what was named
 * 23. a segment without such a block  as 11
 *
 * Only the last segment is read in full (and those before it that case 9 needs);
 * of the others only the headers, however many there are. Damage in them is met,
 * and counted, when they are read. Nothing but a torn tail is ever changed: a
 * process appends to segments of its own only.
 */
import { basename, join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Clock } from '../sys/clock.ts';
import type { FileSystem } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';
import { type Place, RECORD_KIND, SEGMENT_HEADER_BYTES } from './format.ts';
import type { FoundSegment } from './found-segments.ts';
import { withSalvagedFile } from './patient-file.ts';
import type { Quarantine } from './quarantine.ts';
import { type ReplayEnd, replay } from './replay.ts';
import { isUnreadable, type SalvagedFile } from './salvaged-file.ts';
import { SegmentParser } from './segment-parser.ts';
import { SegmentScan } from './segment-scan.ts';
import { Segment, SegmentList, UNFINISHED_SUFFIX } from './segments.ts';
import type { Spaces } from './spaces.ts';

const NEW_JOURNAL: Place = { seq: 1, events_before: 0, bytes_before: 0 };

export interface RecoveryContext {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly read_chunk_bytes: number;
  readonly quarantine: Quarantine;
  readonly spaces: Spaces;
  readonly clock: Clock;
  readonly log: Log;
}

/** Removes what was half created. */
export async function removeUnfinished(fs: FileSystem, directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    if (name.endsWith(UNFINISHED_SUFFIX)) await fs.remove(join(directory, name));
  }
}

export interface RecoveredLog {
  readonly segments: SegmentList;
  /** Behind the last commit. */
  readonly end: Place;
  /** Torn commits that were cut off. */
  readonly cut_count: number;
}

/** Cases 1 to 14: the segments, the state, the end. */
export async function recoverLog(
  context: RecoveryContext,
  found: readonly FoundSegment[],
  journal_id: Buffer,
): Promise<RecoveredLog> {
  const segments = await sortOut(context, found, journal_id);
  const list = new SegmentList(segments);
  const last = segments.at(-1);
  if (last === undefined) {
    context.spaces.restore(undefined);
    return { segments: list, end: NEW_JOURNAL, cut_count: 0 };
  }
  const from = await restoreSnapshot(context, list);
  let result: ReplayEnd | undefined;
  for (const segment of segments.slice(from)) {
    result = await replaySegment(context, list, segment, segment === last);
  }
  const cut_count = (result?.torn_bytes ?? 0) > 0 ? 1 : 0;
  return { segments: list, end: result?.end ?? last.first, cut_count };
}

/** Leaves out what is not of this journal or not readable (cases 10 to 12). */
async function sortOut(
  context: RecoveryContext,
  found: readonly FoundSegment[],
  journal_id: Buffer,
): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const file of found) {
    const { header } = file;
    const is_own = header?.journal_id.equals(journal_id) && header.first.seq === file.first_seq;
    if (header !== undefined && is_own === true) {
      segments.push(
        new Segment(context.directory, journal_id, header.first, header.created_ms, file.bytes),
      );
      continue;
    }
    const rescued = header === undefined ? await rescue(context, file, journal_id) : undefined;
    if (rescued !== undefined) segments.push(rescued);
    else await setAside(context, file);
  }
  return segments;
}

/** A segment without a readable header: its first whole commit header says what the segment's said. */
async function rescue(
  context: RecoveryContext,
  file: FoundSegment,
  journal_id: Buffer,
): Promise<Segment | undefined> {
  const { directory, quarantine, read_chunk_bytes } = context;
  const guess: Place = { seq: file.first_seq, events_before: 0, bytes_before: 0 };
  const segment = new Segment(directory, journal_id, guess, 0, file.bytes);
  const bounds = new SegmentList([segment]).bounds(segment);
  const parser = new SegmentParser(bounds, SEGMENT_HEADER_BYTES);
  parser.skipBodies();
  return unlessUnreadable(context, file.path, async (opened) => {
    const scan = new SegmentScan(opened, parser, read_chunk_bytes);
    for (let item = await scan.next(); item !== undefined; item = await scan.next()) {
      if (item.type !== 'commit') continue;
      const header_end = Math.min(SEGMENT_HEADER_BYTES, file.bytes);
      await quarantine.keep(opened, file.path, 0, header_end, 'segment header');
      const first = { ...item.frame.first, seq: file.first_seq };
      return new Segment(directory, journal_id, first, item.frame.committed_ms, file.bytes);
    }
    return undefined;
  });
}

/** Where it cannot be moved (a full disk without the folder) it stays, and is left out all the same. */
async function setAside(
  { fs, directory, log }: RecoveryContext,
  file: FoundSegment,
): Promise<void> {
  const what = file.header === undefined ? 'unreadable' : 'of another journal';
  const fields = { path: file.path, bytes: file.bytes };
  try {
    await fs.rename(file.path, join(directory, 'quarantine', basename(file.path)));
    log.error(fields, `a segment was moved aside: ${what}`);
  } catch (error) {
    const because = messageOf(error);
    log.error({ ...fields, error: because }, `a segment is left out, and not moved aside: ${what}`);
  }
}

/** Restores the newest whole snapshot. Returns the index of its segment (case 9). */
async function restoreSnapshot(context: RecoveryContext, list: SegmentList): Promise<number> {
  const segments = list.all();
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index] as Segment; // index < length
    const snapshot = await readSnapshot(context, list, segment);
    if (snapshot !== undefined) {
      context.spaces.restore(snapshot);
      return index;
    }
    context.log.error({ path: segment.path }, 'the snapshot at the start of a segment is damaged');
  }
  context.spaces.restore(undefined);
  context.log.error(
    {},
    'no snapshot is whole: positions are known only as far as the journal tells',
  );
  return 0;
}

async function readSnapshot(
  context: RecoveryContext,
  list: SegmentList,
  segment: Segment,
): Promise<Buffer | undefined> {
  return unlessUnreadable(context, segment.path, async (file) => {
    const parser = new SegmentParser(list.bounds(segment), SEGMENT_HEADER_BYTES);
    const scan = new SegmentScan(file, parser, context.read_chunk_bytes);
    for (let item = await scan.next(); item !== undefined; item = await scan.next()) {
      if (item.type !== 'record') continue;
      const is_snapshot = item.header.kind === RECORD_KIND.snapshot && item.intact;
      return is_snapshot ? item.body : undefined;
    }
    return undefined;
  });
}

/** Undefined if the disk reads nothing of it. */
async function unlessUnreadable<T>(
  context: RecoveryContext,
  path: string,
  use: (file: SalvagedFile) => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await withSalvagedFile(context, path, use);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

async function replaySegment(
  context: RecoveryContext,
  list: SegmentList,
  segment: Segment,
  is_last: boolean,
): Promise<ReplayEnd> {
  const { fs, quarantine, spaces, log, read_chunk_bytes } = context;
  return withSalvagedFile(context, segment.path, async (file) => {
    const scan = new SegmentScan(
      file,
      new SegmentParser(list.bounds(segment), SEGMENT_HEADER_BYTES),
      read_chunk_bytes,
    );
    const result = await replay(scan, {
      apply: (state) => spaces.apply(state),
      keep: ({ from, to, what }) => quarantine.keep(file, segment.path, from, to, what),
      isBad: (from, to) => file.hasBadIn(from, to),
      holdsEventsOf: (committed_ms) => segment.holdsEventsOf(committed_ms),
    });
    segment.has_bad_blocks = file.hasBadIn(0, segment.end_bytes);
    if (result.is_end_unreadable) {
      const fields = { path: segment.path, seq: result.end.seq };
      log.error(fields, 'the disk cannot read the end of a segment: more events may be lost');
    }
    if (!is_last || result.torn_bytes === 0) return result;
    const { end_bytes, torn_bytes } = result;
    const torn_end = end_bytes + torn_bytes;
    await quarantine.keep(file, segment.path, end_bytes, torn_end, 'last commit');
    log.warn(
      { path: segment.path, offset: end_bytes, bytes: torn_bytes },
      'a torn commit was cut off',
    );
    await cut(fs, segment, end_bytes);
    return result;
  });
}

async function cut(fs: FileSystem, segment: Segment, end_bytes: number): Promise<void> {
  const file = await fs.open(segment.path, 'edit');
  try {
    await file.truncate(end_bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  segment.end_bytes = end_bytes;
}
