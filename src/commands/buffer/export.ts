import { createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import type { ForwardKind } from '../../outputs/forward/options.ts';
import { systemClock } from '../../sys/clock.ts';
import type { CatFlags } from '../cat-options.ts';
import { EXIT, type ExitCode, type Host } from '../host.ts';
import { writeLines } from './cat.ts';
import { DamageNotes } from './damage-notes.ts';
import { endedEarly } from './ended-early.ts';
import { type FilterFlags, parseFilter } from './event-filter.ts';
import { ReaderGone } from './lines.ts';
import { lookInto } from './look.ts';
import { countText } from './text.ts';

export interface ExportFlags
  extends FilterFlags,
    Pick<CatFlags, 'ca' | 'verify' | 'sharedKeyFile' | 'username' | 'passwordFile'> {
  /** A Forward server. */
  readonly to?: string;
  readonly kind: ForwardKind;
  /** A file of NDJSON. */
  readonly file?: string;
}

/**
 * `logboom buffer export DIR`: events as lines of JSON to a new file or standard output,
 * or to a Forward server, acks awaited. The journal and the places of its outputs stay
 * as they are. Code 1: something damaged was passed over, or could not be sent.
 */
export async function exportBuffer(
  host: Host,
  dir: string,
  flags: ExportFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  if (flags.to !== undefined && flags.file !== undefined) {
    throw new LogboomError('LB_USAGE', '--to and --file do not go together');
  }
  const journal = await lookInto(host, dir);
  const filter = parseFilter(flags, journal, systemClock.now_ms());
  const notes = new DamageNotes();
  let complete = true;
  if (flags.to !== undefined) {
    const { sendEvents } = await import('./send.ts');
    const sent = await sendEvents(host, journal, filter, { ...flags, to: flags.to }, notes, signal);
    complete = sent.not_sent === 0;
    host.stderr.write(`logboom: ${sent.text}\n`);
  } else if (flags.file === undefined) {
    const reader_left = await leftBy(() =>
      writeLines(host, journal, filter, host.stdout, notes, signal),
    );
    if (reader_left) return EXIT.ok;
  } else {
    const file = await newFile(resolve(host.cwd, flags.file));
    const count = await writeLines(host, journal, filter, file, notes, signal);
    file.end();
    await finished(file);
    host.stderr.write(`logboom: ${countText(count, 'event')} written to ${flags.file}\n`);
  }
  const is_damaged = notes.report(host);
  return endedEarly(host, signal) || is_damaged || !complete ? EXIT.failure : EXIT.ok;
}

/** True: the reader of a pipe went away, which ends the work in good order. */
async function leftBy(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof ReaderGone) return true;
    throw error;
  }
}

/** Other people's log lines: not for everybody. */
const FILE_MODE = 0o640;

async function newFile(path: string): Promise<WriteStream> {
  try {
    const handle = await open(path, 'wx', FILE_MODE);
    const stream = createWriteStream(path, { fd: handle });
    // Each write reports its own.
    stream.on('error', () => {});
    return stream;
  } catch (error) {
    const exists = systemCode(error) === 'EEXIST';
    throw new LogboomError(
      exists ? 'LB_USAGE' : 'LB_OUTPUT',
      exists ? 'the file exists already' : `the file cannot be written: ${messageOf(error)}`,
      { where: path, hint: 'Name a new file with --file.', cause: error },
    );
  }
}
