import { basename, join, resolve } from 'node:path';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import { type InspectedJournal, inspectDirectory } from '../../journal/inspect.ts';
import type { Host } from '../host.ts';

export interface FoundJournal extends InspectedJournal {
  /** Absolute. */
  readonly directory: string;
}

/**
 * What is in a journal directory, without owning or changing it.
 *
 * @throws LB_USAGE when there is no journal; LB_JOURNAL_IO when it cannot be read;
 *   LB_JOURNAL_VERSION
 */
export async function lookInto(host: Host, dir: string): Promise<FoundJournal> {
  const directory = resolve(host.cwd, dir);
  const found = await inspectDirectory(directory).catch((error: unknown) => {
    throw explained(error, directory);
  });
  if (found.segments.length > 0) return { directory, ...found };
  const nested = join(directory, 'journal');
  const is_above = await hasSegments(nested);
  throw new LogboomError('LB_USAGE', 'there is no journal in this folder', {
    where: directory,
    hint: is_above
      ? `Did you mean ${nested}?`
      : 'A journal is a folder with files such as 0000000000000001.seg; `logboom config show` names it as journal.dir.',
  });
}

async function hasSegments(directory: string): Promise<boolean> {
  const found = await inspectDirectory(directory).catch(() => undefined);
  return found !== undefined && found.segments.length > 0;
}

function explained(error: unknown, directory: string): unknown {
  const code = systemCode(error);
  if (error instanceof LogboomError || code === undefined) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new LogboomError('LB_USAGE', 'there is no such folder', { where: directory });
  }
  return new LogboomError('LB_JOURNAL_IO', `the journal cannot be read: ${messageOf(error)}`, {
    where: directory,
    hint: 'It belongs to the user that logboom runs as: look as that user, or as root.',
    cause: error,
  });
}

/** For a person: whose the journal is, as far as that can be told without its lock. */
export function ownerText({ owner }: Pick<InspectedJournal, 'owner'>): string {
  if (owner === undefined) return 'not known';
  const [host_name = ''] = owner.machine.split('/');
  if (owner.closed) return 'nobody: it was closed in good order';
  return `process ${owner.pid} on ${host_name}, which runs or was killed`;
}

/** Where a damaged place is, the same in every command. */
export function placeText(path: string, offset: number): string {
  return `${basename(path)}:${offset}`;
}
