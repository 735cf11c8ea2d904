import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contestant, Task } from './contestant.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url));
const JOURNAL_MAX_BYTES = 32 * 1024 ** 3;

/** The built relay. */
export function logboom(): Contestant {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  return {
    name: 'logboom',
    about: `logboom ${version}: defaults (fdatasync before each ack, acks upstream); journal.max_size raised, no status page, retry.max 1s`,
    speaks: 'forward',
    follows: true,
    says_ready: '"running"',
    async command(task) {
      const file = join(task.directory, 'logboom.yaml');
      await writeFile(file, configuration(task));
      const profiling =
        task.profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${task.profiles}`];
      return { file: process.execPath, args: [...profiling, CLI, 'run', '--config', file] };
    },
  };
}

/** JSON, which is YAML as well. */
function configuration(task: Task): string {
  const { directory, port, upstream_port, syncs = true, containers } = task;
  const max_bytes = task.journal_max_bytes ?? JOURNAL_MAX_BYTES;
  return JSON.stringify({
    inputs: { forward: [{ listen: `tcp://127.0.0.1:${port}` }] },
    docker: { root: containers ?? 'off', start_at: 'oldest' },
    journal: {
      dir: join(directory, 'journal'),
      max_size: `${max_bytes}B`,
      sync: syncs ? 'commit' : 'os',
    },
    outputs: {
      upstream: {
        type: 'forward',
        servers: [{ url: `tcp://127.0.0.1:${upstream_port}` }],
        retry: { max: '1s' },
        start_at: 'oldest',
      },
    },
    status: { listen: 'off' },
    log: { level: 'info', format: 'json' },
  });
}
