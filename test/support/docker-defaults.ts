import type { DockerConfig } from '../../src/config/types.ts';

/** The docker section of a configuration that has none. */
export const DOCKER_DEFAULTS: DockerConfig = {
  root: undefined,
  api_socket: undefined,
  addresses: [],
  hostname: undefined,
  start_at: 'newest',
  tag: '{{.ID}}',
  sub_second: true,
  labels: [],
  env: [],
  ecs: false,
  include: [],
  exclude: [],
  forget_after_ms: 86_400_000,
};
