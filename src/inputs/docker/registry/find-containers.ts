import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LogboomError, messageOf, systemCode } from '../../../errors.ts';
import { isContainerId } from './container-folders.ts';

/** What stands behind `docker.root`. */
export interface FoundContainers {
  /** The folder with one folder for each container. */
  readonly directory: string;
  readonly given: 'data root' | 'containers folder';
  /** Containers in it now. */
  readonly count: number;
}

/**
 * Takes the Engine's data root or its `containers` folder. Throws LB_DOCKER, saying what
 * was found instead; with user namespaces it names the folder that was meant.
 */
export async function findContainers(root: string): Promise<FoundContainers> {
  const names = await namesIn(root);
  if (names.includes('containers')) {
    const directory = join(root, 'containers');
    return { directory, given: 'data root', count: countIds(await namesIn(directory)) };
  }
  const count = countIds(names);
  if (count > 0 || basename(root) === 'containers') {
    return { directory: root, given: 'containers folder', count };
  }
  const remapped = names.find((name) => /^\d+\.\d+$/.test(name));
  const found = names.length === 0 ? 'an empty folder' : names.slice(0, 5).join(', ');
  throw new LogboomError(
    'LB_DOCKER',
    `expected Docker's data root or its containers folder, found ${found}`,
    {
      where: root,
      hint:
        remapped === undefined
          ? '`docker info` shows the data root as "Docker Root Dir".'
          : `This Engine uses user namespaces: did you mean ${join(root, remapped)}?`,
    },
  );
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    throw new LogboomError('LB_DOCKER', `cannot be read: ${messageOf(cause)}`, {
      where: directory,
      hint:
        systemCode(cause) === 'ENOENT'
          ? 'Is Docker installed here? In a container, mount the folder into it.'
          : 'The folder belongs to root: run logboom as root, or in a group that may read it.',
      cause,
    });
  }
}

function countIds(names: readonly string[]): number {
  return names.filter(isContainerId).length;
}
