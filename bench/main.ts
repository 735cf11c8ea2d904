/**
 * `npm run bench`: what logboom does on this machine, beside a byte pump that is the limit
 * and the peers that are installed. `npm run bench -- --help`
 */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findContestants } from './contestants/found.ts';
import { type BenchOptions, HELP, isWanted, parseArguments } from './lib/arguments.ts';
import { interruption } from './lib/interrupt.ts';
import { loadPlot } from './lib/load-plot.ts';
import { describeMachine, machineText } from './lib/machine.ts';
import { type BenchReport, reportJson, reportText } from './lib/output.ts';
import { type CpuProfile, selfTimes, selfTimeTable } from './lib/profile.ts';
import { withBench } from './lib/readme.ts';
import { type Run, summarize } from './lib/results.ts';
import { Workspace } from './lib/workspace.ts';
import { MICRO, measureParts } from './micro/all.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { runScenario } from './scenarios/rounds.ts';

const MS_PER_S = 1000;

async function runAll(
  options: BenchOptions,
  workspace: Workspace,
  interrupted: AbortSignal,
): Promise<BenchReport> {
  const contestants = (await findContestants()).filter(
    ({ name }) => !options.profile || name === 'logboom',
  );
  const machine = describeMachine(workspace.path);
  say(machineText(machine));
  const runs: Run[] = [];
  if (options.micro && isWanted(MICRO, options.only)) {
    say('single parts');
    const results = await measureParts(workspace, options.load_ms, interrupted);
    for (const { name, figures } of results) {
      runs.push({ scenario: name, contestant: '', round: 1, figures });
    }
  }
  for (const scenario of SCENARIOS.filter(({ name }) => isWanted(name, options.only))) {
    say(`${scenario.name}: ${scenario.about}`);
    const profiles = options.profile
      ? await mkdtemp(join(tmpdir(), `logboom-profile-${scenario.name}-`))
      : undefined;
    const bench = {
      options,
      workspace,
      interrupted,
      ...(profiles === undefined ? {} : { profiles }),
    };
    runs.push(...(await runScenario(scenario, contestants, bench, say)));
    if (profiles !== undefined) await sayProfiles(profiles);
  }
  const about = contestants.map((contestant) => contestant.about);
  return { machine, options, about, runs };
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

/** Progress goes to standard error, with the seconds since the start; the report to standard output. */
function say(text: string): void {
  const since_start_s = String(Math.round(performance.now() / MS_PER_S));
  process.stderr.write(`${since_start_s.padStart(5)} s  ${text}\n`);
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
  const interrupted = interruption();
  const workspace = new Workspace(options.directory);
  try {
    await write(await runAll(options, workspace, interrupted), options);
  } finally {
    await workspace.remove();
  }
}

await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode ??= 1;
});
