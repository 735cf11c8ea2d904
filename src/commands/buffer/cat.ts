import type { Writable } from 'node:stream';
import { terminalSafe } from '../../outputs/pretty.ts';
import { recordLines } from '../../outputs/record-lines.ts';
import { NdjsonFormat, NO_ADDITIONS } from '../../outputs/render.ts';
import { systemClock } from '../../sys/clock.ts';
import { EXIT, type ExitCode, type Host } from '../host.ts';
import { DamageNotes } from './damage-notes.ts';
import { endedEarly } from './ended-early.ts';
import { type EventFilter, type FilterFlags, mayHold, parseFilter } from './event-filter.ts';
import { ReaderGone, TextWriter } from './lines.ts';
import { type FoundJournal, lookInto } from './look.ts';
import { SelectedFormat } from './selected-format.ts';
import { walkLog } from './walk.ts';

/**
 * `logboom buffer cat DIR`: events as lines of JSON, oldest first. Damage is passed over,
 * said on standard error, and ends with code 1, as an early stop does; a reader that goes
 * away ends it with 0.
 */
export async function catBuffer(
  host: Host,
  dir: string,
  flags: FilterFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const journal = await lookInto(host, dir);
  const filter = parseFilter(flags, journal, systemClock.now_ms());
  const notes = new DamageNotes();
  try {
    await writeLines(host, journal, filter, host.stdout, notes, signal);
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.ok;
    throw error;
  }
  const is_damaged = notes.report(host);
  return endedEarly(host, signal) || is_damaged ? EXIT.failure : EXIT.ok;
}

/** Writes the events that `filter` means as NDJSON. Returns how many. */
export async function writeLines(
  host: Host,
  journal: FoundJournal,
  filter: EventFilter,
  stream: Writable,
  notes: DamageNotes,
  signal: AbortSignal,
): Promise<number> {
  const ndjson = new NdjsonFormat(NO_ADDITIONS);
  const on_terminal = stream === host.stdout && host.stdout_is_terminal;
  const format = new SelectedFormat(filter, on_terminal ? terminalSafe(ndjson) : ndjson);
  const writer = new TextWriter(stream);
  // On a terminal the lines themselves show that it goes on.
  const has_bar = host.stderr_is_terminal && !on_terminal;
  const bar = { stderr: host.stderr, stderr_is_terminal: has_bar };
  for await (const item of walkLog(bar, journal, { from_seq: filter.from_seq }, signal)) {
    if (item.type === 'corruption') notes.add(item.corruption);
    if (item.type !== 'record' || !mayHold(filter, item.record)) continue;
    format.begin(item.record);
    for await (const { text } of recordLines(item.record, format)) {
      await writer.write(text);
      if (format.isDone) break;
    }
    if (format.isDone) break;
  }
  await writer.flush();
  return format.count;
}
