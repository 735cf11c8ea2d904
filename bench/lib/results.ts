import { median, spread } from './statistics.ts';

/**
 * What one run showed, by name; the name ends with the unit. Figures that a contestant
 * has not are left out.
 */
export type Figures = Readonly<Record<string, number>>;

/** One run of one contestant in one scenario. */
export interface Run {
  readonly scenario: string;
  readonly contestant: string;
  /** From 1. */
  readonly round: number;
  /** Empty if it failed. */
  readonly figures: Figures;
  readonly failure?: string;
}

/** All rounds of one contestant in one scenario. */
export interface Summary {
  readonly scenario: string;
  readonly contestant: string;
  /** Medians over the rounds. */
  readonly figures: Figures;
  /** Of each figure: largest minus smallest, as a share of the median. */
  readonly spreads: Figures;
  readonly rounds_count: number;
  readonly failures: readonly string[];
}

/** One summary for each contestant of each scenario, in the order of their first runs. */
export function summarize(runs: readonly Run[]): Summary[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.scenario, run.contestant]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map(summaryOf);
}

function summaryOf(runs: readonly Run[]): Summary {
  const [first] = runs;
  if (first === undefined) throw new RangeError('no runs');
  const values = new Map<string, number[]>();
  for (const { figures } of runs) {
    for (const [name, value] of Object.entries(figures)) {
      values.set(name, [...(values.get(name) ?? []), value]);
    }
  }
  const over = (fold: (rounds: readonly number[]) => number): Figures =>
    Object.fromEntries([...values].map(([name, rounds]) => [name, fold(rounds)]));
  return {
    scenario: first.scenario,
    contestant: first.contestant,
    figures: over(median),
    spreads: over(spread),
    rounds_count: runs.filter(({ failure }) => failure === undefined).length,
    failures: runs.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
  };
}

/** A figure's median; undefined where it was not measured. */
export function figureOf(
  summaries: readonly Summary[],
  scenario: string,
  contestant: string,
  figure: string,
): number | undefined {
  return summaries.find((one) => one.scenario === scenario && one.contestant === contestant)
    ?.figures[figure];
}
