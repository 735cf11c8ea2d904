import type { Config } from '../config/types.ts';
import { messageOf } from '../errors.ts';
import { DiskSpace } from '../status/disk-space.ts';
import type { Asset } from '../status/http/routes.ts';
import { StatusServer } from '../status/http/status-server.ts';
import { pageAssets } from '../status/page/assets.ts';
import { Snapshots } from '../status/snapshot.ts';
import type { RelayStatus } from '../status/types.ts';
import type { Clock } from '../sys/clock.ts';
import type { Log } from '../sys/log.ts';
import { type ObservedParts, statusSource } from './status-source.ts';

export interface ObservationDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly pid: number;
  readonly version: string;
  /** Without the status server this relay is better than none. */
  readonly takeover: boolean;
}

/**
 * Everything that lets people look inside the relay: its snapshots, and the server that
 * shows them.
 *
 *     open() ─► the server answers: starting ─► begin() ─► figures ─► closeServer() ─► close()
 */
export class Observation {
  readonly #config: Config;
  readonly #deps: ObservationDeps;
  readonly #disk_space: DiskSpace;
  readonly #started_ms: number;
  #server: StatusServer | undefined;
  #snapshots: Snapshots | undefined;
  #is_stopping = false;

  constructor(config: Config, deps: ObservationDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#disk_space = new DiskSpace(config.journal.dir, deps.clock);
    this.#started_ms = deps.clock.now_ms();
  }

  /** Where the page is; undefined: it is not served. */
  get url(): string | undefined {
    return this.#server?.url;
  }

  /**
   * Opens the status server, if there is to be one.
   *
   * @throws LB_LISTEN; in a takeover it is only logged, since the predecessor is gone by then
   */
  async open(): Promise<void> {
    const { address, token } = this.#config.status;
    if (address === undefined) return;
    const { clock, takeover } = this.#deps;
    const log = this.#deps.log.child({ part: 'status' });
    try {
      const assets = this.#assets(log);
      this.#server = await StatusServer.open({ ...address, token }, { assets, clock, log });
    } catch (error) {
      if (!takeover) throw error;
      log.error({ error: messageOf(error) }, 'logboom goes on without its status page');
    }
  }

  /** From now on there are figures. Called once. */
  begin(parts: ObservedParts): void {
    const { version, pid, clock } = this.#deps;
    const about = { version, pid, node: process.version, started_ms: this.#started_ms };
    const observed = {
      ...parts,
      disk_space: this.#disk_space,
      isStopping: () => this.#is_stopping,
    };
    const source = statusSource(about, this.#config.journal, observed);
    const snapshots = new Snapshots(source, clock);
    this.#disk_space.start();
    snapshots.start();
    this.#snapshots = snapshots;
    this.#server?.begin(() => snapshots.take());
  }

  /** Undefined before `begin`. */
  snapshot(): RelayStatus | undefined {
    return this.#snapshots?.take();
  }

  /** The relay is about to stop, and its port is free when this resolves; snapshots go on. */
  async closeServer(): Promise<void> {
    this.#is_stopping = true;
    await this.#server?.close();
    this.#server = undefined;
  }

  async close(): Promise<void> {
    await this.closeServer();
    this.#snapshots?.stop();
    this.#disk_space.stop();
  }

  #assets(log: Log): ReadonlyMap<string, Asset> {
    try {
      return pageAssets();
    } catch (error) {
      log.error({ error: messageOf(error) }, 'the files of the status page are not there');
      return new Map();
    }
  }
}
