import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../process.ts';
import { tempDir } from '../temp-dir.ts';
import { tarOf } from './image.ts';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
/** The journal is locked through it; util-linux, which every Debian has. */
const FLOCK = '/usr/bin/flock';
/** Where the image has the build. */
export const APP_DIR = '/app';

/** A tar for `docker import`: the build, what it needs at run time, this machine's node and its libraries. */
export async function relayImageTar(): Promise<Buffer> {
  const root = await tempDir('relay-image');
  try {
    const parts = ['dist', 'package.json', ...(await productionModules())];
    for (const part of parts) await copy(join(REPOSITORY, part), join(root.path, APP_DIR, part));
    for (const program of [process.execPath, FLOCK]) {
      for (const file of [program, ...(await librariesOf(program))]) {
        await copy(file, join(root.path, file));
      }
    }
    return await tarOf(root.path);
  } finally {
    await root.remove();
  }
}

/** Folders of the packages that are not for development alone. */
async function productionModules(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([path, { dev, devOptional, optional }]) =>
    path === '' || dev || devOptional || optional ? [] : [path],
  );
}

/** Shared libraries and the loader, as ldd names them. */
async function librariesOf(program: string): Promise<string[]> {
  const listing = await run('ldd', [program]);
  return [...listing.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file ?? '');
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, dereference: true });
}
