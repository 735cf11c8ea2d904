import { dirname } from 'node:path';
import { type File, type FileSystem, writeFully } from '../../sys/fs.ts';
import { type FileMark, isSameFile } from './window.ts';

const NEWLINE = Buffer.from('\n');

/**
 * One file that is open for appending.
 *
 *     | durable: before the cursor | written, not durable yet |
 *     0                     durable_bytes              written_bytes
 *
 * Between deliveries the second part is empty.
 */
export class LiveFile {
  readonly path: string;
  readonly begun_ms: number;
  readonly #file: File;
  readonly #inode: number;
  readonly #device: number;
  #durable_bytes: number;
  #written_bytes: number;

  private constructor(path: string, file: File, mark: FileMark) {
    this.path = path;
    this.#file = file;
    this.#inode = mark.inode;
    this.#device = mark.device;
    this.begun_ms = mark.begun_ms;
    this.#durable_bytes = mark.durable_bytes;
    this.#written_bytes = mark.durable_bytes;
  }

  /** Opens the file, made with `permissions` if need be, to append behind what is in it. Its name is durable. */
  static async open(
    fs: FileSystem,
    path: string,
    permissions: number,
    begun_ms: number,
  ): Promise<LiveFile> {
    await fs.mkdir(dirname(path));
    const file = await fs.open(path, 'edit_or_create', permissions);
    try {
      const { bytes, inode, device } = await file.stat();
      if (bytes === 0) await fs.syncDirectory(dirname(path));
      const mark = { path, inode, device, durable_bytes: bytes, begun_ms };
      const live = new LiveFile(path, file, mark);
      await live.#endLine();
      return live;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** As of the last `sync()`. */
  get mark(): FileMark {
    return {
      path: this.path,
      device: this.#device,
      inode: this.#inode,
      durable_bytes: this.#durable_bytes,
      begun_ms: this.begun_ms,
    };
  }

  /**
   * Whether the path still leads to this file, as long as we left it. Not so after
   * logrotate moved, removed or truncated it: open the path anew.
   */
  async isInPlace(fs: FileSystem): Promise<boolean> {
    const found = await fs.stat(this.path).catch(() => undefined);
    if (found === undefined) return false;
    return isSameFile(this.mark, found) && found.bytes === this.#durable_bytes;
  }

  async append(text: Buffer): Promise<void> {
    await writeFully(this.#file, [text], this.#written_bytes);
    this.#written_bytes += text.length;
  }

  /** After it, everything appended is durable. */
  async sync(): Promise<void> {
    await this.#file.datasync();
    this.#durable_bytes = this.#written_bytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** A line that somebody else left unfinished must not swallow our first. */
  async #endLine(): Promise<void> {
    if (this.#durable_bytes === 0) return;
    const last = Buffer.alloc(1);
    await this.#file.read(last, this.#durable_bytes - 1);
    if (last.equals(NEWLINE)) return;
    await this.append(NEWLINE);
    await this.sync();
  }
}

/**
 * Cuts a file back to its mark, durably: what lies behind it was written by a delivery
 * that did not end. A file that is not the marked one, or not longer, is left alone.
 */
export async function cutBack(fs: FileSystem, mark: FileMark): Promise<void> {
  const found = await fs.stat(mark.path).catch(() => undefined);
  if (found === undefined || !isSameFile(mark, found)) return;
  if (found.bytes <= mark.durable_bytes) return;
  const file = await fs.open(mark.path, 'edit');
  try {
    await file.truncate(mark.durable_bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}
