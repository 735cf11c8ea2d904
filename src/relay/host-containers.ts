import type { DockerConfig } from '../config/types.ts';
import { ApiRegistry } from '../inputs/docker/api/api-registry.ts';
import { unixEndpoint } from '../inputs/docker/api/endpoint.ts';
import { EngineApi } from '../inputs/docker/api/engine-api.ts';
import { ownContainer } from '../inputs/docker/own-container.ts';
import { DiskContainerFolders } from '../inputs/docker/registry/container-folders.ts';
import { findContainers } from '../inputs/docker/registry/find-containers.ts';
import { ContainerRegistry } from '../inputs/docker/registry/registry.ts';
import type { Container, ContainerSource } from '../inputs/docker/types.ts';
import type { Clock } from '../sys/clock.ts';
import type { Log } from '../sys/log.ts';

/** The containers of this host, kept current, and the Engine if it may be asked. */
export interface HostContainers {
  readonly source: ContainerSource;
  readonly engine: EngineApi | undefined;
  /** The one that logboom runs in. */
  readonly own_id: string | undefined;
  close(): Promise<void>;
}

/**
 * From Docker's files, which are the truth, with the Engine's events only hinting at what
 * has changed in them; from the Engine alone where files are not read; undefined where
 * neither is wanted.
 *
 * @throws LB_DOCKER if there is no Docker where the configuration says
 */
export async function openHostContainers(
  { root, api_socket }: DockerConfig,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<HostContainers | undefined> {
  const files = root === undefined ? undefined : await openFiles(root, deps);
  const engine =
    api_socket === undefined ? undefined : new EngineApi(unixEndpoint(api_socket), deps.clock);
  const told = engine === undefined ? undefined : new ApiRegistry({ api: engine, ...deps });
  const source = files ?? told;
  if (source === undefined) return undefined;
  if (files !== undefined) told?.subscribe(lookingAgain(files));
  const started = told?.start();
  // With files nothing waits for the Engine, which may be slow or away.
  if (files === undefined) await started;
  const own_id = await ownContainer(source.all().map(({ id }) => id));
  const close = async (): Promise<void> => {
    await Promise.all([files?.close(), told?.stop()]);
  };
  return { source, engine, own_id, close };
}

async function openFiles(
  root: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<ContainerRegistry> {
  const found = await findContainers(root);
  log.info({ ...found }, "found Docker's containers");
  const folders = new DiskContainerFolders(found.directory);
  const registry = new ContainerRegistry({ folders, clock, log });
  await registry.start();
  return registry;
}

function lookingAgain(files: ContainerRegistry) {
  const look = ({ id }: Container): void => {
    // It never rejects.
    void files.rescan(id);
  };
  return { added: look, changed: look, removed: look };
}
