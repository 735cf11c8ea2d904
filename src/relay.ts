import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Config } from './config/types.ts';
import { LogboomError } from './errors.ts';
import { CHUNK_SPACE, ChunkDedup } from './inputs/forward/dedup.ts';
import { inheritedSockets } from './inputs/forward/listen-address.ts';
import { FORWARD_LIMITS } from './inputs/forward/options.ts';
import { ForwardServer } from './inputs/forward/server.ts';
import { Journal } from './journal/journal.ts';
import { OutputSet } from './relay/output-set.ts';
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
  /** For sockets that systemd hands over. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
}

export interface Relay {
  /** Where it really listens; URLs. */
  readonly listening: readonly string[];
  readonly status_url: string | undefined;
  /** Takes nothing new, finishes what is under way within the configured time; resolves when all is closed. */
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
 * served; stop order is downward, so that what was accepted is kept.
 */
export async function startRelay(config: Config, deps: RelayDeps): Promise<Relay> {
  const { log, clock } = deps;
  warnOfMissingParts(config, log);
  const ledger = new DropLedger();
  const dedup = new ChunkDedup(config.inputs.dedup);
  const journal = await openJournal(config, dedup, ledger, deps);
  try {
    const outputs = new OutputSet(config.outputs, { ...deps, journal, ledger });
    try {
      await outputs.start(config.outputs, deps.drop_outputs);
      const server = forwardServer(config, journal, dedup, ledger, deps);
      await server.start();
      return new RunningRelay(config, { journal, outputs, server, ledger, log, clock });
    } catch (error) {
      await outputs.stop(0);
      throw error;
    }
  } catch (error) {
    await journal.close();
    throw error;
  }
}

function openJournal(
  { journal }: Config,
  dedup: ChunkDedup,
  ledger: DropLedger,
  { log, clock }: RelayDeps,
): Promise<Journal> {
  return Journal.open({
    directory: journal.dir,
    spaces: new Map([[CHUNK_SPACE, dedup]]),
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

function forwardServer(
  { inputs, journal: { dir } }: Config,
  journal: Journal,
  dedup: ChunkDedup,
  ledger: DropLedger,
  { log, clock, env, pid }: RelayDeps,
): ForwardServer {
  const options = {
    listeners: inputs.listeners,
    spool_dir: join(dir, 'spool'),
    limits: { ...FORWARD_LIMITS, ...inputs.limits },
  };
  const inherited = inheritedSockets(env, pid);
  const input_log = log.child({ part: 'input' });
  return new ForwardServer(options, { journal, dedup, ledger, clock, log: input_log, inherited });
}

interface RelayParts {
  readonly journal: Journal;
  readonly outputs: OutputSet;
  readonly server: ForwardServer;
  readonly ledger: DropLedger;
  readonly log: Log;
  readonly clock: Clock;
}

/** Of the time to stop, what clients may take; outputs have the rest. */
const CLIENTS_SHARE_OF_STOP = 0.5;

class RunningRelay implements Relay {
  readonly status_url = undefined;
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

  /** Behind a reload that is under way. */
  stop(): Promise<void> {
    this.#stopping ??= this.#reloading.catch(() => {}).then(() => this.#stop());
    return this.#stopping;
  }

  reload(config: Config): Promise<void> {
    if (this.#stopping !== undefined) return Promise.resolve();
    this.#reloading = this.#reloading.catch(() => {}).then(() => this.#reload(config));
    return this.#reloading;
  }

  async #stop(): Promise<void> {
    const { server, outputs, journal, ledger, log, clock } = this.#parts;
    const { shutdown_timeout_ms } = this.#config;
    const end_ms = clock.monotonic_ms() + shutdown_timeout_ms;
    try {
      await server.stop({ deadline_ms: CLIENTS_SHARE_OF_STOP * shutdown_timeout_ms });
    } finally {
      await outputs.stop(Math.max(0, end_ms - clock.monotonic_ms()));
      const places = journal.cursors().map(({ name, events_behind }) => [name, events_behind]);
      await journal.close();
      const fields = { waiting: Object.fromEntries(places), dropped: ledger.toJSON() };
      log.info(fields, 'what waits in the journal goes out after the next start');
    }
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

function warnOfMissingParts({ docker }: Config, log: Log): void {
  if (docker.root === undefined) return;
  log.warn({ docker: docker.root }, "reading Docker's log files is not part of this version yet");
}
