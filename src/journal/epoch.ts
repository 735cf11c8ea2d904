/**
 * Whether seqs might come to name other records than before, and where cursors
 * stand after a loss: cases 15 to 19 of recovery.ts.
 */
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import type { FoundCursor } from './cursors.ts';
import type { Place } from './format.ts';
import type { FoundSegment } from './found-segments.ts';
import type { DirectoryLock } from './identity.ts';
import type { RecoveredLog } from './recovery.ts';
import { SEQ_JUMP } from './replay.ts';

export interface RecoveredEnd {
  /** Where appending goes on. */
  readonly end: Place;
  readonly epoch: number;
}

/** Cases 15 to 17: whether seqs may come to name other records than before, and what then. */
export function judgeEpoch(
  lock: DirectoryLock,
  journal_id: Buffer,
  found: readonly FoundSegment[],
  recovered: RecoveredLog,
  cursors: readonly FoundCursor[],
  log: Log,
): RecoveredEnd {
  const { found: note, here } = lock;
  const { end } = recovered;
  const known = Math.max(0, note?.epoch ?? 0, ...found.map(({ header }) => header?.epoch ?? 0));
  if (known === 0) return { end, epoch: 1 };

  const slots = cursors.flatMap(({ slot }) =>
    slot?.journal_id.equals(journal_id) ? [slot.at] : [],
  );
  const newest_segment = recovered.segments.all().at(-1)?.first.seq ?? 0;
  const named_seq = Math.max(note?.newest_segment ?? 0, ...slots.map((at) => at.seq));
  const lost_tail = named_seq > end.seq || (note?.newest_segment ?? 0) > newest_segment;
  if (lost_tail) {
    const fields = { end_seq: end.seq, named_seq, epoch: known + 1 };
    log.error(fields, 'records that were durable once are gone; their number is not known');
    return { end: jumpOver(end, named_seq, slots), epoch: known + 1 };
  }
  const reason = doubt(note, here, recovered);
  if (reason === undefined) return { end, epoch: known };
  log.info({ reason, epoch: known + 1 }, 'the journal begins a new epoch');
  return { end, epoch: known + 1 };
}

/** Why a seq might have named another record before; undefined if it cannot have. */
function doubt(
  note: DirectoryLock['found'],
  here: DirectoryLock['here'],
  recovered: RecoveredLog,
): string | undefined {
  if (note === undefined) return 'the LOCK file does not tell whose directory this was';
  if (isElsewhere(note.machine, here.machine)) {
    return `it was on ${note.machine} and is on ${here.machine}`;
  }
  if (note.device !== here.device || note.inode !== here.inode) return 'the directory is a copy';
  // Whoever read it before it was damaged may have sent it on.
  if (recovered.cut_count > 0) return 'the last commit was cut off';
  if (note.sync === 'os' && !note.closed) return 'it was not synced, and not closed';
  return undefined;
}

/**
 * Host name and machine id tell a clone of a whole machine, where device and inode are
 * the same. A container has no machine id, and a new name with each swap.
 */
function isElsewhere(then: string, now: string): boolean {
  const is_known = [then, now].every((machine) => !/\/(?:unknown)?$/.test(machine));
  return is_known && then !== now;
}

function jumpOver(end: Place, named_seq: number, slots: readonly Place[]): Place {
  return {
    seq: Math.max(end.seq, named_seq) + SEQ_JUMP,
    events_before: Math.max(end.events_before, ...slots.map((at) => at.events_before)),
    bytes_before: Math.max(end.bytes_before, ...slots.map((at) => at.bytes_before)),
  };
}

/** Where a found cursor stands now (cases 18 and 19, and cursors before the oldest record). */
export function placeCursor(
  found: FoundCursor,
  journal_id: Buffer,
  oldest: Place,
  { ledger, log }: { readonly ledger: DropLedger; readonly log: Log },
): { at: Place; window: Buffer } {
  const { name, slot } = found;
  const nothing = Buffer.alloc(0);
  if (slot === undefined || !slot.journal_id.equals(journal_id)) {
    log.error({ output: name, seq: oldest.seq }, 'a cursor is damaged: its output begins again');
    return { at: oldest, window: nothing };
  }
  if (slot.at.seq >= oldest.seq) return slot;
  const lost = Math.max(0, oldest.events_before - slot.at.events_before);
  ledger.count('missing_segment', name, lost);
  log.error({ output: name, events: lost }, 'segments that an output had not read are gone');
  return { at: oldest, window: nothing };
}
