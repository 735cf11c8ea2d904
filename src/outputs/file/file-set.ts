import { dirname } from 'node:path';
import type { Clock } from '../../sys/clock.ts';
import type { FileSystem } from '../../sys/fs.ts';
import type { Housekeeper } from './housekeeper.ts';
import { LiveFile } from './live-file.ts';
import { rotatedFiles, rotatedPath } from './rotated-name.ts';
import { type FileMark, isSameFile } from './window.ts';

export interface FileSetOptions {
  /** A file of this size is closed and another begun; undefined: never. */
  readonly rotate_max_bytes: number | undefined;
  /** A file of this age likewise. */
  readonly rotate_every_ms: number | undefined;
  readonly files_open_max: number;
  /** Permissions of files that are made, less the umask. */
  readonly mode: number;
}

/**
 * The open files of an output, the least recently used closed first.
 *
 * Files are opened, rotated and closed only while all of them are clean, which
 * means that every byte in them is durable and before the cursor. So whatever
 * was moved aside never needs to be touched again.
 */
export class FileSet {
  readonly #fs: FileSystem;
  readonly #options: FileSetOptions;
  readonly #housekeeper: Housekeeper;
  readonly #clock: Clock;
  /** By path; the most recently used last. */
  readonly #open = new Map<string, LiveFile>();
  #rotations = 0;

  constructor(fs: FileSystem, options: FileSetOptions, housekeeper: Housekeeper, clock: Clock) {
    this.#fs = fs;
    this.#options = options;
    this.#housekeeper = housekeeper;
    this.#clock = clock;
  }

  get open_count(): number {
    return this.#open.size;
  }

  get rotations(): number {
    return this.#rotations;
  }

  /**
   * The files at `paths`, at most `files_open_max`, ready to be appended to: rotated where that is due,
   * opened anew where somebody moved them. `marks` tell since when files are written that are not open.
   */
  async ready(
    paths: ReadonlySet<string>,
    marks: readonly FileMark[],
  ): Promise<ReadonlyMap<string, LiveFile>> {
    const ready = new Map<string, LiveFile>();
    for (const path of paths) {
      const live = await this.#live(path, marks);
      this.#open.delete(path);
      this.#open.set(path, live);
      ready.set(path, live);
      await this.#closeSurplus();
    }
    return ready;
  }

  async closeAll(): Promise<void> {
    for (const path of [...this.#open.keys()]) await this.#close(path);
  }

  async #live(path: string, marks: readonly FileMark[]): Promise<LiveFile> {
    let live = this.#open.get(path);
    if (live !== undefined && !(await live.isInPlace(this.#fs))) {
      await this.#close(path);
      live = undefined;
    }
    live ??= await this.#openFile(path, marks);
    if (!this.#isRotationDue(live)) return live;
    await this.#rotate(live);
    return this.#openFile(path, []);
  }

  async #openFile(path: string, marks: readonly FileMark[]): Promise<LiveFile> {
    const begun_ms = await this.#begun(path, marks);
    const live = await LiveFile.open(this.#fs, path, this.#options.mode, begun_ms);
    this.#open.set(path, live);
    return live;
  }

  async #begun(path: string, marks: readonly FileMark[]): Promise<number> {
    const mark = marks.find((candidate) => candidate.path === path);
    if (mark === undefined) return this.#clock.now_ms();
    const found = await this.#fs.stat(path).catch(() => undefined);
    const same = found !== undefined && isSameFile(mark, found);
    return same ? mark.begun_ms : this.#clock.now_ms();
  }

  #isRotationDue({ mark }: LiveFile): boolean {
    const { rotate_max_bytes, rotate_every_ms } = this.#options;
    if (mark.durable_bytes === 0) return false;
    if (rotate_max_bytes !== undefined && mark.durable_bytes >= rotate_max_bytes) return true;
    const age_ms = this.#clock.now_ms() - mark.begun_ms;
    return rotate_every_ms !== undefined && age_ms >= rotate_every_ms;
  }

  async #rotate(live: LiveFile): Promise<void> {
    const { path } = live;
    const directory = dirname(path);
    const last = rotatedFiles(path, await this.#fs.readdir(directory)).at(-1);
    await this.#close(path);
    await this.#fs.rename(path, rotatedPath(path, (last?.number ?? 0) + 1, this.#clock.now_ms()));
    await this.#fs.syncDirectory(directory);
    this.#rotations += 1;
    this.#housekeeper.tidy(path);
  }

  async #closeSurplus(): Promise<void> {
    for (const path of [...this.#open.keys()]) {
      if (this.#open.size <= this.#options.files_open_max) return;
      await this.#close(path);
    }
  }

  async #close(path: string): Promise<void> {
    const live = this.#open.get(path);
    this.#open.delete(path);
    await live?.close();
  }
}
