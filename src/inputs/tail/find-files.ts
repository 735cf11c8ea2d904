import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { compilePathGlob, type GlobPart, matchesPath, type PathGlob } from './path-glob.ts';

/** Folders below a `**`; links to folders are not followed there, so there are no circles. */
const DEPTH_MAX = 32;

/** Which files are meant; compiled once. */
export class FilePatterns {
  readonly #wanted: readonly PathGlob[];
  readonly #unwanted: readonly PathGlob[];

  constructor(paths: readonly string[], exclude: readonly string[]) {
    this.#wanted = paths.map(compilePathGlob);
    this.#unwanted = exclude.map(compilePathGlob);
  }

  /**
   * The paths of all files, and of links that lead to one, that are there now; sorted, each
   * once. A folder that is gone or cannot be read is passed over, and given to `onUnreadable`
   * unless it is only not there.
   */
  async find(onUnreadable: (folder: string, error: unknown) => void): Promise<string[]> {
    const found = new Set<string>();
    const walk = new Walk(found, onUnreadable);
    for (const { base, parts } of this.#wanted) await walk.descend(base, parts, 0);
    const kept = [...found].filter(
      (path) => !this.#unwanted.some((glob) => matchesPath(glob, path)),
    );
    return kept.toSorted();
  }
}

class Walk {
  readonly #found: Set<string>;
  readonly #onUnreadable: (folder: string, error: unknown) => void;

  constructor(found: Set<string>, onUnreadable: (folder: string, error: unknown) => void) {
    this.#found = found;
    this.#onUnreadable = onUnreadable;
  }

  async descend(folder: string, parts: readonly GlobPart[], depth: number): Promise<void> {
    const [part, ...behind] = parts;
    if (part === undefined || depth > DEPTH_MAX) return;
    if (part === '**') {
      await this.descend(folder, behind.length === 0 ? [/^(?!\.)/] : behind, depth);
    }
    for (const entry of await this.#entries(folder)) {
      const path = join(folder, entry.name);
      if (part === '**') {
        if (entry.isDirectory() && !entry.name.startsWith('.')) {
          await this.descend(path, parts, depth + 1);
        }
      } else if (part.test(entry.name)) {
        await this.#step(path, entry, behind, depth);
      }
    }
  }

  async #step(
    path: string,
    entry: Dirent,
    behind: readonly GlobPart[],
    depth: number,
  ): Promise<void> {
    const kind = await kindOf(path, entry);
    if (behind.length > 0) {
      if (kind === 'folder') await this.descend(path, behind, depth + 1);
    } else if (kind === 'file') {
      this.#found.add(path);
    }
  }

  async #entries(folder: string): Promise<Dirent[]> {
    try {
      return await readdir(folder, { withFileTypes: true });
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#onUnreadable(folder, error);
      return [];
    }
  }
}

/** What is at the path, through links; undefined for what is neither, or is gone. */
async function kindOf(path: string, entry: Dirent): Promise<'file' | 'folder' | undefined> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return undefined;
  try {
    const target = await stat(path);
    if (target.isFile()) return 'file';
    return target.isDirectory() ? 'folder' : undefined;
  } catch {
    // kubelet leaves dead links for a while (formats.md 7.2).
    return undefined;
  }
}
