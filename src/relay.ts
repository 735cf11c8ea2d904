import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Config } from './config/types.ts';
import { LogboomError } from './errors.ts';
import { CHUNK_SPACE, ChunkDedup } from './inputs/forward/dedup.ts';
import { inheritedSockets } from './inputs/forward/listen-address.ts';
import { Listeners } from './inputs/forward/listeners.ts';
import { FORWARD_LIMITS, type ForwardInputOptions } from './inputs/forward/options.ts';
import { type ForwardInputDeps, ForwardServer, listenersDeps } from './inputs/forward/server.ts';
import { HealthListener } from './inputs/health.ts';
import { FORMAT_VERSION } from './journal/format.ts';
import { Journal } from './journal/journal.ts';
import type { StateSpace } from './journal/types.ts';
import { Handover, type Successor } from './relay/control/handover.ts';
import { takeOver } from './relay/control/takeover.ts';
import { LogInputs } from './relay/log-inputs.ts';
import { Observation } from './relay/observation.ts';
import { OutputSet } from './relay/output-set.ts';
import { StopSteps } from './relay/stop-steps.ts';
import type { Clock } from './sys/clock.ts';
import { DropLedger } from './sys/ledger.ts';
import type { Log } from './sys/log.ts';

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

export interface Relay {
  /** Where it really listens; URLs. */
  readonly listening: readonly string[];
  readonly status_url: string | undefined;
  /** Settles when another process has taken over the listeners and waits for `stop()`; it may never. */
  readonly released: Promise<Successor>;
  /**
   * Takes nothing new, finishes what is under way within the configured time; resolves when all is closed.
   *
   * @throws LB_STOP, not much later than that time, if a part hangs or could not be closed
   */
  stop(): Promise<void>;
  /** Takes what can be changed without touching clients; throws LB_CONFIG for the rest, and then changes nothing. */
  reload(config: Config): Promise<void>;
}

/**
 * The composition root: the path of a byte, top to bottom.
 *
 *     client ─► ForwardServer   bytes → frames → entries, one record per tag
 *                    │               │ a re-sent chunk (ChunkDedup) is acked and dropped
 *                    ▼               ▼
 *               Journal         commit: write + fdatasync ─────► ack to the client
 *                    │
 *                    ▼
 *               OutputSet       each output: reader → window → upstream → ack → cursor
 *                    │
 *                    └────────► segments behind every cursor are deleted
 *
 * Start order is upward (journal, outputs, listeners), so that whoever can connect is
 * served; stop order is downward, so that what was accepted is kept. A takeover opens the
 * listeners first: their clients are held, unread, until the journal is ours. The status
 * server opens behind a takeover, and closes before a successor is told that it may.
 */
export async function startRelay(config: Config, deps: RelayDeps): Promise<Relay> {
  const { log, clock } = deps;
  const ledger = new DropLedger();
  const { dir: directory } = config.journal;
  const dedup = new ChunkDedup(config.inputs.dedup);
  const listeners = listenersOf(config, deps);
  if (deps.takeover) await takeOverFrom(config, listeners, deps);
  const health = healthListener(config, deps);
  const observation = new Observation(config, deps);
  try {
    await observation.open();
    const log_inputs = new LogInputs(config, { clock, log: log.child({ part: 'logs' }) });
    const spaces = new Map<number, StateSpace>([[CHUNK_SPACE, dedup], ...log_inputs.spaces]);
    const journal = await openJournal(config, spaces, ledger, deps);
    try {
      const outputs = new OutputSet(config.outputs, { ...deps, journal, directory, ledger });
      try {
        await outputs.start(config.outputs, deps.drop_outputs);
        await log_inputs.start(journal);
        await health?.open();
        const { filters } = log_inputs;
        const input = { listeners, journal, dedup, ledger, filters };
        const server = forwardServer(config, input, deps);
        await server.start();
        observation.begin({ journal, outputs, server, log_inputs, ledger });
        const handover = await openHandover(config, { server, outputs, observation }, deps);
        return new RunningRelay(config, {
          journal,
          outputs,
          server,
          log_inputs,
          health,
          observation,
          handover,
          ledger,
          log,
          clock,
        });
      } catch (error) {
        health?.close();
        await log_inputs.stop();
        await outputs.stop(0);
        throw error;
      }
    } catch (error) {
      await journal.close();
      throw error;
    }
  } catch (error) {
    await observation.close();
    listeners.close();
    throw error;
  }
}

function takeOverFrom(
  config: Config,
  listeners: Listeners,
  { log, clock, pid, version, drop_outputs }: RelayDeps,
): Promise<void> {
  const known_outputs = [...config.outputs.map(({ name }) => name), ...drop_outputs];
  const self = { pid, version };
  return takeOver(config.journal.dir, listeners, { self, known_outputs, clock, log });
}

function openHandover(
  { journal: { dir }, shutdown_timeout_ms }: Config,
  { server, outputs, observation }: Pick<RelayParts, 'server' | 'outputs' | 'observation'>,
  { log, pid, version }: RelayDeps,
): Promise<Handover> {
  const view = () => ({
    pid,
    version,
    journal_format: FORMAT_VERSION,
    outputs: outputs.all().map(({ name }) => name),
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

function openJournal(
  { journal }: Config,
  spaces: ReadonlyMap<number, StateSpace>,
  ledger: DropLedger,
  { log, clock }: RelayDeps,
): Promise<Journal> {
  return Journal.open({
    directory: journal.dir,
    spaces,
    sync: journal.sync === 'commit' ? 'disk' : 'os',
    on_full: journal.on_full,
    max_bytes: journal.max_bytes,
    segment_max_bytes: journal.segment_max_bytes,
    linger_ms: journal.linger_ms,
    clock,
    log: log.child({ part: 'journal' }),
    ledger,
  });
}

function inputOptions({ inputs, journal: { dir } }: Config): ForwardInputOptions {
  return {
    listeners: inputs.listeners,
    spool_dir: join(dir, 'spool'),
    limits: { ...FORWARD_LIMITS, ...inputs.limits },
  };
}

function listenersOf(config: Config, { log, clock, env, pid }: RelayDeps): Listeners {
  const options = inputOptions(config);
  const deps = { clock, log: log.child({ part: 'input' }), inherited: inheritedSockets(env, pid) };
  return new Listeners(options.listeners, listenersDeps(options, deps));
}

/** It has no successor beside it: it opens when a takeover is done, and closes before the next is told so. */
function healthListener(
  { inputs: { health } }: Config,
  { clock, log }: RelayDeps,
): HealthListener | undefined {
  if (health === undefined) return undefined;
  return new HealthListener(health, clock, log.child({ part: 'health' }));
}

function forwardServer(
  config: Config,
  input: Omit<ForwardInputDeps, 'clock' | 'log'>,
  { log, clock }: RelayDeps,
): ForwardServer {
  const input_log = log.child({ part: 'input' });
  return new ForwardServer(inputOptions(config), { ...input, clock, log: input_log });
}

interface RelayParts {
  readonly journal: Journal;
  readonly outputs: OutputSet;
  readonly server: ForwardServer;
  readonly log_inputs: LogInputs;
  readonly health: HealthListener | undefined;
  readonly observation: Observation;
  readonly handover: Handover;
  readonly ledger: DropLedger;
  readonly log: Log;
  readonly clock: Clock;
}

/** Of the time to stop, what clients may take; outputs have the rest. */
const CLIENTS_SHARE_OF_STOP = 0.5;

class RunningRelay implements Relay {
  readonly #parts: RelayParts;
  #config: Config;
  #reloading: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(config: Config, parts: RelayParts) {
    this.#config = config;
    this.#parts = parts;
  }

  get listening(): readonly string[] {
    return this.#parts.server.urls;
  }

  get status_url(): string | undefined {
    return this.#parts.observation.url;
  }

  get released(): Promise<Successor> {
    return this.#parts.handover.released;
  }

  /** A reload that is under way begins no more outputs, and so ends. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  reload(config: Config): Promise<void> {
    if (this.#stopping !== undefined) return Promise.resolve();
    this.#reloading = this.#reloading.catch(() => {}).then(() => this.#reload(config));
    return this.#reloading;
  }

  async #stop(): Promise<void> {
    const { server, health, observation, log_inputs, handover, outputs, journal } = this.#parts;
    const { ledger, log, clock } = this.#parts;
    const { shutdown_timeout_ms } = this.#config;
    const end_ms = clock.monotonic_ms() + shutdown_timeout_ms;
    const left_ms = (): number => Math.max(0, end_ms - clock.monotonic_ms());
    const steps = new StopSteps(clock, log);
    outputs.beginNoMore();
    const deadline_ms = CLIENTS_SHARE_OF_STOP * shutdown_timeout_ms;
    await steps.take('the listeners and clients', deadline_ms, async () => {
      health?.close();
      await observation.closeServer();
      await server.closeListeners();
      handover.closed();
      await server.stop({ deadline_ms });
    });
    await steps.take('the log inputs', left_ms(), () => log_inputs.stop());
    await outputs.stop(left_ms(), steps);
    await steps.take('a reload', left_ms(), () => this.#reloading.catch(() => {}));
    const places = journal.cursors().map(({ name, events_behind }) => [name, events_behind]);
    handover.close();
    await observation.close();
    const is_free = await steps.take('the journal', left_ms(), () => journal.close());
    if (is_free) handover.stopped();
    const docker = log_inputs.summary();
    const fields = { waiting: Object.fromEntries(places), dropped: ledger.toJSON(), docker };
    log.info(fields, 'what waits in the journal goes out after the next start');
    steps.finish();
  }

  async #reload(config: Config): Promise<void> {
    for (const part of ['inputs', 'journal', 'docker', 'status', 'log'] as const) {
      refuseChange(part, this.#config[part], config[part]);
    }
    const { outputs, server } = this.#parts;
    await server.reload();
    await outputs.replace(config.outputs, config.shutdown_timeout_ms);
    this.#config = config;
  }
}

/** Certificates behind the same paths are read again; the paths themselves are not changed while clients are connected. */
function refuseChange(part: keyof Config, before: unknown, after: unknown): void {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  throw new LogboomError('LB_CONFIG', `${part} cannot change while logboom runs`, {
    where: part,
    hint: 'Put it back as it was, or restart logboom: clients and the journal carry over.',
  });
}
