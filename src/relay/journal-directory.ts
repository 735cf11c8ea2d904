import { rm, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LogboomError, systemCode } from '../errors.ts';
import { DirectoryLock, readLockNote } from '../journal/identity.ts';
import { inspectLog } from '../journal/inspect.ts';
import { nodeFs } from '../sys/fs.ts';

/** The journal's directory as a start finds it, and what it leaves if it fails. */
export class JournalDirectory {
  readonly #path: string;
  /** Folders that are not there yet: the journal's own first, then those above it. */
  readonly #missing: readonly string[];

  private constructor(path: string, missing: readonly string[]) {
    this.#path = path;
    this.#missing = missing;
  }

  static async look(path: string): Promise<JournalDirectory> {
    const missing: string[] = [];
    for (let at = path; await isMissing(at); at = dirname(at)) missing.push(at);
    return new JournalDirectory(path, missing);
  }

  /**
   * Rejects as `opening` does, unless another process owns the journal: the other one that
   * has a port is most often the one that has the journal, and that says more.
   */
  async sayFirst(opening: Promise<void>): Promise<void> {
    try {
      await opening;
    } catch (error) {
      await this.#assertFree();
      throw error;
    }
  }

  /** Takes the lock for a moment. @throws LB_JOURNAL_LOCKED, naming its owner, if another process has it */
  async #assertFree(): Promise<void> {
    if ((await readLockNote(nodeFs, this.#path)) === undefined) return; // never owned
    try {
      const lock = await DirectoryLock.acquire(nodeFs, this.#path);
      await lock.release();
    } catch (error) {
      if (error instanceof LogboomError) throw error;
      // That it cannot be opened is for the journal to say.
    }
  }

  /**
   * Takes away what this start made, once the journal is closed, if no event is in it. The
   * lock is held meanwhile: nobody else's journal is deleted.
   */
  async takeBack(): Promise<void> {
    if (this.#missing.length === 0 || (await isMissing(this.#path))) return;
    const lock = await DirectoryLock.acquire(nodeFs, this.#path);
    try {
      if (await holdsEvents(this.#path)) return;
      await rm(this.#path, { recursive: true });
    } finally {
      await lock.release();
    }
    // One that somebody else has a use for by now is not empty, and stays.
    for (const above of this.#missing.slice(1)) await rmdir(above);
  }
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}

async function holdsEvents(directory: string): Promise<boolean> {
  for await (const { type } of inspectLog(directory, { bodies: false })) {
    if (type === 'record' || type === 'corruption') return true;
  }
  return false;
}
