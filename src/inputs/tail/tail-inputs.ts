import type { TailConfig } from '../../config/types.ts';
import type { FileSystem } from '../../sys/fs.ts';
import type { LogFeed, LogFeedDeps, LogFeedFigures } from '../docker/log-feed.ts';
import { type Gap, TroubleReport } from '../docker/trouble-report.ts';
import { ReadMemory } from '../logfile/follow/read-memory.ts';
import { followFile, positionKey } from './follow-file.ts';
import { type FollowedLog, type Following, TailInput } from './tail-input.ts';

export interface TailInputsDeps extends LogFeedDeps {
  readonly fs: FileSystem;
  /** When logboom was last known to run; now, for a new journal. */
  readonly alive_ms: number;
}

export interface TailFigures {
  /** By the path of the file. */
  readonly followed: Readonly<Record<string, LogFeedFigures>>;
  readonly gaps: readonly Gap[];
}

const NOT_FOLLOWED: Following = { finish: async () => {}, stop: async () => {} };

/** All entries of `inputs.tail`. A file that several of them mean belongs to the first that finds it. */
export class TailInputs {
  readonly #deps: TailInputsDeps;
  readonly #inputs: readonly TailInput[];
  readonly #trouble: TroubleReport;
  readonly #memory = new ReadMemory();
  readonly #feeds = new Map<string, LogFeed>();

  constructor(entries: readonly TailConfig[], deps: TailInputsDeps) {
    this.#deps = deps;
    this.#trouble = new TroubleReport(deps.log, deps.clock);
    const follow = (log: FollowedLog): Following => this.#follow(log);
    this.#inputs = entries.map((entry) => new TailInput(entry, { ...deps, follow }));
  }

  /** Resolves when every entry has looked around once, in their order. */
  async start(): Promise<void> {
    for (const input of this.#inputs) await input.start();
  }

  /** Reads no further; what is left is for the next start. */
  async stop(): Promise<void> {
    await Promise.all(this.#inputs.map((input) => input.stop()));
  }

  /** Positions under these keys are in use. */
  keysAlive(): Iterable<string> {
    return Array.from(this.#feeds.keys(), positionKey);
  }

  figures(): TailFigures {
    const followed = Array.from(this.#feeds, ([path, feed]) => [path, feed.figures] as const);
    return { followed: Object.fromEntries(followed), gaps: this.#trouble.gaps };
  }

  /** Every file that is followed now, by its path. */
  all(): [path: string, feed: Pick<LogFeed, 'figures' | 'format'>][] {
    return [...this.#feeds];
  }

  #follow(log: FollowedLog): Following {
    const { real_path } = log.file;
    if (this.#feeds.has(real_path)) {
      this.#deps.log.warn({ file: real_path }, 'another entry of inputs.tail follows this file');
      return NOT_FOLLOWED;
    }
    const onTrouble = this.#trouble.ofLog({ id: real_path, name: real_path });
    const feed = followFile(log, { ...this.#deps, memory: this.#memory, onTrouble });
    this.#feeds.set(real_path, feed);
    const finish = async (): Promise<void> => {
      await feed.finish();
      this.#feeds.delete(real_path);
    };
    return { finish, stop: () => feed.stop() };
  }
}
