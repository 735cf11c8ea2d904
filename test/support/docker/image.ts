import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../temp-dir.ts';

/** Where Debian's busybox-static puts the program. */
const BUSYBOX_PATHS = ['/bin/busybox', '/usr/bin/busybox'];
const APPLETS = ['sh', 'sleep', 'usleep', 'awk', 'cat', 'printf', 'seq', 'date'];

const LINE_WRITER = fileURLToPath(new URL('./line-writer.awk', import.meta.url));

export function findBusybox(): string | undefined {
  return BUSYBOX_PATHS.find((path) => existsSync(path));
}

/** A tar for `docker import`: a static busybox and the line writer, nothing else. */
export async function imageTar(): Promise<Buffer> {
  const busybox = findBusybox();
  if (busybox === undefined) throw new Error(`no busybox at ${BUSYBOX_PATHS.join(' or ')}`);
  const root = await tempDir('image');
  try {
    const bin = join(root.path, 'bin');
    await mkdir(bin);
    await mkdir(join(root.path, 'tmp'));
    await copyFile(busybox, join(bin, 'busybox'));
    for (const applet of APPLETS) await symlink('busybox', join(bin, applet));
    await copyFile(LINE_WRITER, join(root.path, 'line-writer.awk'));
    return await tarOf(root.path);
  } finally {
    await root.remove();
  }
}

/** A folder as a tar, in memory. */
export async function tarOf(dir: string): Promise<Buffer> {
  const tar = spawn('tar', ['-C', dir, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return buffer(tar.stdout);
}
