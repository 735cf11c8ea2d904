import type { Contestant, ContestantName } from '../contestants/contestant.ts';
import type { Run } from '../lib/results.ts';
import { QUICK_WITH_PEERS } from './all.ts';
import type { Bench, Scenario } from './scenario.ts';
import { GaveUp } from './turn.ts';

/**
 * All rounds of a scenario. Rounds outside, contestants inside: what the machine does
 * meanwhile meets them all. One that was given up does not take part in later rounds.
 *
 * @param say is told what is running, and what failed
 */
export async function runScenario(
  scenario: Scenario,
  contestants: readonly Contestant[],
  bench: Bench,
  say: (text: string) => void,
): Promise<Run[]> {
  const runs: Run[] = [];
  const { quick, rounds_count } = bench.options;
  const leaves_out_peers = quick && !QUICK_WITH_PEERS.has(scenario.name);
  const taking_part = new Set(
    contestants.filter(
      (contestant) =>
        scenario.takesPart(contestant) && !(leaves_out_peers && isPeer(contestant.name)),
    ),
  );
  for (let round = 1; round <= rounds_count; round += 1) {
    for (const contestant of taking_part) {
      say(`${scenario.name} ${round}/${rounds_count}: ${contestant.name}`);
      const key = { scenario: scenario.name, round };
      try {
        const outcomes = await scenario.run(contestant, bench);
        runs.push(...outcomes.map((outcome) => ({ ...key, ...outcome })));
      } catch (error) {
        bench.interrupted.throwIfAborted();
        const failure = error instanceof Error ? error.message : String(error);
        say(`${scenario.name} ${round}/${rounds_count}: ${contestant.name}: ${failure}`);
        const { name } = contestant;
        runs.push({ ...key, contestant: name, figures: {}, failure: firstLine(failure) });
        if (error instanceof GaveUp) taking_part.delete(contestant);
      }
    }
  }
  return runs;
}

const isPeer = (name: ContestantName): boolean => name !== 'logboom' && name !== 'pump';

const firstLine = (text: string): string => text.split('\n')[0] ?? '';
