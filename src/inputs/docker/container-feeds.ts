import { join } from 'node:path';
import { messageOf, systemCode } from '../../errors.ts';
import type { JournalWriter } from '../../journal/types.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import type { Poller } from '../logfile/follow/poller.ts';
import { JsonFileFormat } from '../logfile/formats/json-file.ts';
import { LocalFormat } from '../logfile/formats/local.ts';
import type { Positions } from '../logfile/positions.ts';
import type { LineFormat, LogFiles, LogReader, LogStart } from '../logfile/types.ts';
import type { EngineApi } from './api/engine-api.ts';
import { ApiFeed } from './api-feed.ts';
import type { Identities } from './identities.ts';
import { LogFeed, type LogFeedFigures } from './log-feed.ts';
import { lossRisks } from './loss-risks.ts';
import type { LineIdentity } from './records/driver-events.ts';
import type { TroubleReport } from './trouble-report.ts';
import type { Container, ContainerSource } from './types.ts';

export interface ContainerFeedsDeps {
  readonly journal: JournalWriter;
  readonly positions: Positions;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly log: Log;
  readonly containers: ContainerSource;
  /** Undefined: it is not asked. */
  readonly engine: EngineApi | undefined;
  readonly identities: Identities;
  readonly trouble: TroubleReport;
  readonly openFiles: (container: Container, files: LogFiles, from: LogStart) => Promise<LogReader>;
  /** Where a log without a position begins. */
  readonly startOf: (container: Container, is_known: boolean) => 'oldest' | 'newest';
}

/** A container whose log is read. */
export interface FedContainer {
  readonly id: string;
  readonly name: string;
  /** The format of its files, or the Engine API. */
  readonly how: LineFormat['name'] | 'api';
  readonly figures: LogFeedFigures;
}

interface Feed {
  readonly figures: LogFeedFigures;
  start(): void;
  /** Something about the container has changed: a look may pay. */
  nudge(): void;
  readToEnd(): Promise<boolean>;
  finish(): Promise<void>;
  stop(): Promise<void>;
}

/** Drivers whose log is read; the others send their lines elsewhere. */
const DRIVERS: readonly string[] = ['json-file', 'local'];
const DENIED: readonly (string | undefined)[] = ['EACCES', 'EPERM'];

/** Under what the position in a container's log is kept, by the way it is read. */
const fileKey = (container_id: string): string => `log/${container_id}`;
const apiKey = (container_id: string): string => `api/${container_id}`;

/** Positions that a container may have. */
export const logKeys = (container_id: string): string[] => [
  fileKey(container_id),
  apiKey(container_id),
];

/**
 * The containers of the json-file and local drivers, each read from its files, or through
 * the Engine API where there are none that can be read. The way a log was read once is the
 * way it is read on, since a position of one way says nothing to the other.
 */
export class ContainerFeeds {
  readonly #deps: ContainerFeedsDeps;
  readonly #json_file = new JsonFileFormat();
  readonly #local = new LocalFormat();
  readonly #feeds = new Map<string, FedContainer & { readonly feed: Feed }>();

  constructor(deps: ContainerFeedsDeps) {
    this.#deps = deps;
  }

  /**
   * Begins to read a container, or looks again at one that is read already.
   *
   * @throws LB_CONTAINER for a tag template or expression that cannot be done as Docker does it
   */
  begin(container: Container): void {
    const { engine, positions, trouble } = this.#deps;
    const { id, log_driver } = container;
    const known = this.#feeds.get(id);
    if (known !== undefined) known.feed.nudge();
    if (known !== undefined || !DRIVERS.includes(log_driver)) return;
    const files = this.#filesOf(container);
    const was_by_api = positions.get(apiKey(id)) !== undefined;
    if (engine !== undefined && (files === undefined || was_by_api)) {
      this.#start(container, this.#apiFeed(container, engine));
    } else if (files !== undefined) {
      this.#start(container, this.#fileFeed(container, files));
    } else {
      return;
    }
    for (const risk of lossRisks(container)) {
      trouble.once(container, risk, 'lines of a container may be lost');
    }
  }

  /** Resolves with true once all that a container's log has now was read. */
  readToEnd(container_id: string): Promise<boolean> {
    return this.#feeds.get(container_id)?.feed.readToEnd() ?? Promise.resolve(false);
  }

  /** The container is gone: resolves once what is left of its log was read. */
  async finish(container_id: string): Promise<void> {
    await this.#feeds.get(container_id)?.feed.finish();
    this.#feeds.delete(container_id);
  }

  /** By container name. */
  figures(): Record<string, LogFeedFigures> {
    const figures = [...this.#feeds.values()].map(({ name, feed }) => [name, feed.figures]);
    return Object.fromEntries(figures) as Record<string, LogFeedFigures>;
  }

  all(): FedContainer[] {
    return [...this.#feeds.values()];
  }

  /** Reads no further; what is left is for the next start. */
  async stop(): Promise<void> {
    await Promise.all([...this.#feeds.values()].map(({ feed }) => feed.stop()));
  }

  #start(container: Container, feed: Feed): void {
    const { id, name } = container;
    const how = feed instanceof LogFeed ? feed.format : 'api';
    this.#feeds.set(id, { id, name, how, figures: feed.figures, feed });
    feed.start();
  }

  #fileFeed(container: Container, files: LogFiles): Feed {
    const key = fileKey(container.id);
    return new LogFeed(
      {
        key,
        format: files.format,
        open: (from) => this.#openOrAskEngine(container, files, from),
        start_at: this.#startOf(container, key),
        ...this.#whoseLines(container),
      },
      this.#deps,
    );
  }

  #apiFeed(container: Container, api: EngineApi): Feed {
    const { id, tty } = container;
    const { containers, trouble } = this.#deps;
    const key = apiKey(id);
    return new ApiFeed(
      {
        ...{ api, container_id: id, tty, key },
        start_at: this.#startOf(container, key),
        ...this.#whoseLines(container),
        isRunning: () => containers.get(id)?.running ?? false,
        onLoss: (reason) => trouble.container(container, reason, 'lines of a container are lost'),
      },
      this.#deps,
    );
  }

  #whoseLines(container: Container): LineIdentity {
    const { containers, identities } = this.#deps;
    const current = (): Container => containers.get(container.id) ?? container;
    return {
      identity: () => identities.of(current()),
      identityAt: (time_s) => identities.at(current(), time_s),
    };
  }

  #startOf(container: Container, key: string): 'oldest' | 'newest' {
    const { positions, startOf, trouble } = this.#deps;
    const is_known = positions.get(key) !== undefined;
    const by_other_way = logKeys(container.id).some((other) => positions.get(other) !== undefined);
    if (is_known || !by_other_way) return startOf(container, is_known);
    const reason = 'its log was read another way before (files, Engine API): all of it is read';
    trouble.once(container, reason, 'lines of a container may be doubled');
    return 'oldest';
  }

  /** The log of a container whose files are known. */
  #filesOf({ id, directory, log_driver }: Container): LogFiles | undefined {
    if (directory === undefined) return undefined;
    const rotation = 'docker';
    if (log_driver === 'json-file') {
      return { directory, name: `${id}-json.log`, format: this.#json_file, rotation };
    }
    const local_logs = join(directory, 'local-logs');
    return { directory: local_logs, name: 'container.log', format: this.#local, rotation };
  }

  async #openOrAskEngine(
    container: Container,
    files: LogFiles,
    from: LogStart,
  ): Promise<LogReader> {
    try {
      return await this.#deps.openFiles(container, files, from);
    } catch (error) {
      const { engine } = this.#deps;
      if (engine !== undefined && DENIED.includes(systemCode(error))) {
        this.#askEngine(container, engine, error);
      }
      throw error;
    }
  }

  /** In the place of a feed whose files must not be read. */
  #askEngine(container: Container, engine: EngineApi, error: unknown): void {
    const { log } = this.#deps;
    const denied = this.#feeds.get(container.id)?.feed;
    const fields = { container: container.name, reason: messageOf(error) };
    log.info(fields, 'the files of a container cannot be read: the Engine is asked for its log');
    this.#start(container, this.#apiFeed(container, engine));
    denied?.stop().catch((failure: unknown) => {
      log.error({ ...fields, error: messageOf(failure) }, 'a log could not be closed');
    });
  }
}
