import { basename } from 'node:path';
import { messageOf, systemCode } from '../../errors.ts';
import type { Log } from '../../sys/log.ts';
import type { FilePatterns } from './find-files.ts';
import { describe, findPlace, isLiveName, type TailFile } from './tail-file.ts';

/** Between kubelet's rename and the runtime's reopening there is no live file (formats.md 7.2). */
const MISSES_MAX = 3;

/** What one look around has changed. */
export interface Found {
  readonly added: readonly TailFile[];
  /** Gone for several looks in a row; what is open can be read to its end. */
  readonly removed: readonly TailFile[];
}

interface Known {
  readonly file: TailFile;
  misses: number;
}

/**
 * The logs that patterns mean, looked for again and again: folders are read, never watched,
 * since a watch says nothing about links, mounts and folders that are yet to come.
 *
 * One file is one log, also when it is found by several paths. What cannot be told or read
 * is said once, and looked at again each time.
 */
export class Discovery {
  readonly #patterns: FilePatterns;
  readonly #log: Log;
  readonly #known = new Map<string, Known>();
  /** What could not be read when it was last looked at. */
  #troubles = new Set<string>();

  constructor(patterns: FilePatterns, log: Log) {
    this.#patterns = patterns;
    this.#log = log;
  }

  /** Looks around once. Calls must not overlap. */
  async look(): Promise<Found> {
    const troubles = new Set<string>();
    const trouble = (path: string, error: unknown): void => {
      troubles.add(path);
      if (this.#troubles.has(path)) return;
      this.#log.warn({ path, error: messageOf(error) }, 'a path of inputs.tail cannot be read');
    };
    const seen = new Set<string>();
    const added: TailFile[] = [];
    for (const path of await this.#patterns.find(trouble)) {
      if (!isLiveName(basename(path))) continue;
      const file = await this.#lookAt(path, seen).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') trouble(path, error);
      });
      if (file !== undefined) added.push(file);
    }
    this.#troubles = troubles;
    return { added, removed: this.#missing(seen) };
  }

  /** The log at a path, if it is one that nobody knew. */
  async #lookAt(path: string, seen: Set<string>): Promise<TailFile | undefined> {
    const place = await findPlace(path);
    const { real_path } = place;
    if (seen.has(real_path)) return undefined;
    seen.add(real_path);
    if (this.#known.has(real_path)) return undefined;
    const file = await describe(place);
    if (file !== undefined) this.#known.set(real_path, { file, misses: 0 });
    return file;
  }

  #missing(seen: ReadonlySet<string>): TailFile[] {
    const removed: TailFile[] = [];
    for (const [real_path, known] of this.#known) {
      known.misses = seen.has(real_path) ? 0 : known.misses + 1;
      if (known.misses < MISSES_MAX) continue;
      this.#known.delete(real_path);
      removed.push(known.file);
    }
    return removed;
  }
}
