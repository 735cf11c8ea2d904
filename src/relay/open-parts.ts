import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Config } from '../config/types.ts';
import { inheritedSockets } from '../inputs/forward/listen-address.ts';
import { Listeners } from '../inputs/forward/listeners.ts';
import { FORWARD_LIMITS, type ForwardInputOptions } from '../inputs/forward/options.ts';
import { type ForwardInputDeps, ForwardServer, listenersDeps } from '../inputs/forward/server.ts';
import { HealthListener } from '../inputs/health.ts';
import { FORMAT_VERSION } from '../journal/format.ts';
import { Journal } from '../journal/journal.ts';
import type { StateSpace } from '../journal/types.ts';
import { loadClientTls } from '../outputs/forward/dial.ts';
import type { Clock } from '../sys/clock.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import { Handover } from './control/handover.ts';
import { takeOver } from './control/takeover.ts';
import { isTransient } from './output-set.ts';
import type { RelayParts } from './running-relay.ts';
import { waitingEvents } from './waiting.ts';

/** What the relay needs besides its configuration. */
export interface RelayDeps {
  readonly log: Log;
  readonly clock: Clock;
  readonly stdout: Writable;
  readonly stdout_is_terminal: boolean;
  /** Outputs whose place in the journal is given up. */
  readonly drop_outputs: readonly string[];
  /** Take over from a relay that runs on the same journal, if there is one. */
  readonly takeover: boolean;
  /** For sockets that systemd hands over. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly version: string;
}

/** What can be known to fail here fails while the other relay is untouched. */
export async function takeOverFrom(
  config: Config,
  listeners: Listeners,
  { log, clock, pid, version, drop_outputs }: RelayDeps,
): Promise<void> {
  for (const output of config.outputs) {
    if (output.type === 'forward') await loadClientTls(output.tls);
  }
  const outputs = config.outputs.map((output) => ({
    name: output.name,
    type: output.type,
    keeps_place: !isTransient(output),
  }));
  const place_use = { outputs, dropped: drop_outputs };
  await takeOver(config.journal.dir, listeners, { self: { pid, version }, place_use, clock, log });
}

export function openHandover(
  { journal: { dir }, shutdown_timeout_ms }: Config,
  parts: Pick<RelayParts, 'server' | 'outputs' | 'journal' | 'observation'>,
  { log, pid, version }: RelayDeps,
): Promise<Handover> {
  const { server, outputs, journal, observation } = parts;
  const places = () => {
    const types = new Map(outputs.all().map(({ name, type }) => [name, type]));
    return journal.cursors().map(({ name }) => ({ name, type: types.get(name) }));
  };
  const view = () => ({
    pid,
    version,
    journal_format: FORMAT_VERSION,
    outputs: outputs.all().map(({ name }) => name),
    places: places(),
    listeners: server.handed_over,
    stop_timeout_ms: shutdown_timeout_ms,
  });
  return Handover.open(dir, {
    view,
    status: () => observation.snapshot(),
    calledOff: () => server.reclaimListeners(),
    log,
  });
}

export async function openJournal(
  { journal: options }: Config,
  spaces: ReadonlyMap<number, StateSpace>,
  ledger: DropLedger,
  { log, clock }: RelayDeps,
): Promise<Journal> {
  const journal = await Journal.open({
    directory: options.dir,
    spaces,
    sync: options.sync === 'commit' ? 'disk' : 'os',
    on_full: options.on_full,
    max_bytes: options.max_bytes,
    segment_max_bytes: options.segment_max_bytes,
    linger_ms: options.linger_ms,
    clock,
    log: log.child({ part: 'journal' }),
    ledger,
  });
  if (journal.was_left_open) {
    const { cut, quarantined } = journal.totals();
    const message = 'the last run did not end in good order; its journal was recovered';
    log.warn({ cut, quarantined }, message);
  }
  const { any, by_output: waiting } = waitingEvents(journal);
  if (any) log.info({ waiting }, 'events of the last run wait in the journal, and go out now');
  return journal;
}

function inputOptions({ inputs, journal: { dir } }: Config): ForwardInputOptions {
  return {
    listeners: inputs.listeners,
    spool_dir: join(dir, 'spool'),
    limits: { ...FORWARD_LIMITS, ...inputs.limits },
  };
}

export function listenersOf(config: Config, { log, clock, env, pid }: RelayDeps): Listeners {
  const options = inputOptions(config);
  const deps = { clock, log: log.child({ part: 'input' }), inherited: inheritedSockets(env, pid) };
  return new Listeners(options.listeners, listenersDeps(options, deps));
}

/** It has no successor beside it: it opens when a takeover is done, and closes before the next is told so. */
export function healthListener(
  { inputs: { health } }: Config,
  { clock, log }: RelayDeps,
): HealthListener | undefined {
  if (health === undefined) return undefined;
  return new HealthListener(health, clock, log.child({ part: 'health' }));
}

export function forwardServer(
  config: Config,
  input: Omit<ForwardInputDeps, 'clock' | 'log'>,
  { log, clock }: RelayDeps,
): ForwardServer {
  const input_log = log.child({ part: 'input' });
  return new ForwardServer(inputOptions(config), { ...input, clock, log: input_log });
}
