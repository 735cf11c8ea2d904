import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { detectFormat, HEAD_BYTES, type TailFormat } from './detect-format.ts';
import { type KubePath, readKubePaths } from './kube-path.ts';

/** A log that is followed: one file at the end of all links, however many paths lead there. */
export interface TailFile {
  /** Where the links end; also its name in messages. */
  readonly real_path: string;
  readonly directory: string;
  readonly name: string;
  readonly rotation: 'docker' | 'kubelet';
  readonly format: TailFormat;
  readonly kube: KubePath;
  /** When the file was created; 0 where the file system does not say. */
  readonly born_ms: number;
}

/** More links than any runtime makes are a circle, or somebody's mistake. */
const LINKS_MAX = 16;

/** Files that rotation has put aside, or is writing: parts of another file's log. */
const ROTATED = /\.(?:gz|tmp|\d+|\d{8}-\d{6})$/;

/** True if a log's live file can be called this. */
export function isLiveName(name: string): boolean {
  return !ROTATED.test(name);
}

/** `path`, what it is a link to, and so on; the last is no link. Rejects as readlink(2) does. */
async function linkChain(path: string): Promise<string[]> {
  const chain = [path];
  for (let at = path; chain.length <= LINKS_MAX; ) {
    const target = await readlink(at).catch((error: unknown) => notALink(error));
    if (target === undefined) return chain;
    at = resolve(dirname(at), target);
    chain.push(at);
  }
  throw Object.assign(new Error(`more than ${LINKS_MAX} links from ${path}`), { code: 'ELOOP' });
}

function notALink(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return undefined;
  throw error;
}

/** Where a path leads. */
export interface Place {
  readonly real_path: string;
  readonly kube: KubePath;
}

/** Rejects with the system's error, ENOENT for a link that leads nowhere. */
export async function findPlace(path: string): Promise<Place> {
  const chain = await linkChain(path);
  // Folders on the way may be links, too.
  const real_path = await realpath(path);
  return { real_path, kube: readKubePaths([...chain, real_path]) };
}

/** Undefined: its format cannot be told, since it is empty as yet, or no container's log. */
export async function describe({ real_path, kube }: Place): Promise<TailFile | undefined> {
  const beginning = await lookInto(real_path);
  if (beginning === undefined) return undefined;
  const name = basename(real_path);
  const rotation = /^\d+\.log$/.test(name) ? 'kubelet' : 'docker';
  return { real_path, directory: dirname(real_path), name, rotation, kube, ...beginning };
}

async function lookInto(path: string): Promise<Pick<TailFile, 'format' | 'born_ms'> | undefined> {
  const file: FileHandle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const format = detectFormat(buffer.subarray(0, bytesRead));
    if (format === undefined) return undefined;
    const { birthtimeMs: born_ms } = await file.stat();
    return { format, born_ms };
  } finally {
    await file.close();
  }
}
