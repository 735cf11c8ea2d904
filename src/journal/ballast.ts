import { type FileSystem, writeFully } from '../sys/fs.ts';

/** Takes a segment header, its snapshot and a commit. */
const BALLAST_BYTES = 1024 * 1024;

/**
 * A file that only takes room. On a full disk it is thrown away, and a new
 * segment with a snapshot takes its place; then the segments before that one can
 * be deleted as their cursors move on. Without it, a journal whose last segment
 * filled the disk to the last block could never leave that segment.
 */
export class Ballast {
  readonly #fs: FileSystem;
  readonly #path: string;
  #present = false;

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.#path = path;
  }

  /** Makes sure of the ballast if there is room; no room is no error. */
  async load(): Promise<void> {
    if (this.#present) return;
    try {
      const file = await this.#fs.open(this.#path, 'edit_or_create');
      try {
        if ((await file.stat()).bytes < BALLAST_BYTES) {
          await writeFully(file, [Buffer.alloc(BALLAST_BYTES)], 0);
          await file.datasync();
        }
      } finally {
        await file.close();
      }
      this.#present = true;
    } catch {
      await this.#fs.remove(this.#path).catch(() => {});
    }
  }

  /** Gives its room away. False: there was none to give. */
  async release(): Promise<boolean> {
    if (!this.#present) return false;
    this.#present = false;
    await this.#fs.remove(this.#path);
    return true;
  }
}
