import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contestant, Task } from './contestant.ts';

/** Fluent Bit with settings that make it look its best. It never syncs before it acks. */
export function fluentBit(version: string): Contestant {
  return {
    name: 'fluent-bit',
    about: `${version}: filesystem storage, storage.sync normal, checksum off, out_forward workers 2, require_ack_response, scheduler.base 1, cap 2, no retry limit; no sync`,
    speaks: 'forward',
    follows: true,
    async command(task) {
      const file = join(task.directory, 'fluent-bit.conf');
      const parsers = join(task.directory, 'parsers.conf');
      await writeFile(parsers, PARSERS);
      await writeFile(file, configuration(task, parsers));
      return { file: 'fluent-bit', args: ['--config', file] };
    },
  };
}

const PARSERS = `
[PARSER]
    name        docker
    format      json
    time_key    time
    time_format %Y-%m-%dT%H:%M:%S.%L
`;

function configuration(task: Task, parsers: string): string {
  const { directory, port, upstream_port, containers } = task;
  return `
[SERVICE]
    flush                     1
    grace                     1
    log_level                 warn
    parsers_file              ${parsers}
    storage.path              ${directory}/storage
    storage.sync              normal
    storage.checksum          off
    storage.max_chunks_up     128
    scheduler.base            1
    scheduler.cap             2
[INPUT]
    name                      forward
    listen                    127.0.0.1
    port                      ${port}
    buffer_chunk_size         1M
    buffer_max_size           6M
    storage.type              filesystem
${containers === undefined ? '' : tail(containers, directory)}
[OUTPUT]
    name                      forward
    match                     *
    host                      127.0.0.1
    port                      ${upstream_port}
    require_ack_response      true
    send_options              true
    workers                   2
    retry_limit               no_limits
`;
}

function tail(containers: string, directory: string): string {
  return `
[INPUT]
    name                      tail
    path                      ${containers}/*/*-json.log
    parser                    docker
    tag                       docker.*
    db                        ${directory}/tail.db
    read_from_head            true
    refresh_interval          1
    storage.type              filesystem
`;
}
