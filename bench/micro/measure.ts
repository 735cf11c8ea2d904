import type { Figures } from '../lib/results.ts';
import { quantile, sorted } from '../lib/statistics.ts';

/** One part of logboom by itself. */
export interface Micro {
  readonly name: string;
  /** Returns how many operations one call of `work` is; and how to clean up. */
  begin(directory: string): Promise<Prepared>;
}

export interface Prepared {
  readonly ops_count: number;
  readonly work: () => void | Promise<void>;
  readonly end?: () => Promise<void>;
}

const RUNS = 9;
const RUN_SHARE_OF_LOAD = 1 / 12;
const NS_PER_US = 1000;
const MS_PER_S = 1000;

/** CPU time of the whole process for one operation: the lower quartile of some runs, since other load only ever adds. */
export async function measure(prepared: Prepared, load_ms: number): Promise<Figures> {
  const { ops_count, work, end } = prepared;
  try {
    const run_us = load_ms * RUN_SHARE_OF_LOAD * MS_PER_S;
    const costs_ns: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const before = process.cpuUsage();
      let calls_count = 0;
      let used_us = 0;
      while (used_us < run_us) {
        await work();
        calls_count += 1;
        const { user, system } = process.cpuUsage(before);
        used_us = user + system;
      }
      // The first warms up.
      if (run > 0) costs_ns.push((used_us * NS_PER_US) / (calls_count * ops_count));
    }
    return { cpu_ns_per_op: quantile(sorted(costs_ns), 0.25) };
  } finally {
    await end?.();
  }
}
