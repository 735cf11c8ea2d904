import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { run } from '../process.ts';

/**
 * Ends what a daemon that had to be killed leaves behind: its containerd and shims, which
 * are known by the Engine's own folder in their arguments.
 */
export async function killLeftovers(root: string): Promise<void> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const [program = '', ...args] = command.split('\0');
    const is_ours = args.some((arg) => arg.startsWith(`${root}/`));
    if (!is_ours || !basename(program).startsWith('containerd')) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

export async function unmountBelow(root: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${root}/`));
  // Deepest first.
  for (const path of mounts.toSorted().toReversed()) await run('umount', ['-l', path]);
}
