import { systemCode } from '../../../errors.ts';
import type { FileStat, FileSystem } from '../../../sys/fs.ts';
import type { LogFiles } from '../types.ts';

/** One file of a log, as its directory names it for now: the next rotation gives it another name. */
export interface ChainFile {
  readonly name: string;
  readonly path: string;
  readonly compressed: boolean;
  readonly is_live: boolean;
}

/** A file that was there when the directory was looked at. */
export interface FoundFile extends ChainFile {
  readonly stat: FileStat;
}

/** All files of one log, oldest first, the live one last. */
export type Chain = readonly FoundFile[];

const ROTATED: Readonly<Record<LogFiles['rotation'], RegExp>> = {
  docker: /^\.([1-9]\d{0,8})(\.gz)?$/,
  kubelet: /^\.(\d{8}-\d{6})(\.gz)?$/,
};
/** Looks at a directory whose files are being renamed, before it is taken as it is. */
const LOOKS_MAX = 8;

/**
 * The log's files among the names of its directory, oldest first (formats.md 4.2, 7.2).
 * Where a file and its compressed form are both there, the compression is under way or
 * was cut by a crash: the plain one counts.
 */
function chainOf(files: LogFiles, names: readonly string[]): ChainFile[] {
  const rotated = new Map<number, ChainFile>();
  const live: ChainFile[] = [];
  for (const name of names) {
    if (!name.startsWith(files.name)) continue;
    const path = `${files.directory}/${name}`;
    if (name === files.name) live.push({ name, path, compressed: false, is_live: true });
    const [, mark, suffix] = ROTATED[files.rotation].exec(name.slice(files.name.length)) ?? [];
    if (mark === undefined) continue;
    const compressed = suffix !== undefined;
    const age = ageOf(files.rotation, mark);
    if (!compressed || !rotated.has(age)) {
      rotated.set(age, { name, path, compressed, is_live: false });
    }
  }
  const oldest_first = [...rotated].toSorted(([a], [b]) => b - a);
  return [...oldest_first.map(([, file]) => file), ...live];
}

/** Larger is older. */
function ageOf(rotation: LogFiles['rotation'], mark: string): number {
  return rotation === 'docker' ? Number(mark) : -Number(mark.replace('-', ''));
}

/** The log's files at one moment: looked at again while they are being renamed. No directory: no files. */
export async function readChain(fs: FileSystem, files: LogFiles): Promise<Chain> {
  let found = await lookOnce(fs, files);
  for (let looks = 1; looks < LOOKS_MAX; looks++) {
    const again = await lookOnce(fs, files);
    if (found !== undefined && again !== undefined && sameChain(found, again)) return again;
    found = again;
  }
  return found ?? [];
}

/** Whether the same files stand under the same names. */
export function sameChain(a: Chain, b: Chain): boolean {
  if (a.length !== b.length) return false;
  return a.every((file, index) => {
    const other = b[index];
    return other !== undefined && file.name === other.name && sameFile(file.stat, other.stat);
  });
}

/** True means the same file only while one of the two is held open: inode numbers are used again. */
export function sameFile(a: FileStat, b: FileStat): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** Undefined: a file went while it was looked at. */
async function lookOnce(fs: FileSystem, files: LogFiles): Promise<Chain | undefined> {
  const names = await ifThere(fs.readdir(files.directory));
  const chain: FoundFile[] = [];
  for (const file of chainOf(files, names ?? [])) {
    const stat = await ifThere(fs.stat(file.path));
    if (stat === undefined) return undefined;
    chain.push({ ...file, stat });
  }
  return chain;
}

/** Undefined where there is no such file. */
export async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
