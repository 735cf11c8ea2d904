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
    const tar = spawn('tar', ['-C', root.path, '-cf', '-', '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return await buffer(tar.stdout);
  } finally {
    await root.remove();
  }
}

export interface LineWriter {
  readonly lines: number;
  /** Lines a second on stdout, about. */
  readonly rate: number;
  /** One line on stderr after so many on stdout; none if not given. */
  readonly stderr_every?: number;
  readonly pad_bytes?: number;
  /** Every so many lines on stdout, one is `long_bytes` long. */
  readonly long_every?: number;
  readonly long_bytes?: number;
  /** How long the container stays alive after its last line. */
  readonly linger_s?: number;
}

/** The command that writes these lines inside a container; documented in line-writer.awk. */
export function lineWriterCommand(name: string, writer: LineWriter): string[] {
  const variables = {
    name,
    lines: writer.lines,
    rate: writer.rate,
    stderr_every: writer.stderr_every ?? 0,
    pad: writer.pad_bytes ?? 0,
    long_every: writer.long_every ?? 0,
    long_bytes: writer.long_bytes ?? 0,
    linger_s: writer.linger_s ?? 0,
  };
  const assignments = Object.entries(variables).flatMap(([key, value]) => [
    '-v',
    `${key}=${value}`,
  ]);
  return ['/bin/awk', ...assignments, '-f', '/line-writer.awk'];
}

/** How many lines the writer writes on each stream. */
export function linesWritten(writer: LineWriter): { stdout: number; stderr: number } {
  const every = writer.stderr_every ?? 0;
  return { stdout: writer.lines, stderr: every > 0 ? Math.floor(writer.lines / every) : 0 };
}
