import { link } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type File,
  type FileStat,
  type FileSystem,
  nodeFs,
  type OpenMode,
} from '../../src/sys/fs.ts';

export type Operation =
  | 'open'
  | 'read'
  | 'writev'
  | 'datasync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'syncDirectory';

export interface Fault {
  readonly operation: Operation;
  /** Only files whose path matches. */
  readonly path?: RegExp;
  readonly code: string;
  /** So many matching calls go well first. */
  readonly after?: number;
  /** Then so many fail; without it, all. */
  readonly times?: number;
}

interface ArmedFault extends Fault {
  seen: number;
}

/** A write that no fsync has followed: what is needed to take it back. */
interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: number;
  readonly before: Buffer;
  readonly size_before: number;
}

interface UnsyncedRename {
  readonly from: string;
  readonly to: string;
  /** A second name of the file that `to` was before. */
  readonly replaced: string | undefined;
}

/**
 * The real file system, with faults on order: calls that fail, short writes, a
 * disk of limited size, and a power cut that loses or tears what was not synced.
 */
export class FaultyFs implements FileSystem {
  /** A single writev takes no more than this. */
  write_max_bytes = Number.POSITIVE_INFINITY;
  /** All files together may grow to this; then ENOSPC. */
  disk_bytes = Number.POSITIVE_INFINITY;
  /** How often each operation was called. */
  readonly calls = new Map<Operation, number>();
  /** True: an fsync does not return until the power is cut. */
  holds_syncs = false;
  /** Resolves when the power is cut. */
  readonly #cut: Promise<void>;
  #announceCut: () => void = () => {};
  readonly #faults: ArmedFault[] = [];
  readonly #files = new Set<FaultyFile>();
  readonly #sizes = new Map<string, number>();
  #unsynced_renames: UnsyncedRename[] = [];
  #is_cut = false;

  constructor() {
    this.#cut = new Promise((resolve) => {
      this.#announceCut = resolve;
    });
  }

  /** Waits for the power to be cut, if fsyncs are held. */
  async maybeHold(): Promise<void> {
    if (!this.holds_syncs) return;
    await this.#cut;
    throw failure('EIO', 'the power was cut', 'during fsync');
  }

  fail(fault: Fault): void {
    this.#faults.push({ ...fault, seen: 0 });
  }

  healAll(): void {
    this.#faults.length = 0;
    this.disk_bytes = Number.POSITIVE_INFINITY;
  }

  /** No file can grow any more. */
  fillDisk(): void {
    this.disk_bytes = 0;
    for (const size of this.#sizes.values()) this.disk_bytes += size;
  }

  /**
   * The power is cut: of the bytes written since the last fsync of each file, the
   * first `keep_bytes` are on the disk and the rest is not; names that were not
   * synced are as before. Every later call fails.
   */
  async cutPower(keep_bytes: number): Promise<void> {
    this.#is_cut = true;
    for (const file of this.#files) await file.loseUnsynced(keep_bytes);
    for (const file of [...this.#files]) await file.close();
    await this.#undoRenames();
    this.#announceCut();
  }

  check(operation: Operation, path: string): void {
    this.calls.set(operation, (this.calls.get(operation) ?? 0) + 1);
    if (this.#is_cut) throw failure('EIO', 'the power is cut', path);
    for (const fault of this.#faults) {
      if (fault.operation !== operation || fault.path?.test(path) === false) continue;
      fault.seen++;
      const { after = 0, times = Number.POSITIVE_INFINITY } = fault;
      if (fault.seen > after && fault.seen <= after + times) {
        throw failure(fault.code, `injected into ${operation}`, path);
      }
    }
  }

  /** How many of `bytes` fit when a file grows by them. */
  room(path: string, from_size: number, to_size: number): number {
    let used_bytes = 0;
    for (const size of this.#sizes.values()) used_bytes += size;
    const free_bytes = Math.max(0, this.disk_bytes - used_bytes);
    const growth = Math.min(to_size - from_size, free_bytes);
    if (growth > 0) this.#sizes.set(path, from_size + growth);
    return growth;
  }

  resized(path: string, size: number): void {
    this.#sizes.set(path, size);
  }

  closed(file: FaultyFile): void {
    this.#files.delete(file);
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    this.check('open', path);
    const real = await nodeFs.open(path, mode);
    this.#sizes.set(path, (await real.stat()).bytes);
    const file = new FaultyFile(this, path, real);
    this.#files.add(file);
    return file;
  }

  stat(path: string): Promise<FileStat> {
    return nodeFs.stat(path);
  }

  statNow(path: string): FileStat | undefined {
    return nodeFs.statNow(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.check('rename', from);
    await this.#rememberRename(from, to);
    await nodeFs.rename(from, to);
    this.#sizes.set(to, this.#sizes.get(from) ?? 0);
    this.#sizes.delete(from);
    for (const file of this.#files) file.renamed(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.check('unlink', path);
    await nodeFs.unlink(path);
    this.#sizes.delete(path);
  }

  readdir(path: string): Promise<string[]> {
    return nodeFs.readdir(path);
  }

  mkdir(path: string): Promise<void> {
    return nodeFs.mkdir(path);
  }

  async remove(path: string): Promise<void> {
    if (this.#is_cut) throw failure('EIO', 'the power is cut', path);
    await nodeFs.remove(path);
    this.#sizes.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.check('syncDirectory', path);
    await nodeFs.syncDirectory(path);
    for (const { to, replaced } of this.#unsynced_renames) {
      if (dirname(to) === path && replaced !== undefined) await nodeFs.remove(replaced);
    }
    this.#unsynced_renames = this.#unsynced_renames.filter(({ to }) => dirname(to) !== path);
  }

  /** What a rename replaces stays reachable until the directory is synced. */
  async #rememberRename(from: string, to: string): Promise<void> {
    const replaced = `${to}.replaced`;
    await nodeFs.remove(replaced);
    const exists = await link(to, replaced).then(
      () => true,
      () => false,
    );
    this.#unsynced_renames.push({ from, to, replaced: exists ? replaced : undefined });
  }

  async #undoRenames(): Promise<void> {
    for (const { from, to, replaced } of this.#unsynced_renames.toReversed()) {
      await nodeFs.rename(to, from);
      if (replaced !== undefined) await nodeFs.rename(replaced, to);
    }
    this.#unsynced_renames = [];
  }
}

class FaultyFile implements File {
  readonly #fs: FaultyFs;
  readonly #real: File;
  #path: string;
  #unsynced: UnsyncedWrite[] = [];
  #is_closed = false;

  constructor(fs: FaultyFs, path: string, real: File) {
    this.#fs = fs;
    this.#path = path;
    this.#real = real;
  }

  get fd(): number {
    return this.#real.fd;
  }

  renamed(from: string, to: string): void {
    if (this.#path === from) this.#path = to;
  }

  read(buffer: Buffer, position: number): Promise<number> {
    return this.#checked('read', () => this.#real.read(buffer, position));
  }

  writev(buffers: readonly Buffer[], position: number): Promise<number> {
    return this.#checked('writev', async () => {
      const all = Buffer.concat(buffers);
      const size_before = (await this.#real.stat()).bytes;
      const wanted = all.subarray(0, this.#fs.write_max_bytes);
      const end = position + wanted.length;
      const growth = end > size_before ? this.#fs.room(this.#path, size_before, end) : 0;
      const bytes = Math.min(wanted.length, Math.max(0, size_before + growth - position));
      if (bytes === 0 && wanted.length > 0) throw failure('ENOSPC', 'the disk is full', this.#path);
      const before = Buffer.alloc(bytes);
      const before_bytes = await this.#real.read(before, position);
      this.#unsynced.push({
        position,
        bytes,
        before: before.subarray(0, before_bytes),
        size_before,
      });
      return this.#real.writev([wanted.subarray(0, bytes)], position);
    });
  }

  datasync(): Promise<void> {
    return this.#checked('datasync', async () => {
      await this.#fs.maybeHold();
      await this.#real.datasync();
      this.#unsynced = [];
    });
  }

  truncate(bytes: number): Promise<void> {
    return this.#checked('truncate', async () => {
      await this.#real.truncate(bytes);
      this.#fs.resized(this.#path, bytes);
      this.#unsynced = [];
    });
  }

  stat(): Promise<FileStat> {
    return this.#real.stat();
  }

  async close(): Promise<void> {
    if (this.#is_closed) return;
    this.#is_closed = true;
    this.#fs.closed(this);
    await this.#real.close();
  }

  async loseUnsynced(keep_bytes: number): Promise<void> {
    let left_bytes = keep_bytes;
    const kept = this.#unsynced.map(({ bytes }) => {
      const kept_bytes = Math.min(left_bytes, bytes);
      left_bytes -= kept_bytes;
      return kept_bytes;
    });
    for (const [index, write] of [...this.#unsynced.entries()].toReversed()) {
      const kept_bytes = kept[index] ?? 0;
      if (kept_bytes === write.bytes) continue;
      const restored = write.before.subarray(kept_bytes);
      if (restored.length > 0) {
        await this.#real.writev([restored], write.position + kept_bytes);
      }
      const { bytes: size } = await this.#real.stat();
      const end = Math.max(write.size_before, write.position + kept_bytes);
      if (size > end) await this.#real.truncate(end);
    }
    this.#unsynced = [];
  }

  async #checked<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    this.#fs.check(operation, this.#path);
    return work();
  }
}

function failure(code: string, message: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${message}, ${path}`), { code });
}
