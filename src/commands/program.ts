import { Argument, Command, CommanderError } from 'commander';
import { addBuffer } from './buffer.ts';
import { addCatOptions, type CatFlags, catOptions } from './cat-options.ts';
import { printCompletionScript, printCompletions, SHELLS } from './completion.ts';
import { addConfigOptions, type ConfigOptions, collect } from './config-options.ts';
import { addDoctor } from './doctor-options.ts';
import { examples } from './examples.ts';
import { exitCodeOf, renderFailure } from './failure.ts';
import { EXIT, type ExitCode, type Host } from './host.ts';
import type { RelayModule, RunOptions } from './run.ts';
import { addStatusOptions, type StatusFlags } from './status/options.ts';

/** Modules that are loaded only by the command that needs them. */
export interface LazyModules {
  relay(): Promise<RelayModule>;
}

const EXIT_CODES = `
Exit codes:
  0  done
  1  it failed while running
  2  the command line or the configuration is not valid`;

/** Runs the command line of `host`; every failure ends as a message and a code. */
export async function runProgram(host: Host, modules: LazyModules): Promise<ExitCode> {
  let exit_code: ExitCode = EXIT.ok;
  const program = buildProgram(host, modules, (code) => {
    exit_code = code;
  });
  addCompletion(program, host, () => buildProgram(host, modules, () => {}));
  try {
    await program.parseAsync([...host.argv], { from: 'user' });
    return exit_code;
  } catch (error) {
    // Commander has written its message, or the help, before it throws.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    host.stderr.write(renderFailure(error));
    return exitCodeOf(error);
  }
}

type Done = (code: ExitCode) => void;

/** Every command but those for completion. */
function buildProgram(host: Host, modules: LazyModules, done: Done): Command {
  const program = new Command('logboom')
    .description('Relays container logs over Fluent Forward, and loses and doubles none.')
    .version(host.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    })
    .showHelpAfterError('Run it with --help for its options and examples.')
    .addHelpText('after', EXIT_CODES);
  addRun(program, host, modules, done);
  addConfig(program, host, done);
  addCat(program, host, done);
  addStatus(program, host, done);
  addBuffer(program, host, done);
  addDoctor(program, host, done);
  addHelp(program);
  return program;
}

/** Commander's own looks no deeper than the first word. */
function addHelp(program: Command): void {
  program
    .command('help')
    .description('Print the help of a command.')
    .argument('[command...]', 'such as: buffer trim')
    .action((names: readonly string[]) => {
      let command = program;
      for (const name of names) {
        const found = command.commands.find((one) => one.name() === name);
        if (found === undefined) program.error(`error: unknown command '${names.join(' ')}'`);
        command = found;
      }
      command.outputHelp();
    });
}

function addRun(program: Command, host: Host, modules: LazyModules, done: Done): void {
  const command = program
    .command('run')
    .description('Run the relay until it is told to stop.')
    .option('-c, --config <file>', 'read the configuration from this file; flags win over it');
  addConfigOptions(command)
    .option(
      '--drop-output <name>',
      'give up the place of an output that is no longer configured (repeatable)',
      collect,
    )
    .option('--takeover', 'take over from the relay that runs on the same journal, if there is one')
    .addHelpText(
      'after',
      examples(
        ['logboom run', 'listen on 127.0.0.1:24224, write files beside the journal'],
        ['logboom run --to tcp://aggregator:24224', 'forward everything'],
        [
          "logboom run --listen 'unix:///run/logboom.sock?mode=0660' --to tls://a:24224 --to tls://b:24224",
        ],
        ['logboom run --config logboom.yaml --log-level debug'],
        ['logboom run --config logboom.yaml --takeover', 'in place of the one that runs'],
        ['kill -HUP PID', 'read the configuration again'],
      ),
    )
    .action(async () => {
      const { run } = await import('./run.ts');
      done(await run(host, command.opts<RunOptions>(), () => modules.relay()));
    });
}

function addConfig(program: Command, host: Host, done: Done): void {
  const config = program
    .command('config')
    .description('Check and explain the configuration.')
    .addHelpText(
      'after',
      examples(['logboom config check logboom.yaml'], ['logboom config show > logboom.yaml']),
    );
  config
    .command('check')
    .description('Say whether a configuration file is valid, and all that is wrong with it.')
    .argument('<file>', 'the configuration file; - is standard input')
    .addHelpText('after', examples(['logboom config check logboom.yaml']))
    .action(async (file: string) => {
      const { checkConfig } = await import('./config.ts');
      done(await checkConfig(host, file));
    });
  config
    .command('schema')
    .description('Print the JSON Schema of the configuration file, for editors.')
    .addHelpText('after', examples(['logboom config schema > logboom.schema.json']))
    .action(async () => {
      const { printConfigSchema } = await import('./config.ts');
      done(await printConfigSchema(host));
    });
  const show = config
    .command('show')
    .description(
      'Print the configuration as it takes effect, with every default; secrets are hidden.',
    )
    .argument('[file]', 'the configuration file; - is standard input; none: the defaults');
  addConfigOptions(show)
    .addHelpText(
      'after',
      examples(
        ['logboom config show > logboom.yaml', 'a file to begin with'],
        ['logboom config show logboom.yaml --to tcp://aggregator:24224'],
      ),
    )
    .action(async (file: string | undefined) => {
      const { showConfig } = await import('./config.ts');
      done(await showConfig(host, file, show.opts<ConfigOptions>()));
    });
}

function addCat(program: Command, host: Host, done: Done): void {
  const command = program
    .command('cat')
    .description('Send each line of standard input to a Forward server, as an event.');
  addCatOptions(command).action(async (tag: string) => {
    const options = catOptions(host, tag, command.opts<CatFlags>());
    const { cat } = await import('./cat.ts');
    const stopping = new AbortController();
    host.onStop(() => stopping.abort());
    done(await cat(options, host.stdin, stopping.signal));
  });
}

function addStatus(program: Command, host: Host, done: Done): void {
  const command = program
    .command('status')
    .description('Show what the relay does now, or what waits in its journal when it is down.');
  addStatusOptions(command).action(async () => {
    const { status } = await import('./status.ts');
    const stopping = new AbortController();
    host.onStop(() => stopping.abort());
    done(await status(host, command.opts<StatusFlags>(), stopping.signal));
  });
}

/** `fresh` makes a program without the commands added here, for the package that reads it. */
function addCompletion(program: Command, host: Host, fresh: () => Command): void {
  program
    .command('completion')
    .description('Print the script that completes logboom commands in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        ['source <(logboom completion bash)', 'for this session'],
        ['logboom completion fish > ~/.config/fish/completions/logboom.fish'],
      ),
    )
    .action((shell: string) => printCompletionScript(host, fresh(), shell));
  // The scripts call `logboom complete -- WORDS`.
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: readonly string[]) => printCompletions(fresh(), words));
}
