import {
  appendFile,
  open,
  readdir,
  readFile,
  rename,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

export interface RotatingLogOptions {
  readonly max_files: number;
  readonly compresses: boolean;
}

/**
 * Writes numbered lines as dockerd does, and rotates in its order of system calls
 * (formats.md 4.2), one at a time, so that a test can look in between:
 *
 *     delete the oldest · rename upwards · rename the live file · create it anew
 *     in the background: write half of .1.gz · write all of it · delete .1
 */
export class RotatingLog {
  /** Lines that were in a file when it was deleted. */
  readonly deleted = new Set<number>();
  /** Lines that were in the live file when it was truncated. */
  readonly truncated = new Set<number>();
  readonly #live: string;
  readonly #options: RotatingLogOptions;
  /** System calls of the rotation under way. */
  #rotating: (() => Promise<void>)[] = [];
  /** Those of the compression in the background. */
  #compressing: (() => Promise<void>)[] = [];
  #next_line = 1;
  #live_is_empty = true;
  /** A line is half written: Docker does nothing else meanwhile. */
  #is_writing = false;

  constructor(directory: string, options: RotatingLogOptions) {
    this.#live = join(directory, 'log');
    this.#options = options;
  }

  /** Lines from 1 to this were written. */
  get written(): number {
    return this.#next_line - 1;
  }

  /** The last line may come in two writes, with `between` run between them. */
  async append(count: number, between?: () => Promise<void>): Promise<void> {
    if (this.#is_writing) return;
    await this.#finishRotating();
    let text = '';
    for (let i = 0; i < count; i++) text += `${this.#next_line++} ${'.'.repeat((i * 37) % 90)}\n`;
    this.#live_is_empty = false;
    const cut = between === undefined ? text.length : text.length - 2;
    await appendFile(this.#live, text.slice(0, cut));
    this.#is_writing = true;
    await between?.();
    this.#is_writing = false;
    await appendFile(this.#live, text.slice(cut));
  }

  /** Makes a rotation due; an empty file is not rotated. */
  async rotate(): Promise<void> {
    if (this.#is_writing) return;
    await this.settle();
    if (this.#live_is_empty) return;
    this.#live_is_empty = true;
    const { max_files, compresses } = this.#options;
    const suffix = compresses ? '.gz' : '';
    const live = this.#live;
    if (max_files === 1) {
      this.#rotating.push(() => this.#delete(live));
    } else {
      this.#rotating.push(() => this.#delete(`${live}.${max_files - 1}${suffix}`));
      for (let n = max_files - 1; n > 1; n--) {
        this.#rotating.push(() => move(`${live}.${n - 1}${suffix}`, `${live}.${n}${suffix}`));
      }
      this.#rotating.push(() => move(live, `${live}.1`));
    }
    this.#rotating.push(async () => {
      await (await open(live, 'a')).close();
      if (compresses) this.#compress(`${live}.1`);
    });
  }

  /** Makes the next system call that is due. */
  async step(): Promise<void> {
    await (this.#rotating.shift() ?? this.#compressing.shift())?.();
  }

  /** The rotation under way, to its end. */
  async settle(): Promise<void> {
    await this.#finishRotating();
    await this.#finishCompressing();
  }

  /** As an operator does: the file stays, its content goes. */
  async truncate(): Promise<void> {
    await this.settle();
    await note(this.#live, this.truncated);
    await truncate(this.#live);
    this.#live_is_empty = true;
  }

  #compress(plain: string): void {
    this.#compressing.push(
      async () => {
        const whole = gzipSync(await readFile(plain));
        await writeFile(`${plain}.gz`, whole.subarray(0, whole.length >> 1));
      },
      async () => writeFile(`${plain}.gz`, gzipSync(await readFile(plain))),
      () => unlink(plain),
    );
  }

  async #delete(path: string): Promise<void> {
    if (!(await isThere(path))) return;
    await note(path, this.deleted);
    await unlink(path);
  }

  async #finishRotating(): Promise<void> {
    for (let call = this.#rotating.shift(); call !== undefined; call = this.#rotating.shift()) {
      await call();
    }
  }

  async #finishCompressing(): Promise<void> {
    for (
      let call = this.#compressing.shift();
      call !== undefined;
      call = this.#compressing.shift()
    ) {
      await call();
    }
  }
}

async function note(path: string, lines: Set<number>): Promise<void> {
  const content = await readFile(path);
  const text = (path.endsWith('.gz') ? gunzipSync(content) : content).toString();
  for (const line of text.split('\n').filter(Boolean)) lines.add(Number.parseInt(line, 10));
}

async function isThere(path: string): Promise<boolean> {
  const at = path.lastIndexOf('/');
  return (await readdir(path.slice(0, at))).includes(path.slice(at + 1));
}

async function move(from: string, to: string): Promise<void> {
  if (await isThere(from)) await rename(from, to);
}
