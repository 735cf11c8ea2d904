import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Processes that were killed just now may still be writing. */
const REMOVE = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 } as const;

/** The bench's own folder: everything it writes is in it, and goes with it, also on Ctrl-C. */
export class Workspace {
  readonly path: string;
  readonly #removeNow = (): void => rmSync(this.path, REMOVE);

  constructor(parent = tmpdir()) {
    this.path = mkdtempSync(join(resolve(parent), 'logboom-bench-'));
    process.once('exit', this.#removeNow);
  }

  /** Gives `use` an empty folder, and removes it. */
  async within<T>(use: (directory: string) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(this.path, 'run-'));
    try {
      return await use(directory);
    } finally {
      await rm(directory, REMOVE);
    }
  }

  async remove(): Promise<void> {
    process.off('exit', this.#removeNow);
    await rm(this.path, REMOVE);
  }
}
