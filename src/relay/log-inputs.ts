import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import type { Config } from '../config/types.ts';
import { messageOf } from '../errors.ts';
import { type DockerFigures, DockerInput } from '../inputs/docker/docker-input.ts';
import { MERGE_SPACE, MergeStates } from '../inputs/docker/merge/merge-states.ts';
import { findOwnContainer } from '../inputs/docker/own-container.ts';
import { DiskContainerFolders } from '../inputs/docker/registry/container-folders.ts';
import { findContainers } from '../inputs/docker/registry/find-containers.ts';
import { ContainerRegistry } from '../inputs/docker/registry/registry.ts';
import type { FilterSource } from '../inputs/forward/message-filter.ts';
import { Poller } from '../inputs/logfile/follow/poller.ts';
import { POSITION_SPACE, Positions } from '../inputs/logfile/positions.ts';
import type { JournalWriter, StateSpace } from '../journal/types.ts';
import { LIMITS } from '../limits.ts';
import type { Clock } from '../sys/clock.ts';
import { nodeFs } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';

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
  readonly gaps: DockerFigures['gaps'];
}

/** When the relay was last known to run, among the positions. */
const ALIVE_KEY = 'alive';

/**
 * Everything that is read from log files: what it keeps in the journal, what it shares,
 * and its housekeeping.
 *
 * Invariant: what it keeps is known before the journal is opened, since the journal
 * hands it back then.
 */
export class LogInputs {
  readonly #config: Config;
  readonly #deps: LogInputsDeps;
  readonly #positions = new Positions();
  readonly #merges = new MergeStates();
  readonly #poller: Poller;
  #registry: ContainerRegistry | undefined;
  #docker: DockerInput | undefined;
  #cancelHousekeeping = (): void => {};

  constructor(config: Config, deps: LogInputsDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#poller = new Poller(deps.clock);
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
    const { root } = this.#config.docker;
    if (root === undefined) return;
    const { clock, log } = this.#deps;
    const found = await findContainers(root);
    log.info({ ...found }, "found Docker's containers");
    const folders = new DiskContainerFolders(found.directory);
    this.#registry = new ContainerRegistry({ folders, clock, log });
    await this.#registry.start();
    const ids = this.#registry.all().map(({ id }) => id);
    this.#docker = new DockerInput(this.#config.docker, {
      journal,
      positions: this.#positions,
      merges: this.#merges,
      poller: this.#poller,
      fs: nodeFs,
      clock,
      log,
      containers: this.#registry,
      listeners: this.#config.inputs.listeners.map(({ address }) => address),
      interfaces: interfaceAddresses(),
      hostname: hostname(),
      own_id: await ownContainer(ids),
      alive_ms: this.#lastAlive(),
    });
    await this.#docker.start();
    this.#keepHouse(journal);
  }

  /** Reads no further; what is left is for the next start. */
  async stop(): Promise<void> {
    this.#cancelHousekeeping();
    await this.#registry?.close();
    await this.#docker?.stop();
    await this.#poller.close();
  }

  figures(): DockerFigures | undefined {
    return this.#docker?.figures();
  }

  /** The figures of all containers together. */
  summary(): LogSummary | undefined {
    const figures = this.figures();
    if (figures === undefined) return undefined;
    const summary = { lines: 0, recovered: 0, dropped_doubled: 0, late: 0, ambiguous: 0 };
    for (const { lines } of Object.values(figures.followed)) summary.lines += lines;
    for (const merged of Object.values(figures.merged)) {
      summary.recovered += merged.recovered;
      summary.dropped_doubled += merged.dropped_doubled;
      summary.late += merged.late;
      summary.ambiguous += merged.ambiguous;
    }
    return { ...summary, gaps: figures.gaps };
  }

  #lastAlive(): number {
    const stamp = this.#positions.get(ALIVE_KEY);
    return stamp === undefined ? this.#deps.clock.now_ms() : Number(stamp.toString());
  }

  /** The stamp is for the first contact with containers; positions expire with it. */
  #keepHouse(journal: JournalWriter): void {
    const { clock, log } = this.#deps;
    try {
      this.#note(journal);
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'positions could not be looked after');
    }
    this.#cancelHousekeeping = clock.after(LIMITS.positions_upkeep_ms, () =>
      this.#keepHouse(journal),
    );
  }

  #note(journal: JournalWriter): void {
    const positions = this.#positions;
    const now_ms = this.#deps.clock.now_ms();
    const now_s = Math.floor(now_ms / 1000);
    const stamp = positions.entry(ALIVE_KEY, Buffer.from(String(now_ms)), now_s);
    journal.note(POSITION_SPACE, stamp);
    const alive = new Set([ALIVE_KEY, ...(this.#docker?.keysAlive() ?? [])]);
    const after_s = this.#config.docker.forget_after_ms / 1000;
    for (const entry of positions.expire(alive, now_s, after_s)) {
      journal.note(POSITION_SPACE, entry);
    }
    this.#docker?.forgetExpired();
  }
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address),
  );
}

async function ownContainer(ids: readonly string[]): Promise<string | undefined> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [mountinfo, cgroup] = await Promise.all([
    read('/proc/self/mountinfo'),
    read('/proc/self/cgroup'),
  ]);
  return findOwnContainer({ hostname: hostname(), mountinfo, cgroup }, ids);
}
