/**
 * The file system as the journal uses it: thin enough that each method is one
 * system call, so a test can fail, shorten or tear any of them.
 */
import { constants, type Stats, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';

export interface FileStat {
  readonly bytes: number;
  readonly inode: number;
  readonly device: number;
  /** Names that the file has; 0: it was deleted, and is there as long as it is open. */
  readonly links: number;
  /** When the file or what is known about it changed last, such as its names. */
  readonly changed_ms: number;
  /** When the file was created; 0 where the file system does not say. */
  readonly born_ms: number;
}

export interface File {
  /** The descriptor itself, for what only a descriptor can do (flock). */
  readonly fd: number;
  /** Reads at `position` into `buffer` as far as the file goes; may read less. Returns the bytes read, 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>;
  /** Writes at `position`; may write less than all. Returns the bytes written. */
  writev(buffers: readonly Buffer[], position: number): Promise<number>;
  /** Resolves once the file's content and length are on the disk. After a rejection nothing is known about either. */
  datasync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

/**
 * read: must exist · edit: must exist, read and write · edit_or_create: keeps
 * what is there · create: begins empty, whatever was there
 */
export type OpenMode = 'read' | 'edit' | 'edit_or_create' | 'create';

export interface FileSystem {
  /** `permissions` of a file that is created, less the umask; default: owner and group. */
  open(path: string, mode: OpenMode, permissions?: number): Promise<File>;
  stat(path: string): Promise<FileStat>;
  /**
   * `stat` without leaving the thread, at a fifth of the cost: for what is asked again and
   * again and is in the kernel's memory. Undefined: there is no such file.
   */
  statNow(path: string): FileStat | undefined;
  /** Atomic: `to` is the old file or the new one, never a mixture. Durable after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Names in a directory, in no order. */
  readdir(path: string): Promise<string[]>;
  /** Creates the directory and those above it; no error if it exists. */
  mkdir(path: string): Promise<void>;
  /** Removes a file or a whole directory; no error if it does not exist. */
  remove(path: string): Promise<void>;
  /** Resolves once the names in the directory are on the disk. */
  syncDirectory(path: string): Promise<void>;
}

const OPEN_FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  edit: constants.O_RDWR,
  edit_or_create: constants.O_RDWR | constants.O_CREAT,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
};

/** Journals hold other people's log lines: readable by their owner and group only. */
const FILE_MODE = 0o640;

function fileStat(found: Stats): FileStat {
  return {
    bytes: found.size,
    inode: found.ino,
    device: found.dev,
    links: found.nlink,
    changed_ms: found.ctimeMs,
    born_ms: found.birthtimeMs,
  };
}

class NodeFile implements File {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  get fd(): number {
    return this.#handle.fd;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    return (await this.#handle.read(buffer, 0, buffer.length, position)).bytesRead;
  }

  async writev(buffers: readonly Buffer[], position: number): Promise<number> {
    return (await this.#handle.writev(buffers, position)).bytesWritten;
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  async stat(): Promise<FileStat> {
    return fileStat(await this.#handle.stat());
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

export const nodeFs: FileSystem = {
  async open(path, mode, permissions = FILE_MODE) {
    return new NodeFile(await open(path, OPEN_FLAGS[mode], permissions));
  },
  async stat(path) {
    return fileStat(await stat(path));
  },
  statNow(path) {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? undefined : fileStat(found);
  },
  rename: (from, to) => rename(from, to),
  unlink: (path) => unlink(path),
  readdir: (path) => readdir(path),
  mkdir: makeDirectory,
  remove: (path) => rm(path, { recursive: true, force: true }),
  async syncDirectory(path) {
    const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};

/** There is no room, which may pass. */
export function isDiskFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Fills `buffer` from `position` on. Returns the bytes read: fewer only where the file ends. */
export async function readFully(
  file: Pick<File, 'read'>,
  buffer: Buffer,
  position: number,
): Promise<number> {
  let filled_bytes = 0;
  while (filled_bytes < buffer.length) {
    const got_bytes = await file.read(buffer.subarray(filled_bytes), position + filled_bytes);
    if (got_bytes === 0) break;
    filled_bytes += got_bytes;
  }
  return filled_bytes;
}

/** Writes all of `buffers` at `position`, going on after short writes. */
export async function writeFully(
  file: File,
  buffers: readonly Buffer[],
  position: number,
): Promise<void> {
  let rest = buffers;
  let at = position;
  while (rest.length > 0) {
    const written_bytes = await file.writev(rest, at);
    at += written_bytes;
    rest = withoutFirst(rest, written_bytes);
    if (written_bytes === 0 && rest.length > 0) {
      throw Object.assign(new Error('the file takes no more bytes'), { code: 'ENOSPC' });
    }
  }
}

function withoutFirst(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let left_bytes = bytes;
  const rest: Buffer[] = [];
  for (const buffer of buffers) {
    if (left_bytes >= buffer.length) left_bytes -= buffer.length;
    else {
      rest.push(left_bytes === 0 ? buffer : buffer.subarray(left_bytes));
      left_bytes = 0;
    }
  }
  return rest;
}

/** Opens a file for reading, and closes it whatever happens. */
export async function withFile<T>(
  fs: FileSystem,
  path: string,
  use: (file: File) => Promise<T>,
): Promise<T> {
  const file = await fs.open(path, 'read');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/**
 * Step by step: Node's own recursive mkdir tries for ever where a directory can be seen but
 * nothing can be made in it, such as /proc.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' && (await isDirectory(path))) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || (await isDirectory(parent))) throw error;
    await makeDirectory(parent);
    await makeDirectory(path);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
