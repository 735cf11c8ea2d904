import { basename } from 'node:path';
import { LogboomError } from '../../errors.ts';
import { DirectoryLock } from '../../journal/identity.ts';
import { inspectLog } from '../../journal/inspect.ts';
import { planTrim, type TrimPlan, type TrimWish } from '../../journal/inspect-trim.ts';
import { systemClock } from '../../sys/clock.ts';
import { nodeFs } from '../../sys/fs.ts';
import { EXIT, type ExitCode, type Host } from '../host.ts';
import { parseCount, parseTime } from './event-filter.ts';
import { type FoundJournal, lookInto } from './look.ts';
import { countText, sizeText } from './text.ts';

export interface TrimFlags {
  readonly beforeSeq?: string;
  readonly olderThan?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/**
 * `logboom buffer trim DIR`: deletes the oldest segments, by default those that every
 * output is done with. It owns the journal meanwhile, so no relay can be running on it.
 *
 * @throws LB_JOURNAL_LOCKED; LB_USAGE when something would be lost and `--force` is missing;
 *   LB_JOURNAL_CORRUPT when what is left would have no state
 */
export async function trimBuffer(host: Host, dir: string, flags: TrimFlags): Promise<ExitCode> {
  const wish = {
    before_seq: parseCount('--before-seq', flags.beforeSeq),
    before_ms: parseTime('--older-than', flags.olderThan, systemClock.now_ms()),
  };
  if (flags.dryRun === true) {
    const plan = planTrim(await lookInto(host, dir), wish);
    host.stdout.write(planText(plan, 'would be deleted', 'would lose'));
    return EXIT.ok;
  }
  const { directory } = await lookInto(host, dir);
  const lock = await DirectoryLock.acquire(nodeFs, directory);
  try {
    // Looked at again: only now nobody else changes it.
    const plan = await planUnderLock(await lookInto(host, dir), wish, flags.force === true);
    for (const { path } of plan.segments) await nodeFs.unlink(path);
    await nodeFs.syncDirectory(directory);
    host.stdout.write(planText(plan, 'deleted', 'loses'));
    return EXIT.ok;
  } finally {
    await lock.release();
  }
}

async function planUnderLock(
  journal: FoundJournal,
  wish: TrimWish,
  force: boolean,
): Promise<TrimPlan> {
  const plan = planTrim(journal, wish);
  if (plan.losses.length > 0 && !force) {
    throw new LogboomError('LB_USAGE', planText(plan, 'would be deleted', 'would lose').trim(), {
      where: journal.directory,
      hint: 'Nothing was deleted. Add --force if that is meant.',
    });
  }
  if (plan.segments.length > 0 && !(await lastSnapshotIsWhole(journal))) {
    throw new LogboomError(
      'LB_JOURNAL_CORRUPT',
      'the snapshot of the last segment is damaged: positions are only known through the segments before it',
      {
        where: journal.directory,
        hint: 'Nothing was deleted. Start and stop logboom once: it writes a new snapshot.',
      },
    );
  }
  return plan;
}

/** A segment's first record is its snapshot. */
async function lastSnapshotIsWhole({ directory, segments }: FoundJournal): Promise<boolean> {
  const last = segments.at(-1);
  if (last?.header === undefined) return false;
  for await (const item of inspectLog(directory, { from_seq: last.first_seq })) {
    if (item.type === 'commit') continue;
    return item.type === 'state' && item.kind === 'snapshot';
  }
  return false;
}

function planText(
  { segments, bytes, losses, done_seq }: TrimPlan,
  done: string,
  lose: string,
): string {
  if (segments.length === 0) {
    return done_seq === undefined
      ? 'nothing to delete: no output has a place in this journal, so nothing counts as done with\n'
      : `nothing to delete: outputs need what is from seq ${done_seq} on, and the last segment stays\n`;
  }
  const names = segments.map(({ path }) => basename(path));
  const range = names.length === 1 ? names[0] : `${names[0]} to ${names.at(-1)}`;
  const lines = [`${countText(segments.length, 'segment')} ${done}, ${sizeText(bytes)}: ${range}`];
  for (const { output, events } of losses) {
    lines.push(`output ${output} ${lose} ${countText(events, 'event')}`);
  }
  return `${lines.join('\n')}\n`;
}
