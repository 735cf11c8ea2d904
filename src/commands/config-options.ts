import type { Command } from 'commander';

/** Flags that stand for configuration, as commander gives them. */
export interface ConfigOptions {
  readonly listen?: readonly string[];
  readonly to?: readonly string[];
  readonly journal?: string;
  readonly docker?: string;
  readonly status?: string;
  readonly logLevel?: string;
}

export function addConfigOptions(command: Command): Command {
  return command
    .option('--listen <url>', 'listen here instead: tcp://, tls://, unix:// (repeatable)', collect)
    .option('--to <url>', 'forward to this server; several are tried in turn (repeatable)', collect)
    .option('--journal <dir>', 'keep the journal here')
    .option('--docker <dir>', "Docker's data root, to read its log files; or off")
    .option('--status <url>', 'serve the status page here; or off')
    .option('--log-level <level>', 'debug, info, warn or error');
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
