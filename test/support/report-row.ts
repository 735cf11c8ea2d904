import type { LineReport } from './line-counter.ts';
import { writeAll } from './write-all.ts';

const STDERR = 2;
/** Of the column with the names of the runs. */
const RUN_WIDTH = 72;

/**
 * Prints one row of the table of runs: what was written, what arrived, what was lost or
 * doubled, and what the relay itself counted.
 */
export function printRow(
  run: string,
  report: LineReport,
  figures: Readonly<Record<string, number>> = {},
): void {
  const { written, arrived, lost, doubled, out_of_order } = report;
  const counted = Object.entries(figures).map(([name, count]) => `, ${name} ${count}`);
  const row =
    `${run.padEnd(RUN_WIDTH)} written ${written}, arrived ${arrived}, ` +
    `lost ${lost}, doubled ${doubled}, out of order ${out_of_order}${counted.join('')}\n`;
  // Past vitest's console capture, so that the row stands alone on its line.
  writeAll(STDERR, row);
}
