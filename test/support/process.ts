import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

/** Of each child's output, this much from the end is kept for waits and failure messages. */
const OUTPUT_KEPT_CHARS = 256 * 1024;

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  /** What the process is called in messages; the command's name if not given. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Passed on as its descriptors 3, 4 ... */
  readonly descriptors?: readonly number[];
}

/**
 * A process that a test starts, watches and ends by its own pid. It does not outlive
 * the test worker: what a failing test leaves behind is killed when the worker exits.
 */
export class Child {
  readonly name: string;
  /** Resolves when the process is gone and its output is read. */
  readonly exited: Promise<ExitStatus>;
  readonly #process: ChildProcess;
  #exit: ExitStatus | undefined;
  #stdout = '';
  #stderr = '';

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.name = options.name ?? command;
    this.#process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.descriptors ?? [])],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-OUTPUT_KEPT_CHARS);
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-OUTPUT_KEPT_CHARS);
    });
    this.exited = this.#watch();
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#process.pid;
  }

  /** Undefined while the process runs. */
  get exit(): ExitStatus | undefined {
    return this.#exit;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What it printed last, for failure messages. */
  describe(): string {
    const state = this.#exit === undefined ? 'running' : JSON.stringify(this.#exit);
    const said = `${this.#stdout}${this.#stderr}`.slice(-4000);
    return `${this.name} (${state}) said last:\n${said}`;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#process.kill(signal);
  }

  /** Sends the signal and waits for the end; after `grace_ms` it sends SIGKILL. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', grace_ms = 30_000): Promise<ExitStatus> {
    this.signal(signal);
    const too_late = setTimeout(() => this.signal('SIGKILL'), grace_ms);
    try {
      return await this.exited;
    } finally {
      clearTimeout(too_late);
    }
  }

  /** Waits for the end; rejects, with the output, unless the exit code is 0. */
  async succeeded(): Promise<string> {
    const exit = await this.exited;
    if (exit.code !== 0) throw new Error(this.describe());
    return this.#stdout;
  }

  async #watch(): Promise<ExitStatus> {
    const killWithWorker = (): void => {
      this.#process.kill('SIGKILL');
    };
    process.once('exit', killWithWorker);
    try {
      const [code, signal] = (await once(this.#process, 'close')) as [
        number | null,
        NodeJS.Signals | null,
      ];
      this.#exit = { code, signal };
    } catch (error) {
      this.#stderr += `${String(error)}\n`;
      this.#exit = { code: 127, signal: null };
    } finally {
      process.off('exit', killWithWorker);
    }
    return this.#exit;
  }
}

const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/** Runs a command to its end and returns its whole stdout; rejects, with its output, unless it exits with 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'name'> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, {
    ...options,
    env: { ...process.env, ...options.env },
    maxBuffer: OUTPUT_MAX_BYTES,
  });
  return stdout;
}
