import { budgetTable, judgeBudgets } from './budgets.ts';
import { type Machine, machineText } from './machine.ts';
import { reportTables } from './report.ts';
import { type Run, summarize } from './results.ts';

/** Everything that a bench found out. */
export interface BenchReport {
  readonly machine: Machine;
  readonly rounds_count: number;
  readonly load_ms: number;
  /** Versions and settings of who took part. */
  readonly about: readonly string[];
  readonly runs: readonly Run[];
}

/** How the figures are to be read; above every table. */
const NOTE =
  'Medians over the rounds, taken in turn. CPU: user and kernel time of the process, by /proc. speed, CPU: ratio to the pump, or to logboom where it cannot take part.';

export function reportText(report: BenchReport): string {
  const { machine, rounds_count, load_ms, about, runs } = report;
  const summaries = summarize(runs);
  const rounds = `${rounds_count} round(s) of ${load_ms / 1000} s`;
  const parts = [
    [machineText(machine), rounds, ...about].join('\n'),
    NOTE,
    reportTables(summaries),
    budgetTable(judgeBudgets(summaries)),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

export function reportJson(report: BenchReport): string {
  const summaries = summarize(report.runs);
  const budgets = judgeBudgets(summaries);
  return `${JSON.stringify({ ...report, summaries, budgets }, undefined, 2)}\n`;
}
