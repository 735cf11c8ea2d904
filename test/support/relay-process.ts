import { existsSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Child, type ExitStatus } from './process.ts';
import { until } from './wait.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface RelayOptions {
  /** Arguments of `logboom run`. */
  readonly args: readonly string[];
  /** URLs of its listeners: the relay is up when all of them accept. */
  readonly listening: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The built relay as a process of its own: to be stopped, killed and started again on the same journal. */
export class RelayProcess {
  readonly #options: RelayOptions;
  #child: Child;
  /** What earlier runs wrote to standard error. */
  #earlier_stderr = '';

  private constructor(options: RelayOptions) {
    this.#options = options;
    this.#child = spawnRelay(options);
  }

  /** Resolves once it accepts connections; rejects, with its output, if it ends before. */
  static async start(options: RelayOptions): Promise<RelayProcess> {
    if (!existsSync(CLI)) throw new Error(`${CLI} is missing: npm run build`);
    const relay = new RelayProcess(options);
    await relay.#accepting();
    return relay;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stderr(): string {
    return this.#child.stderr;
  }

  get stdout(): string {
    return this.#child.stdout;
  }

  /** Its own log over all of its runs, as JSON. */
  get log(): Record<string, unknown>[] {
    return parseLog(`${this.#earlier_stderr}${this.stderr}`);
  }

  describe(): string {
    return this.#child.describe();
  }

  /** Sends the signal without waiting. */
  signal(signal: NodeJS.Signals): void {
    this.#child.signal(signal);
  }

  /** SIGTERM, and the end; a relay that hangs is killed, and its exit status shows it. */
  stop(): Promise<ExitStatus> {
    return this.#child.stop('SIGTERM');
  }

  kill(): Promise<ExitStatus> {
    return this.#child.stop('SIGKILL');
  }

  /** The same command line again, after `stop` or `kill`. */
  async startAgain(): Promise<void> {
    if (this.#child.exit === undefined) throw new Error('the relay still runs');
    this.#earlier_stderr += this.#child.stderr;
    this.#child = spawnRelay(this.#options);
    await this.#accepting();
  }

  /** Starts a second one with `--takeover` beside the first; resolves with how the first ended. */
  async takeOver(): Promise<ExitStatus> {
    const old = this.#child;
    const args = [...this.#options.args, '--takeover'];
    const young = spawnRelay({ ...this.#options, args });
    const exit = await until(
      () => `the old relay goes on; ${young.describe()}`,
      () => {
        if (young.exit !== undefined) throw new Error(young.describe());
        return old.exit;
      },
    ).catch(async (error: unknown) => {
      await young.stop('SIGKILL');
      throw error;
    });
    this.#earlier_stderr += old.stderr;
    this.#child = young;
    await this.#accepting();
    return exit;
  }

  #accepting(): Promise<void> {
    const child = this.#child;
    return accepting(this.#options.listening, () => {
      if (child.exit !== undefined) throw new Error(child.describe());
    });
  }
}

/** Resolves once all these listeners accept connections; `check` may throw when it is in vain. */
export async function accepting(
  urls: readonly string[],
  check: () => void = () => {},
): Promise<void> {
  for (const url of urls) {
    await until(`somebody accepts at ${url}`, () => {
      check();
      return accepts(url);
    });
  }
}

function spawnRelay(options: RelayOptions): Child {
  return new Child(process.execPath, [CLI, 'run', ...options.args], {
    name: 'logboom',
    ...(options.env === undefined ? {} : { env: options.env }),
  });
}

function accepts(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(targetOf(url));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function targetOf(url: string): NetConnectOpts {
  const { protocol, pathname, hostname, port } = new URL(url);
  return protocol === 'unix:' ? { path: pathname } : { host: hostname, port: Number(port) };
}

/** Log lines in their JSON form; text of another form, such as a crash, is no part of the log. */
export function parseLog(text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap(parseObject);
}

function parseObject(line: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [];
  } catch {
    return [];
  }
}
