import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

/** What the figures were measured on. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores_count: number;
  readonly memory_mib: number;
  readonly kernel: string;
  readonly node: string;
  /** Device and file system of the folder that is written to. */
  readonly disk: string;
}

export function describeMachine(directory: string): Machine {
  const all = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: all[0]?.model.trim() || `unknown ${arch()} processor`,
    cores_count: all.length,
    memory_mib: Math.round(totalmem() / 1024 ** 2),
    // Without what whoever built it has added.
    kernel: `${type()} ${release().replace(/-.*/, '')}`,
    node: process.version,
    disk: diskOf(join(directory, '/'), readFileSync('/proc/mounts', 'utf8')),
  };
}

/** The mount with the longest path that the folder is under: `/dev/vda ext4`. Pure. */
export function diskOf(directory: string, mounts: string): string {
  let best = { path: '', disk: 'unknown' };
  for (const line of mounts.split('\n')) {
    const [device = '', path = '', kind = ''] = line.split(' ');
    const is_above = path === '/' || directory.startsWith(`${path}/`);
    if (path !== '' && is_above && path.length >= best.path.length) {
      best = { path, disk: `${device} ${kind}` };
    }
  }
  return best.disk;
}

export function machineText(machine: Machine): string {
  const { date, cpu, cores_count, memory_mib, kernel, node, disk } = machine;
  const memory_gib = (memory_mib / 1024).toFixed(1);
  const note = / (tmpfs|ramfs)$/.test(disk)
    ? ' (in memory: fdatasync costs nothing here; see --dir)'
    : '';
  return `${date}; ${cpu}, ${cores_count} cores, ${memory_gib} GiB; ${kernel}; Node.js ${node}; ${disk}${note}`;
}
