import type { Config } from '../config/types.ts';
import { LogboomError, messageOf } from '../errors.ts';
import type { Relay, RelayDeps } from '../relay.ts';
import { systemClock } from '../sys/clock.ts';
import type { Log } from '../sys/log.ts';
import { type OpenLog, openLog } from '../sys/pino-log.ts';
import type { ConfigOptions } from './config-options.ts';
import { EXIT, type ExitCode, type Host, type StopSignal } from './host.ts';
import { loadConfig } from './load-config.ts';
import { startupMessage } from './startup-message.ts';

export interface RunOptions extends ConfigOptions {
  readonly config?: string;
  readonly dropOutput?: readonly string[];
  readonly takeover?: boolean;
}

export interface RelayModule {
  readonly startRelay: (config: Config, deps: RelayDeps) => Promise<Relay>;
}

const STDERR_FD = 2;

/** `logboom run`: until a signal says otherwise. */
export async function run(
  host: Host,
  options: RunOptions,
  loadRelay: () => Promise<RelayModule>,
): Promise<ExitCode> {
  const { config } = await loadConfig(host, options.config, options);
  const drop_outputs = options.dropOutput ?? [];
  checkDropped(config, drop_outputs);
  const [{ startRelay }, opened] = await Promise.all([
    loadRelay(),
    openLog({ ...config.log, terminal: host.stderr_is_terminal, fd: STDERR_FD }),
  ]);
  const { log } = opened;
  const stopped = new Promise<StopSignal>((resolve) => host.onStop(resolve));
  host.onCrash((error) => reportCrash(opened, error));
  try {
    const relay = await startRelay(config, {
      log,
      clock: systemClock,
      stdout: host.stdout,
      stdout_is_terminal: host.stdout_is_terminal,
      drop_outputs,
      takeover: options.takeover ?? false,
      env: host.env,
      pid: host.pid,
      version: host.version,
    });
    // Until then SIGHUP ends the process; whoever reads that it runs may send one.
    host.onReload(serially(() => reload(host, options, relay, log)));
    announce(host, config, relay, log);
    const reason = await Promise.race([
      stopped.then((signal) => ({ signal })),
      relay.released.then((successor) => ({ successor })),
    ]);
    log.info(reason, 'stopping; a second signal ends it at once');
    await relay.stop();
    log.info({}, 'successor' in reason ? 'stopped; the successor goes on' : 'stopped');
    return EXIT.ok;
  } finally {
    await opened.close();
  }
}

function checkDropped(config: Config, names: readonly string[]): void {
  const kept = names.find((name) => config.outputs.some((output) => output.name === name));
  if (kept === undefined) return;
  throw new LogboomError('LB_USAGE', `the output ${kept} is part of the configuration`, {
    where: `--drop-output ${kept}`,
    hint: 'Take it out of the configuration first; its place in the journal can then be given up.',
  });
}

/** People get a message, programs a line. */
function announce(host: Host, config: Config, relay: Relay, log: Log): void {
  const { listening, status_url } = relay;
  const { format } = config.log;
  const for_people = format === 'pretty' || (format === 'auto' && host.stderr_is_terminal);
  if (for_people) {
    host.stderr.write(startupMessage({ version: host.version, config, listening, status_url }));
    return;
  }
  const outputs = config.outputs.map(({ name }) => name);
  const { dir: journal } = config.journal;
  log.info({ version: host.version, listening, status_url, journal, outputs }, 'running');
}

/** A configuration that is not valid changes nothing. */
async function reload(host: Host, options: RunOptions, relay: Relay, log: Log): Promise<void> {
  try {
    const { config } = await loadConfig(host, options.config, options);
    await relay.reload(config);
    log.info({}, 'configuration read again');
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'configuration not changed');
  }
}

/** `task` one at a time; calls while it runs lead to one more run behind it. `task` never rejects. */
function serially(task: () => Promise<void>): () => void {
  let running: Promise<void> | undefined;
  let again = false;
  const start = (): void => {
    again = false;
    running = task().finally(() => {
      running = undefined;
      if (again) start();
    });
  };
  return () => {
    if (running === undefined) start();
    else again = true;
  };
}

function reportCrash({ log, flushNow }: OpenLog, error: unknown): void {
  log.error({ err: error }, 'unexpected error; the journal holds everything that was acked');
  flushNow();
}
