import type { JournalConfig } from '../config/types.ts';
import type { ForwardServer } from '../inputs/forward/server.ts';
import type { Journal } from '../journal/journal.ts';
import type { DiskSpace } from '../status/disk-space.ts';
import type { RelayAbout, StatusSource } from '../status/source.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { LogInputs } from './log-inputs.ts';
import type { OutputSet } from './output-set.ts';

/** What there is to look at. */
export interface ObservedParts {
  readonly journal: Journal;
  readonly outputs: OutputSet;
  readonly server: ForwardServer;
  readonly log_inputs: LogInputs;
  readonly ledger: DropLedger;
}

/** The relay's parts as its status sees them. */
export function statusSource(
  about: RelayAbout,
  journal_options: JournalConfig,
  parts: ObservedParts & { readonly disk_space: DiskSpace; isStopping(): boolean },
): StatusSource {
  const { journal, outputs, server, log_inputs, ledger, disk_space } = parts;
  return {
    about,
    journal,
    journal_options,
    input: server.stats,
    isStopping: () => parts.isStopping(),
    listening: () => server.urls,
    diskFree: () => disk_space.free_bytes,
    outputs: () => outputs.all(),
    containers: () => log_inputs.containers(),
    gaps: () => log_inputs.gaps(),
    dropped: () => ledger.toJSON(),
  };
}
