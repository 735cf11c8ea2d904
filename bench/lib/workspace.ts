import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The bench's own folder: everything it writes is in it, and goes with it, also on Ctrl-C. */
export class Workspace {
  readonly path: string;
  readonly #removeNow = (): void => rmSync(this.path, { recursive: true, force: true });

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
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async remove(): Promise<void> {
    process.off('exit', this.#removeNow);
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}
