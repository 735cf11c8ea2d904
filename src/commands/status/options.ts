import type { Command } from 'commander';
import { examples } from '../examples.ts';

/** As commander gives them. */
export interface StatusFlags {
  readonly config?: string;
  readonly journal?: string;
  readonly status?: string;
  readonly tokenFile?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

const EXIT_CODES = `
Exit codes:
  0  a relay answered
  1  none did; what its journal shows was printed, if there is one
  2  the command line or the configuration is not valid`;

export function addStatusOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the configuration that the relay runs with')
    .option('--journal <dir>', 'ask the relay that owns this journal')
    .option('--status <url>', 'ask the status server at this URL')
    .option('--token-file <file>', 'file with the token that this server wants')
    .option('-w, --watch', 'draw it anew every second, until q or Ctrl-C')
    .option('--json', 'for programs; with --watch a line every second')
    .addHelpText(
      'after',
      `${examples(
        [
          'logboom status',
          'the relay of the journal in this folder; without one, that at the default status URL',
        ],
        ['logboom status --watch --config logboom.yaml'],
        ['logboom status --json --journal /var/lib/logboom | jq .outputs'],
        ['logboom status --status http://127.0.0.1:24220'],
      )}\n${EXIT_CODES}`,
    );
}
