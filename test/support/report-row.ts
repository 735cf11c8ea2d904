import { writeSync } from 'node:fs';
import type { LineReport } from './line-counter.ts';

const STDERR = 2;

/** Prints one row of the table of runs: what was written, what arrived, what was lost or doubled. */
export function printRow(run: string, report: LineReport): void {
  const { written, arrived, lost, doubled, out_of_order } = report;
  const row =
    `${run.padEnd(64)} written ${written}, arrived ${arrived}, ` +
    `lost ${lost}, doubled ${doubled}, out of order ${out_of_order}\n`;
  // Past vitest's console capture, so that the row stands alone on its line.
  writeSync(STDERR, row);
}
