/**
 * Looking into a journal directory without owning it: nothing is written, no
 * lock is taken, and damage is reported instead of thrown. A running logboom may
 * be writing meanwhile: then the last commit may look torn, and a segment that is
 * deleted before its turn comes is left out.
 */
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { type File, type FileSystem, nodeFs } from '../sys/fs.ts';
import { silentLog } from '../sys/log.ts';
import { nameOfCursorFile, readCursor } from './cursor-file.ts';
import type { CursorSlot } from './cursor-slot.ts';
import { recordOf } from './disk-record.ts';
import { RECORD_KIND, SEGMENT_HEADER_BYTES } from './format.ts';
import { type FoundSegment, findSegments, journalIdOf } from './found-segments.ts';
import type { LockNote } from './identity.ts';
import { readLockNote } from './identity.ts';
import { SalvagedFile } from './salvaged-file.ts';
import type { RecordItem, SegmentItem } from './segment-items.ts';
import { SegmentParser } from './segment-parser.ts';
import { SegmentScan } from './segment-scan.ts';
import { Segment, SegmentList } from './segments.ts';
import type { JournalRecord } from './types.ts';

const LIST_TRIES = 5;

export interface InspectedJournal {
  readonly journal_id: Buffer;
  /** What the LOCK file says of its last or present owner. */
  readonly owner: LockNote | undefined;
  /** Oldest first. */
  readonly segments: readonly FoundSegment[];
  readonly cursors: readonly InspectedCursor[];
}

export interface InspectedCursor {
  readonly name: string;
  readonly path: string;
  /** Undefined if the file is damaged. */
  readonly slot: CursorSlot | undefined;
}

/** Damaged bytes, or (`is_tail`) a last commit that is not whole: torn, or being written right now. */
export interface Corruption {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly what: string;
  readonly is_tail: boolean;
}

interface InspectedCommit {
  readonly offset: number;
  readonly total_bytes: number;
  readonly first_seq: number;
  readonly records: number;
  readonly committed_ms: number;
}

export type Inspected =
  | { readonly type: 'commit'; readonly path: string; readonly commit: InspectedCommit }
  | {
      readonly type: 'record';
      readonly path: string;
      readonly offset: number;
      readonly record: JournalRecord;
    }
  | {
      /** A record of the journal's own: state entries, or a snapshot. */
      readonly type: 'state';
      readonly path: string;
      readonly offset: number;
      readonly kind: 'state' | 'snapshot';
      readonly body: Buffer;
    }
  | { readonly type: 'corruption'; readonly corruption: Corruption };

/** What is in the directory. Rejects with LB_JOURNAL_VERSION, or if it can't be read. */
export async function inspectDirectory(
  directory: string,
  fs: FileSystem = nodeFs,
): Promise<InspectedJournal> {
  const owner = await readLockNote(fs, directory);
  const segments = await listSegments(fs, directory);
  const cursors = await inspectCursors(fs, join(directory, 'cursors'));
  return { journal_id: journalIdOf(segments, owner?.journal_id), owner, segments, cursors };
}

/** A running logboom may delete a segment while they are listed: then they are listed again. */
async function listSegments(fs: FileSystem, directory: string): Promise<FoundSegment[]> {
  for (let tries_left = LIST_TRIES; ; tries_left--) {
    try {
      return await findSegments(fs, directory);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || tries_left === 1) throw error;
    }
  }
}

export interface InspectOptions {
  /** Records before it are left out, and segments before it are not opened. Default: all. */
  readonly from_seq?: number;
  /** False: bodies are neither read nor checked, and empty in what is yielded. Default: true. */
  readonly bodies?: boolean;
  readonly fs?: FileSystem;
}

/** Every commit, record and damaged place from `from_seq` on, in the order of the log. */
export async function* inspectLog(
  directory: string,
  { from_seq = 0, bodies = true, fs = nodeFs }: InspectOptions = {},
): AsyncGenerator<Inspected> {
  const { journal_id, segments: found } = await inspectDirectory(directory, fs);
  const own = found.filter((file) => isOwn(file, journal_id));
  const list = new SegmentList(own.map((file) => segmentOf(directory, journal_id, file)));
  for (const file of found) {
    const index = own.indexOf(file);
    if (index === -1) {
      yield corruption(file.path, 0, file.bytes, 'another journal', false);
      continue;
    }
    const segment = list.all()[index] as Segment; // one for each file of this journal
    const next = list.all()[index + 1];
    if (next !== undefined && next.first.seq <= from_seq) continue;
    if (file.header === undefined) yield headerDamage(file);
    const parser = new SegmentParser(list.bounds(segment), SEGMENT_HEADER_BYTES);
    // From its beginning the snapshot is seen too.
    if (from_seq > segment.first.seq) parser.skipTo(from_seq);
    if (!bodies) parser.skipBodies();
    yield* inspectSegment(fs, segment, parser, from_seq, next === undefined);
  }
}

async function* inspectSegment(
  fs: FileSystem,
  segment: Segment,
  parser: SegmentParser,
  from_seq: number,
  is_last: boolean,
): AsyncGenerator<Inspected> {
  const file = await openIfThere(fs, segment.path);
  if (file === undefined) return;
  try {
    const readable = new SalvagedFile(file, segment.path, silentLog);
    const scan = new SegmentScan(readable, parser, LIMITS.read_chunk_bytes);
    for (let item = await scan.next(); item !== undefined; item = await scan.next()) {
      const is_tail = is_last && item.type === 'damage' && item.to >= parser.end_bytes;
      const seen = inspected(segment.path, item, from_seq, is_tail);
      if (seen !== undefined) yield seen;
    }
  } finally {
    await file.close();
  }
}

/** Undefined: a running logboom was done with it, and deleted it. */
async function openIfThere(fs: FileSystem, path: string): Promise<File | undefined> {
  try {
    return await fs.open(path, 'read');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function inspected(
  path: string,
  item: SegmentItem,
  from_seq: number,
  is_tail: boolean,
): Inspected | undefined {
  switch (item.type) {
    case 'commit': {
      const { first, event_records, committed_ms, total_bytes } = item.frame;
      const about = { offset: item.offset, total_bytes, committed_ms };
      return {
        type: 'commit',
        path,
        commit: { ...about, first_seq: first.seq, records: event_records },
      };
    }
    case 'damage': {
      const { from, to, what } = item;
      return corruption(path, from, to, what, is_tail);
    }
    case 'record':
      return inspectedRecord(path, item, from_seq);
    case 'end':
      return undefined;
  }
}

function inspectedRecord(path: string, item: RecordItem, from_seq: number): Inspected | undefined {
  const { offset, end_offset, header, body } = item;
  if (!item.intact) return corruption(path, offset, end_offset, 'record body', false);
  if (header.kind === RECORD_KIND.events) {
    if (item.place.seq < from_seq) return undefined;
    return { type: 'record', path, offset, record: recordOf(item) };
  }
  const kind = header.kind === RECORD_KIND.snapshot ? 'snapshot' : 'state';
  return { type: 'state', path, offset, kind, body };
}

function corruption(
  path: string,
  from: number,
  to: number,
  what: string,
  is_tail: boolean,
): Inspected {
  const found: Corruption = { path, offset: from, bytes: to - from, what, is_tail };
  return { type: 'corruption', corruption: found };
}

/** One without a readable header may be. */
function isOwn({ header, first_seq }: FoundSegment, journal_id: Buffer): boolean {
  if (header === undefined) return true;
  return header.journal_id.equals(journal_id) && header.first.seq === first_seq;
}

function headerDamage(file: FoundSegment): Inspected {
  const to = Math.min(SEGMENT_HEADER_BYTES, file.bytes);
  return corruption(file.path, 0, to, 'segment header', false);
}

function segmentOf(directory: string, journal_id: Buffer, file: FoundSegment): Segment {
  const first = file.header?.first ?? { seq: file.first_seq, events_before: 0, bytes_before: 0 };
  return new Segment(directory, journal_id, first, file.header?.created_ms ?? 0, file.bytes);
}

async function inspectCursors(fs: FileSystem, directory: string): Promise<InspectedCursor[]> {
  const found: InspectedCursor[] = [];
  const file_names: string[] = await fs.readdir(directory).catch(() => []);
  for (const file_name of file_names.toSorted()) {
    const name = nameOfCursorFile(file_name);
    if (name === undefined) continue;
    const path = join(directory, file_name);
    found.push({ name, path, slot: await readCursor(fs, path) });
  }
  return found;
}
