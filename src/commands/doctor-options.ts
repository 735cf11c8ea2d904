import { type Command, Option } from 'commander';
import { collect } from './config-options.ts';
import type { DoctorOptions } from './doctor.ts';
import { examples } from './examples.ts';
import type { ExitCode, Host } from './host.ts';

/** Flags of `run` that change nothing here: its command line can be given as it is. */
const UNUSED = [
  new Option('--to <url>').argParser(collect),
  new Option('--status <url>'),
  new Option('--log-level <level>'),
] as const;

const EXIT_CODES = `
Exit codes:
  0  nothing that can lose lines
  1  something can
  2  it could not be looked at in full`;

/** `logboom doctor`. */
export function addDoctor(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = program
    .command('doctor')
    .description('Say what can lose lines on this host, container by container, and the fix.')
    .option(
      '-c, --config <file>',
      'the configuration to look at; default: what run does without one',
    )
    .option('--listen <url>', 'try whether the relay answers here instead (repeatable)', collect)
    .option('--journal <dir>', 'look for room on the disk of this journal instead')
    .option('--docker <dir>', 'look at the containers in this data root; default: /var/lib/docker')
    .option('--outage <duration>', 'what is to be survived without loss: 90s, 10m or 1h30m', '10m')
    .option(
      '--daemon-json <file>',
      "the Engine's configuration, for log options that containers have by default",
      '/etc/docker/daemon.json',
    )
    .option('--json', 'findings for programs, with what could not be looked at');
  for (const option of UNUSED) command.addOption(option.hideHelp());
  command
    .addHelpText(
      'after',
      `${examples(
        ['logboom doctor --docker /var/lib/docker'],
        ['logboom doctor --config logboom.yaml --outage 2h --json'],
      )}\n${EXIT_CODES}`,
    )
    .action(async () => {
      const { doctor } = await import('./doctor.ts');
      done(await doctor(host, command.opts<DoctorOptions>()));
    });
}
