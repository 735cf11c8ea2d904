import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DEFAULT_DRIVER_ADDRESS } from '../../config/docker-address.ts';
import type { DockerConfig } from '../../config/types.ts';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import { identityOf } from '../../inputs/docker/identity/identity.ts';
import { ownContainer } from '../../inputs/docker/own-container.ts';
import { DiskContainerFolders } from '../../inputs/docker/registry/container-folders.ts';
import { parseContainer } from '../../inputs/docker/registry/parse-container.ts';
import type { RelayAddresses } from '../../inputs/docker/relay-addresses.ts';
import { select } from '../../inputs/docker/selection.ts';
import type { Container } from '../../inputs/docker/types.ts';
import { rotationOf } from '../../status/doctor/driver-options.ts';
import type { ContainerFacts } from '../../status/doctor/facts.ts';
import { type LogFile, rateOf } from '../../status/doctor/rate.ts';

export interface FoundContainers {
  readonly containers: readonly ContainerFacts[];
  /** Those that could not be looked at, and why; for a person. */
  readonly unseen: readonly string[];
}

/** What the files in Docker's `containers` folder say of those that this relay is there for. */
export async function lookAtContainers(
  directory: string,
  config: DockerConfig,
  addresses: RelayAddresses,
): Promise<FoundContainers> {
  const folders = new DiskContainerFolders(directory);
  const ids = await folders.ids();
  const own_id = await ownContainer(ids);
  const containers: ContainerFacts[] = [];
  const unseen: string[] = [];
  for (const id of ids) {
    let container: Container;
    try {
      container = parseContainer(await folders.read(id));
    } catch (error) {
      // It was removed just now, or is not complete yet.
      if (systemCode(error) !== 'ENOENT') unseen.push(`${id.slice(0, 12)}: ${messageOf(error)}`);
      continue;
    }
    const is_fluentd = container.log_driver === 'fluentd';
    const verdict = select(container, { ...config, own_id });
    if (container.id === own_id || (!is_fluentd && !verdict.read)) continue;
    containers.push(await factsOf(container, config, addresses));
  }
  return { containers, unseen };
}

async function factsOf(
  container: Container,
  config: DockerConfig,
  addresses: RelayAddresses,
): Promise<ContainerFacts> {
  const { log_driver, log_options } = container;
  const is_fluentd = log_driver === 'fluentd';
  const address = log_options['fluentd-address'] || DEFAULT_DRIVER_ADDRESS;
  const { files, unreadable } = await logFiles(container);
  return {
    container,
    sends_here: is_fluentd && addresses.include(address),
    rate: rateOf(files, container.created_ms, rotationOf(log_driver, log_options)),
    unreadable,
    tag_problem: tagProblem(container, config),
  };
}

function tagProblem(container: Container, config: DockerConfig): string | undefined {
  try {
    identityOf(container, { ...config, host_name: config.hostname ?? hostname() });
    return undefined;
  } catch (error) {
    if (error instanceof LogboomError) return error.message;
    throw error;
  }
}

interface FoundFiles {
  readonly files: readonly LogFile[];
  readonly unreadable: string | undefined;
}

/** A log without any file has nothing to be read yet. */
async function logFiles(container: Container): Promise<FoundFiles> {
  const live = livePath(container);
  if (live === undefined) return { files: [], unreadable: undefined };
  const by_generation = new Map<number, LogFile>();
  try {
    for (const name of await readdir(dirname(live))) {
      const generation = generationOf(name, basename(live));
      if (generation === undefined) continue;
      const is_compressed = name.endsWith('.gz');
      // While Docker compresses a file, both are there, and the compressed one is not whole.
      if (is_compressed && by_generation.has(generation)) continue;
      const path = join(dirname(live), name);
      const { size, mtimeMs } = await stat(path);
      await access(path, constants.R_OK);
      by_generation.set(generation, {
        generation,
        bytes: size,
        modified_ms: mtimeMs,
        is_compressed,
      });
    }
  } catch (error) {
    const is_gone = systemCode(error) === 'ENOENT';
    return { files: [], unreadable: is_gone ? undefined : messageOf(error) };
  }
  return { files: [...by_generation.values()], unreadable: undefined };
}

/** Where the live log, or cache, of a container is (formats.md 4.3). */
function livePath({ directory, id, log_driver }: Container): string | undefined {
  if (directory === undefined) return undefined;
  switch (log_driver) {
    case 'json-file':
      return join(directory, `${id}-json.log`);
    case 'local':
      return join(directory, 'local-logs', 'container.log');
    case 'fluentd':
      return join(directory, 'container-cached.log');
    default:
      return undefined;
  }
}

function generationOf(name: string, live_name: string): number | undefined {
  if (name === live_name) return 0;
  if (!name.startsWith(`${live_name}.`)) return undefined;
  const [, digits] = /^(\d+)(?:\.gz)?$/.exec(name.slice(live_name.length + 1)) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
