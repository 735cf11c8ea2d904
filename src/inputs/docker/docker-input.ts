import { join } from 'node:path';
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
import { JsonFileFormat } from '../logfile/formats/json-file.ts';
import { LocalFormat } from '../logfile/formats/local.ts';
import type { Positions } from '../logfile/positions.ts';
import type { LineFormat, LogFiles, LogReader, LogStart } from '../logfile/types.ts';
import { cacheUse } from './cache-use.ts';
import { Identities, identityKey } from './identities.ts';
import { LogFeed, type LogFeedFigures } from './log-feed.ts';
import type { MergeStates } from './merge/merge-states.ts';
import type { MergedContainer, MergeFigures } from './merge/merged-container.ts';
import { MergedContainers } from './merge/merged-containers.ts';
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

/** Under what the position in a container's log is kept. */
const logKey = (container_id: string): string => `log/${container_id}`;

/**
 * The containers of this host: those of the json-file and local drivers are followed in
 * their files, those of the fluentd driver that send here have their stream merged with
 * Docker's cache (DESIGN 7).
 *
 *     json-file, local ──► LogFeed ───────────────► journal
 *     fluentd: cache ────► MergedContainer ───────► journal
 *              stream ───► StreamFilter ──┘ (asked by the Forward server)
 */
export class DockerInput {
  readonly #config: DockerConfig;
  readonly #deps: DockerInputDeps;
  readonly #json_file = new JsonFileFormat();
  readonly #local = new LocalFormat();
  readonly #addresses: RelayAddresses;
  readonly #identities: Identities;
  readonly #feeds = new Map<string, { readonly name: string; readonly feed: LogFeed }>();
  readonly #merged: MergedContainers;
  readonly #trouble: TroubleReport;
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
    this.#identities = new Identities(
      { ...config, host_name: config.hostname ?? deps.hostname },
      { journal, positions, clock },
    );
    this.#trouble = new TroubleReport(log, clock);
    this.#merged = new MergedContainers({
      journal,
      states: merges,
      clock,
      log,
      format: this.#local,
      openCache: (container, from) => this.#openCache(container, from),
      identityAt: (container, time_s) =>
        this.#identities.at(containers.get(container.id) ?? container, time_s),
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
    for (const container of containers.all()) this.#begin(container);
    await this.#merged.catchUp(LIMITS.merge_hold_max_ms);
    const { followed, merged } = this.figures();
    const counts = { followed: Object.keys(followed).length, merged: Object.keys(merged).length };
    log.info(counts, "reading containers' logs");
  }

  /** What looks at a connection of the Forward server. */
  readonly newFilter = (): StreamFilter => new StreamFilter({ find: (line) => this.#find(line) });

  /** Positions under these keys are in use. */
  keysAlive(): Iterable<string> {
    return this.#deps.containers.all().flatMap(({ id }) => [logKey(id), identityKey(id)]);
  }

  /** Forgets the merge of containers whose identity has expired. */
  forgetExpired(): void {
    const { merges, positions, containers } = this.#deps;
    for (const id of [...merges.ids()]) {
      const is_there = containers.get(id) !== undefined;
      if (!is_there && positions.get(identityKey(id)) === undefined) this.#merged.forget(id);
    }
  }

  figures(): DockerFigures {
    const followed = [...this.#feeds.values()].map(({ name, feed }) => [name, feed.figures]);
    return {
      followed: Object.fromEntries(followed),
      merged: Object.fromEntries(this.#merged.figures()),
      gaps: this.#trouble.gaps,
    };
  }

  /** Reads no further; what is left is for the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#unsubscribe();
    await Promise.all([...this.#feeds.values()].map(({ feed }) => feed.stop()));
    await this.#merged.stop();
  }

  // ── which container is read, and how ─────────────────────────────────────────

  /** Also for one that has changed: what was begun goes on. */
  #begin(container: Container): void {
    if (this.#stopping || !this.#isSelected(container)) return;
    try {
      if (container.log_driver === 'fluentd') this.#beginMerge(container);
      else this.#beginFeed(container);
    } catch (error) {
      this.#trouble.container(container, messageOf(error), 'a container is not read');
    }
  }

  #isSelected(container: Container): boolean {
    const { include, exclude } = this.#config;
    const { own_id, log } = this.#deps;
    const { read, why } = select(container, { include, exclude, own_id });
    if (!read) log.debug({ container: container.name, why }, 'a container is left out');
    return read;
  }

  #beginFeed(container: Container): void {
    const files = this.#filesOf(container);
    if (files === undefined || this.#feeds.has(container.id)) return;
    const key = logKey(container.id);
    const feed = new LogFeed(
      {
        key,
        format: files.format,
        open: (from) => this.#open(files, from, container),
        start_at: this.#startOf(container, this.#deps.positions.get(key) !== undefined),
        identity: () => this.#identities.of(this.#deps.containers.get(container.id) ?? container),
      },
      this.#deps,
    );
    this.#feeds.set(container.id, { name: container.name, feed });
    feed.start();
  }

  /** The log of a container whose driver keeps it in files that can be read. */
  #filesOf({ id, directory, log_driver }: Container): LogFiles | undefined {
    if (directory === undefined) return undefined;
    if (log_driver === 'json-file') {
      return logFiles(directory, `${id}-json.log`, this.#json_file);
    }
    if (log_driver === 'local') {
      return logFiles(join(directory, 'local-logs'), 'container.log', this.#local);
    }
    return undefined;
  }

  #beginMerge(container: Container): void {
    const streamed_before = this.#deps.merges.get(container.id) !== undefined;
    const verdict = cacheUse(container, this.#addresses, streamed_before);
    if (verdict.use === 'merge') {
      const { sub_second } = this.#identities.of(container);
      this.#merge(container, sub_second).catch((error: unknown) => {
        this.#trouble.container(container, messageOf(error), 'its cache cannot be read');
      });
    } else if (verdict.warn) {
      this.#trouble.container(container, verdict.why, 'lines of a container may be lost');
    }
  }

  #merge(container: Container, sub_second: boolean): Promise<MergedContainer> {
    const known = this.#deps.merges.get(container.id) !== undefined;
    return this.#merged.open(container, this.#startOf(container, known), sub_second);
  }

  /** First contact: what began since logboom was last alive is read whole. The choice is logged. */
  #startOf(container: Container, is_known: boolean): 'oldest' | 'newest' {
    const { alive_ms, log } = this.#deps;
    const { started_ms, name, log_driver } = container;
    const is_new = started_ms === 0 || started_ms > alive_ms;
    const start_at = is_new ? 'oldest' : this.#config.start_at;
    if (!is_known && !this.#merged.has(container.id)) {
      const why = is_new ? 'it started since logboom last ran' : 'docker.start_at says so';
      log.info({ container: name, driver: log_driver, start_at, why }, 'a new container is read');
    }
    return start_at;
  }

  // ── a stream has come ────────────────────────────────────────────────────────

  async #find(line: StreamedIdentity): Promise<MergedContainer | undefined> {
    const { containers } = this.#deps;
    const id = line.container_id;
    const container = containers.get(id) ?? (await containers.rescan(id));
    if (container === undefined || this.#stopping || !this.#isSelected(container)) return undefined;
    if (cacheUse(container, this.#addresses, true).use === 'none') return undefined;
    try {
      const { sub_second } = this.#identities.streamed(container, line);
      return await this.#merge(container, sub_second);
    } catch (error) {
      this.#trouble.container(container, messageOf(error), 'its cache cannot be read');
      return undefined;
    }
  }

  // ── a container is gone ──────────────────────────────────────────────────────

  #removed(container: Container): void {
    const failed = (error: unknown): void => {
      this.#trouble.container(container, messageOf(error), 'its last lines could not be read');
    };
    const fed = this.#feeds.get(container.id);
    fed?.feed.finish().then(() => this.#feeds.delete(container.id), failed);
    this.#merged.finish(container.id).catch(failed);
  }

  // ── files ────────────────────────────────────────────────────────────────────

  #openCache(container: Container, from: LogStart): Promise<LogReader> {
    const directory = container.directory ?? '';
    return this.#open(logFiles(directory, 'container-cached.log', this.#local), from, container);
  }

  #open(files: LogFiles, from: LogStart, container: Container): Promise<LogReader> {
    const { fs, clock } = this.#deps;
    const onTrouble = this.#trouble.ofLog(container);
    return openLog({ files, from, onTrouble }, { fs, clock });
  }
}

function logFiles(directory: string, name: string, format: LineFormat): LogFiles {
  return { directory, name, format, rotation: 'docker' };
}
