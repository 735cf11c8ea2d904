import { basename, join } from 'node:path';
import { messageOf } from '../errors.ts';
import { type FileSystem, isDiskFull, readFully, writeFully } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';
import type { ReadableFile } from './salvaged-file.ts';

const COPY_BYTES = 1024 * 1024;

/**
 * Where damaged bytes are copied before anything else happens to them, so that a
 * person can still look. Bounded: beyond `bytes_max` damage is counted and
 * logged, not copied.
 */
export class Quarantine {
  /** Places of damage found by this process, each counted once however many readers meet it. */
  count = 0;
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #bytes_max: number;
  readonly #log: Log;
  readonly #known = new Set<string>();
  #bytes = 0;

  constructor(fs: FileSystem, directory: string, bytes_max: number, log: Log) {
    this.#fs = fs;
    this.#directory = directory;
    this.#bytes_max = bytes_max;
    this.#log = log;
  }

  /** Looks at what earlier processes kept. That there is no room for the folder is no error. */
  async open(): Promise<void> {
    try {
      await this.#fs.mkdir(this.#directory);
    } catch (error) {
      if (isDiskFull(error)) return;
      throw error;
    }
    for (const name of await this.#fs.readdir(this.#directory)) {
      this.#known.add(name);
      this.#bytes += (await this.#fs.stat(join(this.#directory, name))).bytes;
    }
  }

  /**
   * Copies `[from, to)` of a segment aside, durably, and says so in the log.
   * Never rejects: a copy that cannot be made must not keep the rest from being delivered.
   */
  async keep(
    file: ReadableFile,
    path: string,
    from: number,
    to: number,
    what: string,
  ): Promise<void> {
    const name = `${basename(path)}-${from}-${to}.bin`;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.count++;
    const where = `${path}:${from}`;
    const bytes = to - from;
    if (this.#bytes + bytes > this.#bytes_max) {
      const fields = { where, bytes, quarantine_bytes: this.#bytes, max_bytes: this.#bytes_max };
      this.#log.error(fields, `damaged ${what} in the journal; the quarantine is full, not copied`);
      return;
    }
    try {
      await this.#copy(file, from, to, join(this.#directory, name));
      this.#bytes += bytes;
      this.#log.error({ where, bytes, kept_as: name }, `damaged ${what} in the journal`);
    } catch (error) {
      const fields = { where, bytes, error: messageOf(error) };
      this.#log.error(fields, `damaged ${what} in the journal; it could not be copied aside`);
    }
  }

  async #copy(source: ReadableFile, from: number, to: number, path: string): Promise<void> {
    await this.#fs.mkdir(this.#directory);
    const target = await this.#fs.open(path, 'create');
    try {
      const buffer = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, to - from));
      for (let at = from; at < to; at += buffer.length) {
        const piece = buffer.subarray(0, Math.min(buffer.length, to - at));
        const got_bytes = await readFully(source, piece, at);
        await writeFully(target, [piece.subarray(0, got_bytes)], at - from);
      }
      await target.datasync();
    } finally {
      await target.close();
    }
    await this.#fs.syncDirectory(this.#directory);
  }
}
