import { hostname, networkInterfaces } from 'node:os';
import type { Config } from '../config/types.ts';
import type { DockerFigures, DockerInput } from '../inputs/docker/docker-input.ts';
import { MERGE_SPACE, MergeStates } from '../inputs/docker/merge/merge-states.ts';
import type { Gap } from '../inputs/docker/trouble-report.ts';
import type { FilterSource } from '../inputs/forward/message-filter.ts';
import { Poller } from '../inputs/logfile/follow/poller.ts';
import { POSITION_SPACE, Positions } from '../inputs/logfile/positions.ts';
import type { TailFigures, TailInputs } from '../inputs/tail/tail-inputs.ts';
import type { JournalWriter, StateSpace } from '../journal/types.ts';
import type { ContainerFigures } from '../status/source.ts';
import type { Clock } from '../sys/clock.ts';
import { nodeFs } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';
import type { HostContainers } from './host-containers.ts';
import { Upkeep } from './upkeep.ts';

export interface LogInputsDeps {
  readonly clock: Clock;
  readonly log: Log;
}

export interface LogSummary {
  /** Read from log files. */
  readonly lines: number;
  /** From Docker's cache: the stream had not brought them. */
  readonly recovered: number;
  readonly dropped_doubled: number;
  readonly late: number;
  readonly ambiguous: number;
  readonly gaps: readonly Gap[];
}

/**
 * Everything that is read from log files: what it keeps in the journal, and what it shares.
 *
 *     docker    HostContainers ──► DockerInput ─┐
 *     tail      paths ───────────► TailInputs ──┴─► journal: events and positions
 *               Upkeep: which positions are still of use
 *
 * Invariant: what it keeps is known before the journal is opened, since the journal
 * hands it back then. What reads is loaded only where there is something to read: a start
 * without it is faster.
 */
export class LogInputs {
  readonly #config: Config;
  readonly #deps: LogInputsDeps;
  readonly #positions = new Positions();
  readonly #merges = new MergeStates();
  readonly #poller: Poller;
  readonly #upkeep: Upkeep;
  #containers: HostContainers | undefined;
  #docker: DockerInput | undefined;
  #tail: TailInputs | undefined;

  constructor(config: Config, deps: LogInputsDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#poller = new Poller(deps.clock);
    const { forget_after_ms } = config.docker;
    this.#upkeep = new Upkeep(this.#positions, { ...deps, forget_after_ms });
  }

  /** For the journal. */
  get spaces(): ReadonlyMap<number, StateSpace> {
    return new Map<number, StateSpace>([
      [POSITION_SPACE, this.#positions],
      [MERGE_SPACE, this.#merges],
    ]);
  }

  /** For the Forward server; undefined: no stream is compared with anything. */
  get filters(): FilterSource | undefined {
    return this.#docker?.newFilter;
  }

  /**
   * Begins to read. What Docker's caches hold is in the journal when it resolves, or
   * after a while: so it is best called before streams can come.
   *
   * @throws LB_DOCKER if there is no Docker where the configuration says
   */
  async start(journal: JournalWriter): Promise<void> {
    const alive_ms = this.#upkeep.lastAlive();
    await this.#startDocker(journal, alive_ms);
    await this.#startTail(journal, alive_ms);
    if (this.#docker === undefined && this.#tail === undefined) return;
    this.#upkeep.start(journal, {
      keysAlive: () => [...(this.#docker?.keysAlive() ?? []), ...(this.#tail?.keysAlive() ?? [])],
      forgetExpired: () => this.#docker?.forgetExpired(),
    });
  }

  /** Reads no further; what is left is for the next start. */
  async stop(): Promise<void> {
    await this.#containers?.close();
    await Promise.all([this.#docker?.stop(), this.#tail?.stop()]);
    await this.#poller.close();
    this.#upkeep.stop();
  }

  figures(): DockerFigures | undefined {
    return this.#docker?.figures();
  }

  tailFigures(): TailFigures | undefined {
    return this.#tail?.figures();
  }

  /** Everything that is read, each by itself. */
  containers(): ContainerFigures[] {
    const docker = this.#docker;
    const { followed, merged } = docker?.containers() ?? { followed: [], merged: [] };
    const is_removed = (id: string): boolean => docker?.isThere(id) === false;
    const files = this.#tail?.all() ?? [];
    return [
      ...followed.map(({ id, name, how, figures }) => {
        return { id, name, how, is_removed: is_removed(id), ...figures };
      }),
      ...merged.map(({ id, name, figures }) => {
        return { id, name, how: 'merged' as const, is_removed: is_removed(id), ...figures };
      }),
      ...files.map(([path, { figures, format }]) => {
        return { id: path, name: path, how: format, is_removed: false, ...figures };
      }),
    ];
  }

  /** All figures together. */
  summary(): LogSummary | undefined {
    const figures = this.figures();
    const tail = this.tailFigures();
    if (figures === undefined && tail === undefined) return undefined;
    const summary = { lines: 0, recovered: 0, dropped_doubled: 0, late: 0, ambiguous: 0 };
    for (const { lines } of Object.values({ ...figures?.followed, ...tail?.followed })) {
      summary.lines += lines;
    }
    for (const merged of Object.values(figures?.merged ?? {})) {
      summary.recovered += merged.recovered;
      summary.dropped_doubled += merged.dropped_doubled;
      summary.late += merged.late;
      summary.ambiguous += merged.ambiguous;
    }
    return { ...summary, gaps: this.gaps() };
  }

  /** What is missing, or may be. */
  gaps(): Gap[] {
    const docker = this.figures()?.gaps ?? [];
    const tail = this.tailFigures()?.gaps ?? [];
    return [...docker, ...tail, ...this.#upkeep.gaps()];
  }

  async #startDocker(journal: JournalWriter, alive_ms: number): Promise<void> {
    const { docker, inputs } = this.#config;
    if (docker.root === undefined && docker.api_socket === undefined) return;
    const [{ openHostContainers }, { DockerInput }] = await Promise.all([
      import('./host-containers.ts'),
      import('../inputs/docker/docker-input.ts'),
    ]);
    this.#containers = await openHostContainers(docker, this.#deps);
    if (this.#containers === undefined) return;
    const { source, engine, own_id } = this.#containers;
    this.#docker = new DockerInput(docker, {
      ...this.#feeding(journal),
      merges: this.#merges,
      containers: source,
      engine,
      listeners: inputs.listeners.map(({ address }) => address),
      interfaces: interfaceAddresses(),
      hostname: hostname(),
      own_id,
      alive_ms,
    });
    await this.#docker.start();
  }

  async #startTail(journal: JournalWriter, alive_ms: number): Promise<void> {
    const { tail } = this.#config.inputs;
    if (tail.length === 0) return;
    const { TailInputs } = await import('../inputs/tail/tail-inputs.ts');
    this.#tail = new TailInputs(tail, { ...this.#feeding(journal), alive_ms });
    await this.#tail.start();
  }

  /** What everything that reads logs needs. */
  #feeding(journal: JournalWriter) {
    const { clock, log } = this.#deps;
    return { journal, positions: this.#positions, poller: this.#poller, fs: nodeFs, clock, log };
  }
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address),
  );
}
