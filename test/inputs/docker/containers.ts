import type { Container } from '../../../src/inputs/docker/types.ts';

export const CONTAINER_ID = '4f1a2b3c4d5e6f708192a3b4c5d6e7f80112233445566778899aabbccddeeff0';

/** A container as the registry would show it, with whatever a test wants to be different. */
export function containerWith(fields: Partial<Container> = {}): Container {
  return {
    id: CONTAINER_ID,
    name: 'web',
    image_name: 'registry.example:5000/team/web:1.25',
    image_id: 'sha256:a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccddeeff00',
    labels: {},
    env: [],
    hostname: '4f1a2b3c4d5e',
    command: ['/bin/sh', '-c', 'echo hi'],
    tty: false,
    log_driver: 'fluentd',
    log_options: {},
    created_ms: 1_795_413_600_000,
    started_ms: 1_795_413_601_000,
    running: true,
    directory: `/var/lib/docker/containers/${CONTAINER_ID}`,
    log_path: '',
    ...fields,
  };
}
