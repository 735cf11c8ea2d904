import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contestant, Task } from './contestant.ts';

/** Fluentd with settings that make it look its best. It never syncs before it acks. */
export function fluentd(version: string): Contestant {
  return {
    name: 'fluentd',
    about: `${version}: one process, file buffer, chunk_limit_size 8m, flush_interval 1, flush_thread_count 8, flush_thread_interval 0.1, flush_thread_burst_interval 0.01, keepalive, require_ack_response; no sync`,
    speaks: 'forward',
    follows: true,
    async command(task) {
      const file = join(task.directory, 'fluentd.conf');
      await writeFile(file, configuration(task));
      const args = ['--no-supervisor', '--config', file, '--quiet'];
      // Without it Ruby asks for the time zone's file again and again.
      return { file: 'fluentd', args, env: { TZ: 'UTC' } };
    },
  };
}

/**
 * Times below a second go without a unit: Fluentd reads `0.5s` as 5 s. With the defaults of its
 * flush threads, a chunk a second each, 1,000 tags would take minutes; even so a chunk takes
 * a thread 40 ms, since it is written in pieces without TCP_NODELAY.
 */
function configuration({ directory, port, upstream_port, containers }: Task): string {
  return `
<source>
  @type forward
  bind 127.0.0.1
  port ${port}
</source>
${containers === undefined ? '' : tail(containers, directory)}
<match **>
  @type forward
  require_ack_response true
  ack_response_timeout 60
  keepalive true
  heartbeat_type none
  recover_wait 1s
  <server>
    host 127.0.0.1
    port ${upstream_port}
  </server>
  <buffer tag>
    @type file
    path ${directory}/buffer
    chunk_limit_size 8m
    total_limit_size 32g
    flush_mode interval
    flush_interval 1
    flush_thread_count 8
    flush_thread_interval 0.1
    flush_thread_burst_interval 0.01
    retry_forever true
    retry_max_interval 1s
    overflow_action block
  </buffer>
</match>
`;
}

function tail(containers: string, directory: string): string {
  return `
<source>
  @type tail
  path ${containers}/*/*-json.log
  pos_file ${directory}/tail.pos
  tag docker.*
  read_from_head true
  refresh_interval 1s
  <parse>
    @type json
    time_key time
    time_type string
    time_format %Y-%m-%dT%H:%M:%S.%NZ
  </parse>
</source>
`;
}
