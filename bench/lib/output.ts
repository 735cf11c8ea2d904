import type { BenchOptions } from './arguments.ts';
import { type BudgetResult, budgetTable, judgeBudgets } from './budgets.ts';
import { headroomText } from './headroom.ts';
import { type Machine, machineText } from './machine.ts';
import { ratioTables, reportTables } from './report.ts';
import { type Run, type Summary, summarize } from './results.ts';

/** Everything that a bench found out. */
export interface BenchReport {
  readonly machine: Machine;
  readonly options: BenchOptions;
  /** Versions and settings of who took part. */
  readonly about: readonly string[];
  readonly runs: readonly Run[];
}

/** How the figures are to be read; above every table. */
const NOTE = [
  'Medians over the rounds, taken in turn. CPU: user and kernel time of the process and its children, by',
  '/proc. speed, CPU: ratio to the pump, or to logboom where the pump cannot take part. spread: of the',
  'first figure, largest minus smallest.',
].join('\n');
const QUICK_NOTE = [
  'Quick: too short for figures and budgets. Ratios to the pump, or to logboom where the pump cannot take',
  'part; what is beyond 1.00x is more of what the column names.',
].join('\n');

export function reportText(report: BenchReport): string {
  const { machine, options, about } = report;
  const summaries = summarize(report.runs);
  const heading = [machineText(machine), settingsText(options), ...about].join('\n');
  const parts = options.quick
    ? [heading, QUICK_NOTE, ratioTables(summaries)]
    : [
        heading,
        NOTE,
        budgetTable(budgetsOf(report, summaries), { all: options.only.length === 0 }),
        reportTables(summaries),
        headroomText(summaries),
      ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** None of runs that are too short, or slowed down by being watched. */
function budgetsOf({ options }: BenchReport, summaries: readonly Summary[]): BudgetResult[] {
  return options.quick || options.profile ? [] : judgeBudgets(summaries);
}

function settingsText(options: BenchOptions): string {
  const { rounds_count, load_ms, idle_ms, backlog_bytes, turn_max_ms } = options;
  return [
    `${rounds_count} round(s) of ${load_ms / 1000} s`,
    `idle for ${idle_ms / 1000} s`,
    `a backlog of ${(backlog_bytes / 1024 ** 3).toPrecision(3)} GiB`,
    `given up after ${turn_max_ms / 1000} s`,
  ].join('; ');
}

export function reportJson(report: BenchReport): string {
  const summaries = summarize(report.runs);
  const budgets = budgetsOf(report, summaries);
  return `${JSON.stringify({ ...report, summaries, budgets }, undefined, 2)}\n`;
}
