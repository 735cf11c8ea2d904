import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process.ts';
import { tempDir } from '../temp-dir.ts';

/** Debian's release after the one that these tests run on. */
const NEXT_RELEASE = 'trixie';
/** Its runc needs a newer C library than this machine's; the machine's own runc serves both Engines. */
const PACKAGES = ['docker.io', 'containerd'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const UNPACKED = join(tmpdir(), `logboom-docker-${NEXT_RELEASE}`);

/** A daemon and the PATH in which it finds its containerd. */
export interface DockerProgram {
  readonly dockerd: string;
  readonly path_env: string;
}

/**
 * The Docker Engine of Debian's next release, unpacked into a folder of its own and not
 * installed. apt fetches and verifies it from the mirror that this machine's own sources
 * name, with lists and caches of their own; it is fetched once.
 */
export async function newerDocker(): Promise<DockerProgram> {
  if (!existsSync(UNPACKED)) await unpack();
  const folders = ['usr/sbin', 'usr/bin'].map((folder) => join(UNPACKED, folder));
  return {
    dockerd: join(UNPACKED, 'usr/sbin/dockerd'),
    path_env: [...folders, process.env['PATH']].join(':'),
  };
}

async function unpack(): Promise<void> {
  const work = await tempDir('newer-docker');
  try {
    await download(work.path);
    const root = join(work.path, 'root');
    await mkdir(root);
    for (const file of await readdir(work.path)) {
      if (file.endsWith('.deb')) await run('dpkg', ['-x', join(work.path, file), root]);
    }
    // Another suite may have been faster.
    await rename(root, UNPACKED).catch((error: unknown) => {
      if (!existsSync(UNPACKED)) throw error;
    });
  } finally {
    await work.remove();
  }
}

async function download(dir: string): Promise<void> {
  const mirror = await debianMirror();
  const sources = join(dir, 'sources.list');
  await writeFile(sources, `deb [signed-by=${KEYRING}] ${mirror} ${NEXT_RELEASE} main\n`);
  for (const folder of ['parts', 'lists', 'cache']) await mkdir(join(dir, folder));
  // apt downloads as a user of its own.
  await chmod(dir, 0o777);
  const options = [
    `Dir::Etc::SourceList=${sources}`,
    `Dir::Etc::SourceParts=${join(dir, 'parts')}`,
    `Dir::State::Lists=${join(dir, 'lists')}`,
    `Dir::Cache=${join(dir, 'cache')}`,
  ].flatMap((option) => ['-o', option]);
  await run('apt-get', [...options, 'update'], { cwd: dir });
  await run('apt-get', [...options, 'download', ...PACKAGES], { cwd: dir });
}

/** Where this machine's apt has its Debian packages from. */
async function debianMirror(): Promise<string> {
  const format = '$(IDENTIFIER) $(LABEL) $(REPO_URI)';
  const targets = await run('apt-get', ['indextargets', '--format', format]);
  const [, mirror] = /^Packages Debian (\S+)$/m.exec(targets) ?? [];
  if (mirror === undefined) throw new Error('apt names no Debian mirror: run apt-get update');
  return mirror;
}
