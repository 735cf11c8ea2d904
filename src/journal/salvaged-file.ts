import { systemCode } from '../errors.ts';
import { type File, readFully } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';

/** What reading needs of a file. */
export type ReadableFile = Pick<File, 'read' | 'close'>;

/** What disks and file systems read and lose as one. */
const BLOCK_BYTES = 4096;

/** More in one read are no bad sectors, but a disk that is gone and may come back. */
const BAD_BLOCKS_MAX = 64;

/**
 * A file on a disk with bad sectors: blocks that cannot be read are zeros, which the parser
 * takes for the damage that they are. It rejects as the file does where nothing around
 * can be read either.
 */
export class SalvagedFile implements ReadableFile {
  readonly #file: ReadableFile;
  readonly #path: string;
  readonly #log: Log;
  readonly #known = new Set<number>();

  constructor(file: ReadableFile, path: string, log: Log) {
    this.#file = file;
    this.#path = path;
    this.#log = log;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    try {
      return await this.#file.read(buffer, position);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return this.#readBlocks(buffer, position, error);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Whether a block in `[from, to)` could not be read so far. */
  hasBadIn(from: number, to: number): boolean {
    return [...this.#known].some((at) => at < to && at + BLOCK_BYTES > from);
  }

  async #readBlocks(buffer: Buffer, position: number, cause: unknown): Promise<number> {
    const bad: number[] = [];
    let filled_bytes = 0;
    let good_blocks = 0;
    while (filled_bytes < buffer.length) {
      const at = position + filled_bytes;
      const block = buffer.subarray(filled_bytes, filled_bytes + BLOCK_BYTES - (at % BLOCK_BYTES));
      const got_bytes = await this.#readBlock(block, at);
      if (got_bytes === undefined) bad.push(at);
      else good_blocks++;
      if (bad.length > BAD_BLOCKS_MAX) throw cause;
      filled_bytes += got_bytes ?? block.length;
      if (got_bytes !== undefined && got_bytes < block.length) break;
    }
    if (good_blocks === 0 && !(await this.#isReadableBefore(position))) throw cause;
    for (const at of bad) this.#note(at);
    return filled_bytes;
  }

  /** Undefined, and zeros, for one that cannot be read. */
  async #readBlock(block: Buffer, at: number): Promise<number | undefined> {
    try {
      return await readFully(this.#file, block, at);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      block.fill(0);
      return undefined;
    }
  }

  async #isReadableBefore(position: number): Promise<boolean> {
    const at = Math.max(0, position - (position % BLOCK_BYTES) - BLOCK_BYTES);
    const got_bytes = await this.#readBlock(Buffer.alloc(BLOCK_BYTES), at);
    return at < position && got_bytes !== undefined;
  }

  #note(at: number): void {
    if (this.#known.has(at)) return;
    this.#known.add(at);
    this.#log.error(
      { where: `${this.#path}:${at}` },
      'the disk cannot read this: taken for damage',
    );
  }
}

/** The disk answered, and could not. Other errors pass without data being lost. */
export function isUnreadable(error: unknown): boolean {
  return systemCode(error) === 'EIO';
}
