import { resolve } from 'node:path';
import { engineSocket } from '../schema/names.ts';
import type { ConfigDocument } from '../schema.ts';
import type { ContainerPatternConfig, DockerConfig } from '../types.ts';
import { withoutUndefined } from './optional.ts';

type DockerDocument = ConfigDocument['docker'];

export function resolveDocker(docker: DockerDocument, cwd: string): DockerConfig {
  const { addresses, hostname, start_at, tag, sub_second, labels, env } = docker;
  return {
    root: docker.root === 'off' ? undefined : resolve(cwd, docker.root),
    api_socket: docker.api === 'off' ? undefined : engineSocket(docker.api),
    addresses,
    hostname,
    start_at,
    tag,
    sub_second,
    labels,
    env,
    ecs: docker.ecs === 'auto',
    include: docker.include.map(resolvePattern),
    exclude: docker.exclude.map(resolvePattern),
    forget_after_ms: docker.forget_after,
  };
}

function resolvePattern(pattern: DockerDocument['include'][number]): ContainerPatternConfig {
  return withoutUndefined(pattern);
}
