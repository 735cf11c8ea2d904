import { expect } from 'vitest';
import type { RelayProcess } from '../relay-process.ts';
import { printRow } from '../report-row.ts';
import type { DockerEngine } from './engine.ts';
import { areComplete, dockerFigures, isNamed, type NamedLoss } from './figures.ts';
import { relayProcess, type SwappedRelay, SwapRig, type SwapRigOptions } from './swap-rig.ts';
import type { Writing } from './writing.ts';

/** Longer than any run; also a container's life after its last line. */
export const RUN_TIMEOUT_MS = 180_000;
export const LINGER_S = 600;

/**
 * What becomes of the lines, said before the run.
 * - `kept`: Docker keeps every line, so none may be lost and none doubled
 * - losses: Docker cannot keep them all; each must be named, and none may be doubled
 */
type Expectation = 'kept' | readonly NamedLoss[];

export interface Scenario<Relay extends SwappedRelay> {
  /** The title of its row in the table of runs. */
  readonly run: string;
  readonly expected: Expectation;
  readonly writings: readonly Writing[];
  /** What happens in the middle; the containers have just been started. */
  readonly meanwhile: (rig: SwapRig<Relay>) => Promise<void>;
}

/** Runs a scenario with the relay as a process, prints its row and judges it. */
export function runScenario(
  engine: DockerEngine,
  scenario: Scenario<RelayProcess>,
  options: Omit<SwapRigOptions<RelayProcess>, 'startRelay'> = {},
): Promise<void> {
  return runWith(engine, scenario, { ...options, startRelay: relayProcess });
}

export async function runWith<Relay extends SwappedRelay>(
  engine: DockerEngine,
  { run, expected, writings, meanwhile }: Scenario<Relay>,
  options: SwapRigOptions<Relay>,
): Promise<void> {
  const rig = await SwapRig.start(engine, options);
  try {
    await rig.writers.start(writings);
    await meanwhile(rig);
    const report = await rig.finish();
    const { log } = rig.relay;
    const figures = dockerFigures(log);
    printRow(run, report, { ...figures });
    const examples = report.examples.join(', ');
    expect(report, examples).toMatchObject({
      ...{ doubled: 0, violations: [], exit: { code: 0, signal: null } },
    });
    // A line that turned up late is journaled when it comes, and counted (guarantee G2); what
    // a relay that was killed had counted is gone with it.
    if (areComplete(log)) {
      expect(report.out_of_order, examples).toBeLessThanOrEqual(figures.late);
    }
    if (expected === 'kept') {
      expect(report.lost, examples).toBe(0);
      return;
    }
    // A run that loses nothing would prove nothing about naming.
    expect(report.lost).toBeGreaterThan(0);
    expect(expected.filter((loss) => !isNamed(loss, log))).toEqual([]);
  } finally {
    await rig.dispose();
  }
}
