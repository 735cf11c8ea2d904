import type { Command } from 'commander';
import { addConfigOptions } from './config-options.ts';
import type { DoctorOptions } from './doctor.ts';
import { examples } from './examples.ts';
import type { ExitCode, Host } from './host.ts';

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
    .option('-c, --config <file>', 'the configuration that the relay runs with');
  addConfigOptions(command)
    .option('--outage <duration>', 'what is to be survived without loss', '10m')
    .option('--daemon-json <file>', "the Engine's configuration", '/etc/docker/daemon.json')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      examples(
        ['logboom doctor --docker /var/lib/docker'],
        ['logboom doctor --config logboom.yaml --outage 2h --json'],
      ) + EXIT_CODES,
    )
    .action(async () => {
      const { doctor } = await import('./doctor.ts');
      done(await doctor(host, command.opts<DoctorOptions>()));
    });
}
