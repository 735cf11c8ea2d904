import { type FSWatcher, statSync, watch } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LogboomError, systemCode } from '../../../errors.ts';
import { LIMITS } from '../../../limits.ts';
import type { ContainerDocuments } from './parse-container.ts';

/** Docker's `containers` folder, as the registry sees it: each method is an edge that tests can replace. */
export interface ContainerFolders {
  /** The ids of all folders. Rejects when the folder of all cannot be read. */
  ids(): Promise<string[]>;
  /** Changes whenever the container's configuration was written; undefined: there is none (yet, or any more). Throws when it cannot be told. */
  stamp(id: string): string | undefined;
  /** Rejects when a file cannot be read. */
  read(id: string): Promise<ContainerDocuments>;
  /** Calls `onChange` when folders come or go, for as long as the system can tell; it may not. Returns the way to stop it. */
  watch(onChange: () => void): () => void;
}

const ID = /^[0-9a-f]{64}$/;

/** Whether a text is a container's full id, and so safe as the name of a folder. */
export function isContainerId(text: string): boolean {
  return ID.test(text);
}

export class DiskContainerFolders implements ContainerFolders {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async ids(): Promise<string[]> {
    return (await readdir(this.#directory)).filter(isContainerId);
  }

  /**
   * Docker writes both files anew, by rename, whenever a state changes; one of them tells.
   * Synchronous: of 200 idle containers' files this costs 1 ms of CPU a rescan, and 7 to
   * 20 ms through the thread pool.
   */
  stamp(id: string): string | undefined {
    try {
      const found = statSync(this.#file(id, 'config.v2.json'), { throwIfNoEntry: false });
      return found && `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
    } catch (error) {
      // The folder went away, and something else has its name.
      if (systemCode(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  async read(id: string): Promise<ContainerDocuments> {
    return {
      directory: join(this.#directory, id),
      id,
      config_json: await readText(this.#file(id, 'config.v2.json')),
      // Docker writes it second: without it a new container is not complete.
      hostconfig_json: await readText(this.#file(id, 'hostconfig.json')),
    };
  }

  watch(onChange: () => void): () => void {
    let watcher: FSWatcher;
    try {
      // Not recursive: within the folders, every log line would be an event.
      watcher = watch(this.#directory, { persistent: false }, onChange);
    } catch {
      // No inotify, or none left: rescans find everything, only later.
      return () => {};
    }
    watcher.on('error', () => {
      watcher.close();
    });
    return () => {
      watcher.close();
    };
  }

  #file(id: string, name: string): string {
    // Not `join`: it costs more than the look at the file.
    return `${this.#directory}/${id}/${name}`;
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > LIMITS.container_config_max_bytes) {
      throw new LogboomError(
        'LB_DOCKER',
        `expected at most ${LIMITS.container_config_max_bytes} bytes, found ${size}`,
        { where: path },
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
