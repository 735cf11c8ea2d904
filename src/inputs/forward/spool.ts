import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LogboomError, messageOf } from '../../errors.ts';

const PAGE_MIN_BYTES = 4 * 1024;
const PAGE_MAX_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;
/** Bytes that may wait for the disk before the sender is paused. */
const BEHIND_MAX_BYTES = 1024 * 1024;

/**
 * Memory for what is on its way into the journal but not whole yet, shared by all
 * connections, and files for what does not fit.
 */
export class SpoolPool {
  readonly dir: string;
  readonly memory_max_bytes: number;
  #memory_bytes = 0;

  constructor(dir: string, memory_max_bytes: number) {
    this.dir = dir;
    this.memory_max_bytes = memory_max_bytes;
  }

  get memory_bytes(): number {
    return this.#memory_bytes;
  }

  take(bytes: number): boolean {
    if (this.#memory_bytes + bytes > this.memory_max_bytes) return false;
    this.#memory_bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#memory_bytes -= bytes;
  }
}

/**
 * A sequence of bytes that grows at its end and is then read, several times if need be:
 *
 *     | pages in memory, while the pool has room | file, from the first byte without room |
 *
 * The file has no name for longer than it takes to open it, so a crash leaves
 * nothing behind. `discard()` frees everything, at any moment.
 */
export class Spool {
  readonly #pool: SpoolPool;
  readonly #pages: Buffer[] = [];
  #page_used_bytes = 0;
  #memory_bytes = 0;
  #file: FileHandle | undefined;
  #file_bytes = 0;
  #behind_bytes = 0;
  #writes: Promise<void> = Promise.resolve();
  #in_file = false;
  #discarded = false;
  #error: LogboomError | undefined;

  constructor(pool: SpoolPool) {
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#memory_bytes + this.#file_bytes;
  }

  get in_file(): boolean {
    return this.#in_file;
  }

  /** True: append nothing more before `drained()` resolves. */
  get behind(): boolean {
    return this.#behind_bytes > BEHIND_MAX_BYTES;
  }

  /** Copies `source[start..end)` to the end. */
  append(source: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#in_file) at = this.#appendToPage(source, at, end);
    if (at < end) this.#appendToFile(Buffer.from(source.subarray(at, end)));
  }

  /** Resolves when everything appended is where it belongs. @throws LB_JOURNAL_IO when the file cannot be written. */
  async drained(): Promise<void> {
    await this.#writes;
    if (this.#error !== undefined) throw this.#error;
  }

  /** Everything from the first byte on, in pieces. Those from memory must not be kept beyond `discard()`. */
  async *read(): AsyncGenerator<Buffer, void, undefined> {
    await this.drained();
    for (const [index, page] of this.#pages.entries()) {
      const last = index === this.#pages.length - 1;
      yield last ? page.subarray(0, this.#page_used_bytes) : page;
    }
    for (let at = 0; at < this.#file_bytes; ) {
      const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#file_bytes - at));
      const bytes = await this.#readFile(piece, at);
      yield piece.subarray(0, bytes);
      at += bytes;
    }
  }

  /** Everything, when it is in memory. */
  pages(): Buffer[] {
    const last = this.#pages.length - 1;
    return this.#pages.map((page, index) =>
      index === last ? page.subarray(0, this.#page_used_bytes) : page,
    );
  }

  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    for (const page of this.#pages) this.#pool.give(page.length);
    this.#pages.length = 0;
    this.#writes = this.#closeAfter(this.#writes);
  }

  #appendToPage(source: Buffer, start: number, end: number): number {
    let page = this.#pages.at(-1);
    if (page === undefined || this.#page_used_bytes === page.length) {
      const wanted = Math.min(PAGE_MAX_BYTES, Math.max(PAGE_MIN_BYTES, this.#memory_bytes));
      if (!this.#pool.take(wanted)) {
        this.#in_file = true;
        return start;
      }
      page = Buffer.allocUnsafeSlow(wanted);
      this.#pages.push(page);
      this.#page_used_bytes = 0;
    }
    const copied = source.copy(page, this.#page_used_bytes, start, end);
    this.#page_used_bytes += copied;
    this.#memory_bytes += copied;
    return start + copied;
  }

  #appendToFile(bytes: Buffer): void {
    const at = this.#file_bytes;
    this.#file_bytes += bytes.length;
    this.#behind_bytes += bytes.length;
    this.#writes = this.#writeAfter(this.#writes, bytes, at);
  }

  /** Never rejects: what went wrong is told by `drained()`. */
  async #writeAfter(earlier: Promise<void>, bytes: Buffer, at: number): Promise<void> {
    await earlier;
    try {
      if (this.#error === undefined && !this.#discarded) await this.#writeFile(bytes, at);
    } catch (error) {
      this.#error = this.#unusable(error);
    } finally {
      this.#behind_bytes -= bytes.length;
    }
  }

  async #writeFile(bytes: Buffer, at: number): Promise<void> {
    this.#file ??= await openNameless(this.#pool.dir);
    let written = 0;
    while (written < bytes.length) {
      const left = bytes.length - written;
      written += (await this.#file.write(bytes, written, left, at + written)).bytesWritten;
    }
  }

  async #readFile(into: Buffer, at: number): Promise<number> {
    if (this.#file === undefined || this.#discarded) {
      throw new LogboomError('LB_JOURNAL_IO', 'the spool file is closed', {
        where: this.#pool.dir,
      });
    }
    const { bytesRead } = await this.#file.read(into, 0, into.length, at);
    if (bytesRead > 0) return bytesRead;
    throw this.#unusable(new Error(`the spool file ends at byte ${at} of ${this.#file_bytes}`));
  }

  async #closeAfter(writes: Promise<void>): Promise<void> {
    await writes;
    try {
      await this.#file?.close();
    } catch {
      // Its bytes are not needed any more.
    }
  }

  #unusable(error: unknown): LogboomError {
    return new LogboomError('LB_JOURNAL_IO', `no spool file: ${messageOf(error)}`, {
      where: this.#pool.dir,
      hint: 'Large messages need room there; check space and permissions.',
      cause: error,
    });
  }
}

async function openNameless(dir: string): Promise<FileHandle> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, `spool-${randomBytes(8).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}
