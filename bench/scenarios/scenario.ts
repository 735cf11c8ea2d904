import type { Contestant } from '../contestants/contestant.ts';
import type { BenchOptions } from '../lib/arguments.ts';
import type { Figures } from '../lib/results.ts';
import type { Workspace } from '../lib/workspace.ts';

/** What every run needs. */
export interface Bench {
  readonly options: BenchOptions;
  readonly workspace: Workspace;
  /** Ctrl-C: everything is to end, and to be tidied up. */
  readonly interrupted: AbortSignal;
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
  /**
   * One round of one contestant. Everything it starts has ended when it settles; rejects with
   * GaveUp when that takes too long.
   */
  run(contestant: Contestant, bench: Bench): Promise<readonly Outcome[]>;
}

/** What one run may write: slow disks throttle beyond it. */
export const RUN_MAX_BYTES = 1024 ** 3;
