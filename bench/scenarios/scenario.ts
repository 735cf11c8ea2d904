import type { Contestant } from '../contestants/contestant.ts';
import type { BenchOptions } from '../lib/arguments.ts';
import type { Figures } from '../lib/results.ts';
import type { Workspace } from '../lib/workspace.ts';

/** What every run needs. */
export interface Bench {
  readonly options: BenchOptions;
  readonly workspace: Workspace;
  /** Where the CPU profiles of this scenario go, if there are to be any. */
  readonly profiles?: string;
}

/** What a run showed of one contestant, or of the machine while it ran. */
export interface Outcome {
  readonly contestant: string;
  readonly figures: Figures;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  takesPart(contestant: Contestant): boolean;
  /** One round of one contestant. Everything it starts has ended when it settles. */
  run(contestant: Contestant, bench: Bench): Promise<readonly Outcome[]>;
}

/** No step of a run takes longer, not even Fluentd's; then the run has failed. */
export const RUN_MAX_MS = 300_000;
/** What one run may write: slow disks throttle beyond it. */
export const RUN_MAX_BYTES = 2 * 1024 ** 3;
