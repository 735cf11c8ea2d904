import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../../errors.ts';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Log } from '../../../sys/log.ts';
import { RateLimitedLog } from '../../../sys/rate-limited-log.ts';
import type { Container, ContainerSource, RegistryEvents } from '../types.ts';
import { type ContainerFolders, isContainerId } from './container-folders.ts';
import { parseContainer } from './parse-container.ts';

export interface RegistryOptions {
  readonly folders: ContainerFolders;
  readonly clock: Clock;
  readonly log: Log;
}

/** Folders that came or went within this time are looked at together. */
const COALESCE_MS = 10;

/** A new container that is not complete, or not started, is looked at again so soon; then each pause is half as long again. */
const NEW_RETRY_MS = 25;

/** For so long a container's files are tried before it is said that they cannot be read. */
const FAILING_BEFORE_WARNING_MS = 5_000;

/** Containers whose files are looked at in the same moment. */
const CONCURRENT_MAX = 16;

/** What is known of one folder. */
interface Entry {
  /** Of the configuration that `container` was read from. */
  stamp: string | undefined;
  /** Undefined: it could not be read so far. */
  container: Container | undefined;
  /** By the monotonic clock; undefined: its files could be read. */
  failing_since_ms: number | undefined;
  /** It was said that they cannot. */
  warned: boolean;
}

/**
 * The containers of an Engine, from its own files.
 *
 * - A watch on the folder finds what comes and goes; rescans find everything, also
 *   where nothing can be watched. A rescan costs one `stat` a container; only what
 *   was written since is read.
 * - All looks run one after the other, so events of one container are in their order.
 *   Listeners are called during a look, and must not throw.
 * - A container whose files cannot be read stays as it was last read; it is gone when
 *   its folder is gone. While the folder of all cannot be read, nothing is gone.
 */
export class ContainerRegistry implements ContainerSource {
  readonly #folders: ContainerFolders;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #trouble: RateLimitedLog;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<RegistryEvents>();
  /** Settles when every look so far is done; never rejects. */
  #looks: Promise<void> = Promise.resolve();
  #cancelTimer = (): void => {};
  #stopWatching = (): void => {};
  #due_ms = Number.POSITIVE_INFINITY;
  /** When all are looked at again, whatever else is looked at. */
  #full_due_ms = Number.NEGATIVE_INFINITY;
  #retry_ms = NEW_RETRY_MS;
  #folder_failed = false;
  #closed = false;

  constructor({ folders, clock, log }: RegistryOptions) {
    this.#folders = folders;
    this.#clock = clock;
    this.#log = log;
    this.#trouble = new RateLimitedLog(log, clock);
  }

  /** Resolves when every container there is has been looked at; keeps them current from then on. */
  async start(): Promise<void> {
    this.#stopWatching = this.#folders.watch(() => {
      this.#retry_ms = NEW_RETRY_MS;
      this.#scanWithin(COALESCE_MS);
    });
    await this.#scan();
  }

  /** Resolves when no look is under way any more; listeners are not called after that. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    this.#cancelTimer();
    await this.#looks;
  }

  all(): readonly Container[] {
    return [...this.#entries.values()].flatMap(({ container }) => container ?? []);
  }

  get(id: string): Container | undefined {
    return this.#entries.get(id)?.container;
  }

  async rescan(id: string): Promise<Container | undefined> {
    if (isContainerId(id)) await this.#look(() => this.#refresh(id));
    return this.get(id);
  }

  async isGone(id: string): Promise<boolean> {
    const ids = await this.#folders.ids().catch(() => undefined);
    return ids !== undefined && !ids.includes(id);
  }

  subscribe(events: RegistryEvents): () => void {
    this.#listeners.add(events);
    return () => {
      this.#listeners.delete(events);
    };
  }

  // ── looking ──────────────────────────────────────────────────────────────────

  #scan(): Promise<void> {
    return this.#look(async () => {
      // What comes from here on may be behind what this look reads: it makes the next one due.
      this.#due_ms = Number.POSITIVE_INFINITY;
      const is_full = this.#clock.monotonic_ms() >= this.#full_due_ms;
      if (is_full) this.#full_due_ms = this.#clock.monotonic_ms() + LIMITS.containers_rescan_ms;
      await this.#refreshAll(is_full);
      this.#scanWithin(this.#pause());
    });
  }

  #look(look: () => Promise<void>): Promise<void> {
    this.#looks = this.#lookAfter(this.#looks, look);
    return this.#looks;
  }

  async #lookAfter(before: Promise<void>, look: () => Promise<void>): Promise<void> {
    await before;
    if (this.#closed) return;
    try {
      await look();
    } catch (error) {
      this.#log.error({ error: messageOf(error) }, 'looking for containers failed');
    }
  }

  /** The next scan begins after `delay_ms` at the latest. */
  #scanWithin(delay_ms: number): void {
    const due_ms = this.#clock.monotonic_ms() + delay_ms;
    if (this.#closed || due_ms >= this.#due_ms) return;
    this.#cancelTimer();
    this.#due_ms = due_ms;
    this.#cancelTimer = this.#clock.after(delay_ms, () => {
      // Looks never reject.
      void this.#scan();
    });
  }

  /** Short while a container is new and its start is still to come. */
  #pause(): number {
    const full_ms = Math.max(0, this.#full_due_ms - this.#clock.monotonic_ms());
    if (![...this.#entries.values()].some(isNew)) return full_ms;
    const pause_ms = Math.min(this.#retry_ms, full_ms);
    this.#retry_ms = Math.min(this.#retry_ms * 1.5, LIMITS.containers_rescan_ms);
    return pause_ms;
  }

  /** Unless `is_full`, only what is new: many containers may come and go between two rescans. */
  async #refreshAll(is_full: boolean): Promise<void> {
    let ids: string[];
    try {
      ids = await this.#folders.ids();
    } catch (error) {
      this.#folderFailed(error);
      return;
    }
    if (this.#folder_failed) this.#log.info({}, "Docker's containers folder can be read again");
    this.#folder_failed = false;
    const there = new Set(ids);
    for (const id of this.#entries.keys()) if (!there.has(id)) this.#remove(id);
    const wanted = is_full ? ids : ids.filter((id) => isNew(this.#entries.get(id)));
    for (let at = 0; at < wanted.length; at += CONCURRENT_MAX) {
      await Promise.all(wanted.slice(at, at + CONCURRENT_MAX).map((id) => this.#refresh(id)));
    }
  }

  async #refresh(id: string): Promise<void> {
    const entry = this.#entries.get(id) ?? newEntry();
    const before = entry.container;
    try {
      const stamp = this.#folders.stamp(id);
      if (stamp === undefined && !(await this.#folders.ids()).includes(id)) {
        this.#remove(id);
        return;
      }
      this.#entries.set(id, entry);
      if (stamp !== undefined && stamp === entry.stamp) return;
      const container = parseContainer(await this.#folders.read(id));
      Object.assign(entry, { ...newEntry(), stamp, container });
    } catch (error) {
      this.#entries.set(id, entry);
      this.#failed(id, entry, messageOf(error));
      return;
    }
    if (entry.container !== undefined) this.#tell(entry.container, before);
  }

  // ── telling ──────────────────────────────────────────────────────────────────

  #tell(container: Container, before: Container | undefined): void {
    if (isDeepStrictEqual(container, before)) return;
    for (const listener of [...this.#listeners]) {
      if (before === undefined) listener.added(container);
      else listener.changed(container, before);
    }
  }

  #remove(id: string): void {
    const container = this.#entries.get(id)?.container;
    this.#entries.delete(id);
    if (container === undefined) return;
    for (const listener of [...this.#listeners]) listener.removed(container);
  }

  /** Said once: what was caught half-way is whole the next time. */
  #failed(id: string, entry: Entry, reason: string): void {
    const now_ms = this.#clock.monotonic_ms();
    entry.failing_since_ms ??= now_ms;
    if (entry.warned || now_ms - entry.failing_since_ms < FAILING_BEFORE_WARNING_MS) return;
    entry.warned = true;
    const container = entry.container?.name ?? id.slice(0, 12);
    const message = "a container's files cannot be read; they are tried again";
    this.#trouble.warn('container', { container, reason }, message);
  }

  #folderFailed(error: unknown): void {
    if (!this.#folder_failed) {
      const reason = messageOf(error);
      this.#log.warn({ reason }, "Docker's containers folder cannot be read; it is tried again");
    }
    this.#folder_failed = true;
  }
}

/** Whether its files, or its first start, are still to come. */
function isNew(entry: Entry | undefined): boolean {
  return entry?.container === undefined || entry.container.started_ms === 0;
}

function newEntry(): Entry {
  return { stamp: undefined, container: undefined, failing_since_ms: undefined, warned: false };
}
