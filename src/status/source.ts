import type { ForwardStats } from '../inputs/forward/stats.ts';
import type { Journal } from '../journal/journal.ts';
import type { OutputStats } from '../outputs/output.ts';
import type { ContainerHow, GapStatus } from './types.ts';

/** Where a snapshot's figures come from. Asking for them is cheap; nothing is kept for it while events pass. */
export interface StatusSource {
  readonly about: RelayAbout;
  isStopping(): boolean;
  /** URLs. */
  listening(): readonly string[];
  readonly input: ForwardStats;
  readonly journal: JournalFigures;
  readonly journal_options: {
    readonly dir: string;
    readonly on_full: 'block' | 'drop_oldest';
    readonly max_bytes: number;
  };
  /** Free on the journal's file system; undefined as long as it is not known. */
  diskFree(): number | undefined;
  outputs(): readonly OutputFigures[];
  containers(): readonly ContainerFigures[];
  gaps(): readonly GapStatus[];
  dropped(): Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface RelayAbout {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  readonly started_ms: number;
}

export type JournalFigures = Pick<
  Journal,
  'state' | 'oldest_seq' | 'durable_seq' | 'totals' | 'cursors'
>;

export interface OutputFigures {
  readonly name: string;
  readonly type: string;
  readonly stats: OutputStats;
}

/** As `ContainerStatus`; what is not there is 0. */
export interface ContainerFigures {
  readonly id: string;
  readonly name: string;
  readonly how: ContainerHow;
  readonly is_removed: boolean;
  readonly lines: number;
  readonly torn: number;
  readonly recovered?: number;
  readonly dropped_doubled?: number;
  readonly late?: number;
  readonly ambiguous?: number;
  readonly unanchored?: number;
  readonly uncached?: number;
}
