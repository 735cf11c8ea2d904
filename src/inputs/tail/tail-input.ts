import type { TailConfig } from '../../config/types.ts';
import { messageOf } from '../../errors.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { sleep } from '../../sys/sleep.ts';
import type { Identity } from '../docker/types.ts';
import { Discovery } from './discovery.ts';
import { FilePatterns } from './find-files.ts';
import { kubeIdentity } from './kube-identity.ts';
import type { TailFile } from './tail-file.ts';
import { renderTag } from './tail-tag.ts';

/** kubelet makes a container's link within seconds, and rotates every 10 s. */
const LOOK_MS = 5_000;

/** A log to be followed. */
export interface FollowedLog {
  readonly file: TailFile;
  readonly identity: Identity;
  /** Where it begins if it has no position. */
  readonly start_at: 'newest' | 'oldest';
}

/** A log that is being followed. */
export interface Following {
  /** Its file is gone: what is still open is read to its end. */
  finish(): Promise<void>;
  /** At once; the rest is for the next start. */
  stop(): Promise<void>;
}

export interface TailDeps {
  readonly follow: (log: FollowedLog) => Following;
  /** When logboom was last known to run; now, for a new journal. */
  readonly alive_ms: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * One entry of `inputs.tail`: finds logs by their paths and has each followed. A file that
 * turns up later than the first look, or that was created since logboom last ran, is read
 * from its beginning.
 */
export class TailInput {
  readonly #options: TailConfig;
  readonly #deps: TailDeps;
  readonly #discovery: Discovery;
  readonly #followed = new Map<string, Following>();
  readonly #stopping = new AbortController();
  #looking: Promise<void> | undefined;
  #looked = false;

  constructor(options: TailConfig, deps: TailDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#discovery = new Discovery(new FilePatterns(options.paths, options.exclude), deps.log);
  }

  get files_count(): number {
    return this.#followed.size;
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
    this.#looking = this.#keepLooking();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    await Promise.all([...this.#followed.values()].map((following) => following.stop()));
    this.#followed.clear();
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await sleep(this.#deps.clock, LOOK_MS, signal);
      if (signal.aborted) return;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { added, removed } = await this.#discovery.look();
    for (const file of added) this.#add(file);
    for (const file of removed) this.#remove(file);
    this.#looked = true;
  }

  #add(file: TailFile): void {
    const { follow, alive_ms, log } = this.#deps;
    const rendered = renderTag(this.#options.tag, file.kube);
    if ('missing' in rendered) {
      const fields = { file: file.real_path, missing: rendered.missing };
      log.warn(fields, 'not followed: no path of this file tells what its tag needs');
      return;
    }
    const is_new = this.#looked || file.born_ms > alive_ms;
    const start_at = is_new ? 'oldest' : this.#options.start_at;
    const { tag } = rendered;
    log.info({ file: file.real_path, tag, format: file.format, start_at }, 'following a log');
    const identity = kubeIdentity(file.kube, tag);
    this.#followed.set(file.real_path, follow({ file, identity, start_at }));
  }

  #remove({ real_path }: TailFile): void {
    const { log } = this.#deps;
    const following = this.#followed.get(real_path);
    if (following === undefined) return;
    this.#followed.delete(real_path);
    following.finish().then(
      () => log.info({ file: real_path }, 'a log that was followed is gone'),
      (error: unknown) => log.error({ file: real_path, error: messageOf(error) }, 'reading failed'),
    );
  }
}
