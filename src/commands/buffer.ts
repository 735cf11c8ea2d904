import { type Command, Option } from 'commander';
import type { FilterFlags } from './buffer/event-filter.ts';
import type { ExportFlags } from './buffer/export.ts';
import type { LsFlags } from './buffer/ls.ts';
import type { TrimFlags } from './buffer/trim.ts';
import type { VerifyFlags } from './buffer/verify.ts';
import { examples } from './examples.ts';
import type { ExitCode, Host } from './host.ts';

type Done = (code: ExitCode) => void;

/** What `parseTime` takes. */
const TIMES = `
Times:
  90s, 10m, 1h30m, 7d       so long ago: d, h, m, s and ms
  2026-11-23T10:00:00Z      a moment; seconds may have a fraction or be left out
  2026-11-23T12:00+02:00    with an offset; without one it is UTC
  2026-11-23                the beginning of that day in UTC`;

/**
 * `logboom buffer`: looking into a journal, and trimming it. Only `trim` changes anything,
 * and only it wants that no relay runs.
 */
export function addBuffer(program: Command, host: Host, done: Done): void {
  const buffer = program
    .command('buffer')
    .description('Look into a journal: also a damaged one, and while a relay writes to it.')
    .addHelpText(
      'after',
      examples(
        ['logboom buffer ls logboom-data', 'what is in it, and what waits for which output'],
        ['logboom buffer verify logboom-data'],
      ),
    );
  addLs(buffer, host, done);
  addCat(buffer, host, done);
  addVerify(buffer, host, done);
  addExport(buffer, host, done);
  addTrim(buffer, host, done);
}

function addLs(buffer: Command, host: Host, done: Done): void {
  const command = buffer
    .command('ls')
    .description('List segments, tags, and what waits for each output.')
    .argument('<dir>', 'the journal folder')
    .option('--json', 'for programs')
    .addHelpText('after', examples(['logboom buffer ls logboom-data']))
    .action(async (dir: string) => {
      const { listBuffer } = await import('./buffer/ls.ts');
      done(await listBuffer(host, dir, command.opts<LsFlags>(), stopSignal(host)));
    });
}

function addCat(buffer: Command, host: Host, done: Done): void {
  const command = buffer
    .command('cat')
    .description('Print events as lines of JSON, oldest first.')
    .argument('<dir>', 'the journal folder');
  addFilterOptions(command)
    .addHelpText(
      'after',
      examples(
        ['logboom buffer cat logboom-data | head'],
        ["logboom buffer cat logboom-data --tag 'app.**' --since 10m"],
        ['logboom buffer cat logboom-data --output aggregator', 'what still waits for it'],
      ),
    )
    .action(async (dir: string) => {
      const { catBuffer } = await import('./buffer/cat.ts');
      done(await catBuffer(host, dir, command.opts<FilterFlags>(), stopSignal(host)));
    });
}

function addVerify(buffer: Command, host: Host, done: Done): void {
  const command = buffer
    .command('verify')
    .description('Check every checksum; exit code 1 if something is damaged.')
    .argument('<dir>', 'the journal folder')
    .option('--json', 'for programs')
    .addHelpText('after', examples(['logboom buffer verify logboom-data']))
    .action(async (dir: string) => {
      const { verifyBuffer } = await import('./buffer/verify.ts');
      done(await verifyBuffer(host, dir, command.opts<VerifyFlags>(), stopSignal(host)));
    });
}

function addExport(buffer: Command, host: Host, done: Done): void {
  const kind = new Option('--kind <kind>', 'what the server is')
    .choices(['fluentd', 'fluent-bit', 'logboom'])
    .default('fluentd');
  const command = buffer
    .command('export')
    .description('Copy events to a file of JSON lines, or to a Forward server; acks are awaited.')
    .argument('<dir>', 'the journal folder')
    .option('--to <url>', 'the server: tcp://, tls:// or unix://')
    .addOption(kind)
    .option('--file <file>', 'a new file; neither --to nor --file: standard output');
  addFilterOptions(command)
    .option('--ca <file>', 'authorities that may sign the certificate of a tls:// server')
    .option('--no-verify', 'accept any certificate of a tls:// server')
    .option('--shared-key-file <file>', 'for a server that asks for a shared key')
    .option('--username <name>', 'for a server that asks for a user')
    .option('--password-file <file>', 'the password of that user')
    .addHelpText(
      'after',
      examples(
        ['logboom buffer export logboom-data --file events.ndjson'],
        ['logboom buffer export logboom-data --to tcp://aggregator:24224 --output aggregator'],
      ),
    )
    .action(async (dir: string) => {
      const { exportBuffer } = await import('./buffer/export.ts');
      done(await exportBuffer(host, dir, command.opts<ExportFlags>(), stopSignal(host)));
    });
}

function addTrim(buffer: Command, host: Host, done: Done): void {
  const command = buffer
    .command('trim')
    .description('Delete the oldest files of a journal that no relay runs on.')
    .argument('<dir>', 'the journal folder')
    .option('--before-seq <seq>', 'files with nothing but records before it')
    .option('--older-than <time>', 'files whose last event came before this time; see below')
    .option('--force', 'also what an output has not delivered')
    .option('--dry-run', 'only say what would be deleted')
    .addHelpText('after', TIMES)
    .addHelpText(
      'after',
      examples(
        ['logboom buffer trim logboom-data', 'what every output is done with'],
        ['logboom buffer trim logboom-data --older-than 7d --dry-run'],
      ),
    )
    .action(async (dir: string) => {
      const { trimBuffer } = await import('./buffer/trim.ts');
      done(await trimBuffer(host, dir, command.opts<TrimFlags>()));
    });
}

function addFilterOptions(command: Command): Command {
  return command
    .option('--tag <patterns>', "only events under these tags, as in an output's match")
    .option('--since <time>', 'only events from this time on; see below for its forms')
    .option('--until <time>', 'only events before this time')
    .option('--output <name>', 'only what is behind the place of this output')
    .option('--limit <count>', 'no more than so many')
    .addHelpText('after', TIMES);
}

function stopSignal(host: Host): AbortSignal {
  const stopping = new AbortController();
  host.onStop(() => stopping.abort());
  return stopping.signal;
}
