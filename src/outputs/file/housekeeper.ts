import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { messageOf } from '../../errors.ts';
import { type File, type FileSystem, writeFully } from '../../sys/fs.ts';
import type { Log } from '../../sys/log.ts';
import { type RotatedFile, rotatedFiles } from './rotated-name.ts';

export interface HousekeepingOptions {
  /** How rotated files are compressed. */
  readonly compress: 'gzip' | 'off';
  /** Rotated files kept of one live file; the oldest go first. */
  readonly rotate_keep_max: number;
  readonly mode: number;
}

const READ_BYTES = 256 * 1024;

/**
 * Compresses rotated files and removes those that are too many, one after another,
 * beside the output's own work. Whatever fails is logged, counted and done with
 * the next rotation; it never holds up the output.
 *
 * Crash-safe: a compressed file has its name only once it is whole and durable, and only
 * then its source goes.
 */
export class Housekeeper {
  readonly #fs: FileSystem;
  readonly #options: HousekeepingOptions;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  /** Live paths whose rotated files want looking at. */
  readonly #waiting = new Set<string>();
  #working: Promise<void> | undefined;
  #failures = 0;

  constructor(fs: FileSystem, options: HousekeepingOptions, log: Log) {
    this.#fs = fs;
    this.#options = options;
    this.#log = log;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Tidies the files that were rotated away from `live_path`, some time soon. */
  tidy(live_path: string): void {
    this.#waiting.add(live_path);
    this.#working ??= this.#work();
  }

  /** Breaks off what is under way; it is begun anew after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    for (const live_path of this.#waiting) {
      if (this.#stopping.signal.aborted) break;
      this.#waiting.delete(live_path);
      await this.#tidy(live_path).catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#failures += 1;
        const fields = { path: live_path, error: messageOf(error) };
        this.#log.warn(fields, 'rotated files cannot be compressed or removed; tried again later');
      });
    }
    this.#working = undefined;
  }

  async #tidy(live_path: string): Promise<void> {
    const files = rotatedFiles(live_path, await this.#fs.readdir(dirname(live_path)));
    for (const file of files) {
      if (file.form === 'unfinished') await this.#fs.unlink(file.path);
    }
    const rotated = files.filter((file) => file.form !== 'unfinished');
    const surplus = new Set(this.#surplus(rotated));
    for (const file of rotated) {
      if (surplus.has(file.number)) await this.#fs.unlink(file.path);
      else if (file.form === 'plain' && this.#options.compress === 'gzip') {
        await this.#compress(file, rotated);
      }
    }
  }

  /** The numbers of the files that go; one number may have two forms after a crash. */
  #surplus(rotated: readonly RotatedFile[]): number[] {
    const numbers = [...new Set(rotated.map((file) => file.number))];
    return numbers.slice(0, Math.max(0, numbers.length - this.#options.rotate_keep_max));
  }

  async #compress({ path }: RotatedFile, rotated: readonly RotatedFile[]): Promise<void> {
    const fs = this.#fs;
    const gz_path = `${path}.gz`;
    if (!rotated.some((file) => file.path === gz_path)) {
      const tmp_path = `${gz_path}.tmp`;
      await this.#gzip(path, tmp_path);
      await fs.rename(tmp_path, gz_path);
      await fs.syncDirectory(dirname(path));
    }
    await fs.unlink(path);
  }

  async #gzip(from_path: string, to_path: string): Promise<void> {
    const from = await this.#fs.open(from_path, 'read');
    try {
      const to = await this.#fs.open(to_path, 'create', this.#options.mode);
      try {
        const { signal } = this.#stopping;
        await pipeline(Readable.from(piecesOf(from)), createGzip(), writeTo(to), { signal });
        await to.datasync();
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  }
}

async function* piecesOf(file: File): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    // A buffer of its own for each piece: gzip may still read the last one.
    const piece = Buffer.allocUnsafe(READ_BYTES);
    const got_bytes = await file.read(piece, at);
    if (got_bytes === 0) return;
    at += got_bytes;
    yield piece.subarray(0, got_bytes);
  }
}

function writeTo(file: File): (chunks: AsyncIterable<Buffer>) => Promise<void> {
  return async (chunks) => {
    let at = 0;
    for await (const chunk of chunks) {
      await writeFully(file, [chunk], at);
      at += chunk.length;
    }
  };
}
