import type { ListenAddress } from '../../config/address.ts';
import type { DockerConfig } from '../../config/types.ts';
import { messageOf } from '../../errors.ts';
import type { JournalWriter } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../sys/clock.ts';
import type { FileSystem } from '../../sys/fs.ts';
import type { Log } from '../../sys/log.ts';
import { openLog } from '../logfile/follow/open-log.ts';
import type { Poller } from '../logfile/follow/poller.ts';
import { ReadMemory } from '../logfile/follow/read-memory.ts';
import { LocalFormat } from '../logfile/formats/local.ts';
import type { Positions } from '../logfile/positions.ts';
import type { LogFiles, LogReader, LogStart } from '../logfile/types.ts';
import type { EngineApi } from './api/engine-api.ts';
import { cacheUse } from './cache-use.ts';
import { ContainerFeeds, type FedContainer, logKeys } from './container-feeds.ts';
import { Endings } from './endings.ts';
import { firstContact } from './first-contact.ts';
import { Identities, identityKey } from './identities.ts';
import type { LogFeedFigures } from './log-feed.ts';
import { lossRisks } from './loss-risks.ts';
import type { MergeStates } from './merge/merge-states.ts';
import type { MergedContainer, MergeFigures } from './merge/merged-container.ts';
import { MergedContainers, type MergedView } from './merge/merged-containers.ts';
import { type StreamedIdentity, StreamFilter } from './merge/stream-filter.ts';
import { RelayAddresses } from './relay-addresses.ts';
import { select } from './selection.ts';
import { type Gap, TroubleReport } from './trouble-report.ts';
import type { Container, ContainerSource } from './types.ts';

export interface DockerInputDeps {
  readonly journal: JournalWriter;
  readonly positions: Positions;
  readonly merges: MergeStates;
  readonly poller: Poller;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
  readonly containers: ContainerSource;
  /** Undefined: it is not asked for logs. */
  readonly engine: EngineApi | undefined;
  /** Where the relay listens, as far as that is known before it does. */
  readonly listeners: readonly ListenAddress[];
  /** Addresses of this host's network interfaces. */
  readonly interfaces: readonly string[];
  readonly hostname: string;
  /** The container that logboom runs in. */
  readonly own_id: string | undefined;
  /** When logboom was last known to run on this journal; now, for a new one. */
  readonly alive_ms: number;
}

export interface DockerFigures {
  /** By container name. */
  readonly followed: Readonly<Record<string, LogFeedFigures>>;
  /** By container name. */
  readonly merged: Readonly<Record<string, MergeFigures>>;
  readonly gaps: readonly Gap[];
}

export interface ContainersView {
  readonly followed: readonly FedContainer[];
  readonly merged: readonly MergedView[];
}

const MAY_BE_LOST = 'lines of a container may be lost';

/**
 * The containers of this host: those of the json-file and local drivers are followed, those
 * of the fluentd driver that send here have their stream merged with Docker's cache (DESIGN 7).
 *
 *     json-file, local ──► ContainerFeeds ────────► journal
 *     fluentd: cache ────► MergedContainer ───────► journal
 *              stream ───► StreamFilter ──┘ (asked by the Forward server)
 */
export class DockerInput {
  readonly #config: DockerConfig;
  readonly #deps: DockerInputDeps;
  readonly #local = new LocalFormat();
  readonly #memory = new ReadMemory();
  readonly #addresses: RelayAddresses;
  readonly #identities: Identities;
  readonly #feeds: ContainerFeeds;
  readonly #merged: MergedContainers;
  readonly #trouble: TroubleReport;
  readonly #endings: Endings;
  /** Their streams may still bring what was on its way; kept as long as what is compared with it. */
  readonly #gone = new Map<string, Container>();
  #unsubscribe = (): void => {};
  #stopping = false;

  constructor(config: DockerConfig, deps: DockerInputDeps) {
    const { journal, positions, merges, clock, log, containers } = deps;
    this.#config = config;
    this.#deps = deps;
    this.#addresses = new RelayAddresses({
      given: config.addresses,
      listeners: deps.listeners,
      interfaces: deps.interfaces,
    });
    // A container's own host name is not that of the host.
    const host_name = config.hostname ?? (deps.own_id === undefined ? deps.hostname : undefined);
    this.#identities = new Identities({ ...config, host_name }, { journal, positions, clock });
    this.#trouble = new TroubleReport(log, clock);
    const known = { identities: this.#identities, trouble: this.#trouble };
    this.#endings = new Endings({ ...known, containers, merges, alive_ms: deps.alive_ms });
    this.#feeds = new ContainerFeeds({
      ...deps,
      identities: this.#identities,
      trouble: this.#trouble,
      openFiles: (container, files, from) => this.#open(container, files, from),
      startOf: (container, is_known) => this.#startOf(container, is_known),
    });
    this.#merged = new MergedContainers({
      journal,
      states: merges,
      clock,
      log,
      format: this.#local,
      openCache: (container, from) => this.#openCache(container, from),
      identityAt: (container, time_s) =>
        this.#identities.at(containers.get(container.id) ?? container, time_s),
      passed: (container, time_s) =>
        this.#identities.passed(containers.get(container.id) ?? container, time_s),
      onEvicted: (container, kept_lines) => this.#evicted(container, kept_lines),
    });
  }

  /** Begins with every container there is, and brings all caches into the journal as far as they go now. */
  async start(): Promise<void> {
    const { containers, log } = this.#deps;
    this.#unsubscribe = containers.subscribe({
      added: (container) => this.#begin(container),
      changed: (container) => this.#begin(container),
      removed: (container) => this.#removed(container),
    });
    const missing = this.#endings.missing();
    for (const container of containers.all()) this.#begin(container);
    await this.#endings.tellRemovedWhileAway(missing);
    await this.#merged.catchUp(LIMITS.merge_hold_max_ms);
    const { followed, merged } = this.figures();
    const counts = { followed: Object.keys(followed).length, merged: Object.keys(merged).length };
    log.info(counts, "reading containers' logs");
  }

  /** What looks at a connection of the Forward server. */
  readonly newFilter = (): StreamFilter => new StreamFilter({ find: (line) => this.#find(line) });

  /** Positions under these keys are in use. */
  keysAlive(): Iterable<string> {
    return this.#deps.containers.all().flatMap(({ id }) => [...logKeys(id), identityKey(id)]);
  }

  /** Forgets the merge of containers whose identity has expired. */
  forgetExpired(): void {
    const { merges, positions, containers } = this.#deps;
    this.#identities.forgetExpired();
    for (const id of [...merges.ids()]) {
      const is_there = containers.get(id) !== undefined;
      if (is_there || positions.get(identityKey(id)) !== undefined) continue;
      this.#merged.forget(id);
      this.#gone.delete(id);
    }
  }

  figures(): DockerFigures {
    return {
      followed: this.#feeds.figures(),
      merged: Object.fromEntries(this.#merged.figures()),
      gaps: this.#trouble.gaps,
    };
  }

  /** Every container that is read now. */
  containers(): ContainersView {
    return { followed: this.#feeds.all(), merged: this.#merged.all() };
  }

  /** Whether Docker has this container still. */
  isThere(container_id: string): boolean {
    return this.#deps.containers.get(container_id) !== undefined;
  }

  /** Reads no further; what is left is for the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#unsubscribe();
    await this.#feeds.stop();
    await this.#merged.stop();
  }

  // ── which container is read, and how ─────────────────────────────────────────

  /** Also for one that has changed: what was begun goes on. */
  #begin(container: Container): void {
    if (this.#stopping) return;
    if (!this.#isSelected(container)) {
      this.#endings.over(container.id);
      return;
    }
    try {
      if (container.log_driver === 'fluentd') this.#beginMerge(container);
      else this.#feeds.begin(container);
      this.#seen(container);
    } catch (error) {
      this.#trouble.container(container, messageOf(error), 'a container is not read');
    }
  }

  #seen(container: Container): void {
    const { id } = container;
    const readToEnd = (): Promise<boolean> =>
      this.#merged.has(id) ? this.#merged.readToEnd(id) : this.#feeds.readToEnd(id);
    this.#endings.seen(container, readToEnd).catch((error: unknown) => {
      this.#deps.log.debug(
        { container: container.name, error: messageOf(error) },
        'a log is not read yet',
      );
    });
  }

  #isSelected(container: Container): boolean {
    const { include, exclude } = this.#config;
    const { own_id, log } = this.#deps;
    const { read, why } = select(container, { include, exclude, own_id });
    if (!read) log.debug({ container: container.name, why }, 'a container is left out');
    return read;
  }

  #beginMerge(container: Container): void {
    const streamed_before = this.#deps.merges.get(container.id) !== undefined;
    if (!this.#isMerged(container, streamed_before)) return;
    const { sub_second } = this.#identities.of(container);
    this.#merge(container, sub_second).catch((error: unknown) => {
      this.#trouble.container(container, messageOf(error), 'its cache cannot be read now');
      this.#deps.clock.after(LIMITS.containers_rescan_ms, () => this.#beginAgain(container.id));
    });
  }

  #beginAgain(container_id: string): void {
    const container = this.#deps.containers.get(container_id);
    if (container !== undefined) this.#begin(container);
  }

  /** Of a container that sends here it is said what can be lost all the same. */
  #isMerged(container: Container, has_streamed: boolean): boolean {
    const verdict = cacheUse(container, this.#addresses, has_streamed);
    if (verdict.use === 'none' && !verdict.warn) return false;
    for (const risk of lossRisks(container)) this.#trouble.once(container, risk, MAY_BE_LOST);
    if (verdict.use === 'none') this.#trouble.once(container, verdict.why, MAY_BE_LOST);
    return verdict.use === 'merge';
  }

  #merge(container: Container, sub_second: boolean): Promise<MergedContainer> {
    const known = this.#deps.merges.get(container.id) !== undefined;
    return this.#merged.open(container, this.#startOf(container, known), sub_second);
  }

  /** First contact: what began since logboom was last alive is read whole. The choice is logged. */
  #startOf(container: Container, is_known: boolean): 'oldest' | 'newest' {
    const { alive_ms, log } = this.#deps;
    const { name, log_driver } = container;
    const { start_at, why } = firstContact(container, alive_ms, this.#config.start_at);
    if (!is_known && !this.#merged.has(container.id)) {
      log.info({ container: name, driver: log_driver, start_at, why }, 'a new container is read');
    }
    return start_at;
  }

  // ── a stream has come ────────────────────────────────────────────────────────

  /**
   * Rejects if the cache cannot be opened now: the connection ends, and the driver comes
   * again. Taken without a comparison, its lines would be doubled by the cache later.
   */
  async #find(line: StreamedIdentity): Promise<MergedContainer | undefined> {
    const { containers } = this.#deps;
    const id = line.container_id;
    const known = containers.get(id) ?? this.#gone.get(id);
    const container = known ?? (await containers.rescan(id));
    if (container === undefined || this.#stopping || !this.#isSelected(container)) return undefined;
    if (!this.#isMerged(container, true)) return undefined;
    const { sub_second } = this.#identities.streamed(container, line);
    return this.#merge(container, sub_second);
  }

  // ── a container is gone ──────────────────────────────────────────────────────

  #removed(container: Container): void {
    if (this.#merged.has(container.id)) this.#gone.set(container.id, container);
    this.#finish(container).catch((error: unknown) => {
      this.#trouble.container(container, messageOf(error), 'its last lines could not be read');
    });
  }

  async #finish({ id }: Container): Promise<void> {
    try {
      await this.#feeds.finish(id);
      await this.#merged.finish(id);
    } finally {
      // A feed that was stopped on the way has not read all.
      if (!this.#stopping) this.#endings.over(id);
    }
  }

  #evicted(container: Pick<Container, 'id' | 'name'>, kept_lines: number): void {
    this.#gone.delete(container.id);
    if (kept_lines === 0) return;
    const reason = `too many containers are gone: if its stream still brings some of ${kept_lines} lines that its cache had, they are doubled`;
    this.#trouble.container(container, reason, 'lines of a container may be doubled');
  }

  // ── files ────────────────────────────────────────────────────────────────────

  #openCache(container: Container, from: LogStart): Promise<LogReader> {
    const { directory = '' } = container;
    const format = this.#local;
    const files = { directory, name: 'container-cached.log', format, rotation: 'docker' } as const;
    return this.#open(container, files, from);
  }

  #open(container: Container, files: LogFiles, from: LogStart): Promise<LogReader> {
    const { fs, clock } = this.#deps;
    const onTrouble = this.#trouble.ofLog(container);
    return openLog({ files, from, onTrouble }, { fs, clock, memory: this.#memory });
  }
}
