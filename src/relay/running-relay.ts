import type { Config } from '../config/types.ts';
import { LogboomError } from '../errors.ts';
import type { ForwardServer } from '../inputs/forward/server.ts';
import type { HealthListener } from '../inputs/health.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../sys/clock.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import type { Handover, Successor } from './control/handover.ts';
import type { LogInputs } from './log-inputs.ts';
import type { Observation } from './observation.ts';
import type { OutputSet } from './output-set.ts';
import { StopSteps } from './stop-steps.ts';
import { waitingEvents } from './waiting.ts';

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

export interface RelayParts {
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

/** All parts, while they work together: stop order is downward, so that what was accepted is kept. */
export class RunningRelay implements Relay {
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
      const begun_ms = clock.monotonic_ms();
      await server.closeListeners({ deadline_ms });
      handover.closed();
      await server.stop({ deadline_ms: deadline_ms - (clock.monotonic_ms() - begun_ms) });
    });
    await steps.take('the log inputs', left_ms(), () => log_inputs.stop());
    await outputs.stop(left_ms(), steps);
    await steps.take('a reload', left_ms(), () => this.#reloading.catch(() => {}));
    handover.close();
    await observation.close();
    const is_free = await steps.take('the journal', left_ms(), () => journal.close());
    if (is_free) handover.stopped();
    // The last commit is counted too.
    const waiting = waitingEvents(journal);
    const docker = log_inputs.summary();
    const fields = { waiting: waiting.by_output, dropped: ledger.toJSON(), docker };
    const delivered = 'everything was delivered';
    const message = 'what waits in the journal goes out after the next start';
    log.info(fields, waiting.any ? message : delivered);
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
