/**
 * `npm run bench`: what logboom does on this machine, beside a byte pump that is the limit
 * and the peers that are installed. `npm run bench -- --help`
 */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contestant, ContestantName } from './contestants/contestant.ts';
import { findContestants } from './contestants/found.ts';
import { type BenchOptions, HELP, isWanted, parseArguments } from './lib/arguments.ts';
import { loadPlot } from './lib/load-plot.ts';
import { describeMachine, machineText } from './lib/machine.ts';
import { type BenchReport, reportJson, reportText } from './lib/output.ts';
import { type CpuProfile, selfTimes, selfTimeTable } from './lib/profile.ts';
import { withBench } from './lib/readme.ts';
import { type Run, summarize } from './lib/results.ts';
import { Workspace } from './lib/workspace.ts';
import { MICRO, measureParts } from './micro/all.ts';
import { QUICK_WITH_PEERS, SCENARIOS } from './scenarios/all.ts';
import type { Bench, Scenario } from './scenarios/scenario.ts';

const SIGNAL_EXIT_CODE = 130;

/** Rounds outside, contestants inside: what the machine does meanwhile meets them all. */
async function runScenario(
  scenario: Scenario,
  contestants: readonly Contestant[],
  bench: Bench,
): Promise<Run[]> {
  const runs: Run[] = [];
  const leaves_out_peers = bench.options.quick && !QUICK_WITH_PEERS.has(scenario.name);
  const taking_part = contestants.filter(
    (contestant) =>
      scenario.takesPart(contestant) && !(leaves_out_peers && isPeer(contestant.name)),
  );
  for (let round = 1; round <= bench.options.rounds_count; round += 1) {
    for (const contestant of taking_part) {
      const key = { scenario: scenario.name, round };
      try {
        const outcomes = await scenario.run(contestant, bench);
        runs.push(...outcomes.map((outcome) => ({ ...key, ...outcome })));
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        say(`${scenario.name}, ${contestant.name}, round ${round}: ${failure}`);
        runs.push({
          ...key,
          contestant: contestant.name,
          figures: {},
          failure: firstLine(failure),
        });
      }
    }
  }
  return runs;
}

const isPeer = (name: ContestantName): boolean => name !== 'logboom' && name !== 'pump';

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

async function runAll(options: BenchOptions, workspace: Workspace): Promise<BenchReport> {
  const contestants = (await findContestants()).filter(
    ({ name }) => !options.profile || name === 'logboom',
  );
  const machine = describeMachine(workspace.path);
  say(machineText(machine));
  const runs: Run[] = [];
  if (options.micro && isWanted(MICRO, options.only)) {
    say('single parts');
    const results = await measureParts(workspace, options.load_ms);
    for (const { name, figures } of results) {
      runs.push({ scenario: name, contestant: '', round: 1, figures });
    }
  }
  for (const scenario of SCENARIOS.filter(({ name }) => isWanted(name, options.only))) {
    say(`${scenario.name}: ${scenario.about}`);
    const profiles = options.profile
      ? await mkdtemp(join(tmpdir(), `logboom-profile-${scenario.name}-`))
      : undefined;
    const bench = { options, workspace, ...(profiles === undefined ? {} : { profiles }) };
    runs.push(...(await runScenario(scenario, contestants, bench)));
    if (profiles !== undefined) await sayProfiles(profiles);
  }
  const about = contestants.map((contestant) => contestant.about);
  const { rounds_count, load_ms } = options;
  return { machine, rounds_count, load_ms, about, runs };
}

async function sayProfiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = join(directory, name);
    const profile = JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
    say(`${file}\n${selfTimeTable(selfTimes(profile))}`);
  }
}

async function write(report: BenchReport, options: BenchOptions): Promise<void> {
  const text = reportText(report);
  process.stdout.write(`\n${text}\n`);
  const { json_file, svg_file, readme_file } = options;
  if (json_file !== undefined) await writeFile(json_file, reportJson(report));
  if (svg_file !== undefined) {
    const svg = loadPlot(summarize(report.runs), machineText(report.machine));
    await writeFile(svg_file, svg);
  }
  if (readme_file !== undefined) {
    await writeFile(readme_file, withBench(await readFile(readme_file, 'utf8'), text, svg_file));
  }
}

/** Progress goes to standard error, the report to standard output. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Processes and folders go when this process does; a signal must not pass that by. */
function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(SIGNAL_EXIT_CODE));
  }
}

async function main(): Promise<void> {
  const options = parseArguments(process.argv.slice(2));
  if (options.help || options.list) {
    const names = [MICRO, ...SCENARIOS.map(({ name, about }) => `${name.padEnd(24)}${about}`)];
    process.stdout.write(options.help ? HELP : `${names.join('\n')}\n`);
    return;
  }
  if (process.platform !== 'linux')
    throw new Error('expected Linux: CPU and memory are read from /proc');
  endOnSignals();
  const workspace = new Workspace(options.directory);
  try {
    await write(await runAll(options, workspace), options);
  } finally {
    await workspace.remove();
  }
}

await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
