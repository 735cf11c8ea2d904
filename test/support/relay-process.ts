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
    this.#child = spawnRelay(this.#options);
    await this.#accepting();
  }

  async #accepting(): Promise<void> {
    for (const url of this.#options.listening) {
      await until(
        () => `nobody accepts at ${url}; ${this.#child.describe()}`,
        () => {
          if (this.#child.exit !== undefined) throw new Error(this.#child.describe());
          return accepts(url);
        },
      );
    }
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
