import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ForwardSink } from './forward-sink.ts';
import { freePort } from './ports.ts';
import { Child } from './process.ts';
import { writeConfig } from './relay-to-sink.ts';
import { SinkLines } from './sink-lines.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { until } from './wait.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Of the Node.js that the relays run on, and of what they are told. */
export interface RigOptions {
  readonly node?: string;
  readonly shutdown_timeout?: string;
  /** Folders inside the rig's own, down to the journal's parent. */
  readonly deep?: string;
  /** A listening socket's descriptor, given to every relay as systemd does. */
  readonly activated_fd?: number;
}

type Environment = Readonly<Record<string, string>>;

/** sd_listen_fds(3): the variable names the process that the sockets are for. */
const ACTIVATE = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=logs exec "$@"';

/** Relays of one journal, a TCP port and a unix socket, in front of a sink that counts. */
export class TakeoverRig {
  readonly sink: ForwardSink;
  readonly lines: SinkLines;
  readonly port: number;
  readonly socket_path: string;
  readonly journal: string;
  readonly #dir: TempDir;
  readonly #config: string;
  readonly #options: RigOptions;
  readonly #relays: Child[] = [];

  private constructor(
    sink: ForwardSink,
    port: number,
    dir: TempDir,
    config: string,
    options: RigOptions,
  ) {
    this.sink = sink;
    this.lines = new SinkLines(sink, 'log');
    this.port = port;
    this.socket_path = join(dir.path, 'in.sock');
    this.journal = join(config, '../journal');
    this.#dir = dir;
    this.#config = config;
    this.#options = options;
  }

  static async make(options: RigOptions = {}): Promise<TakeoverRig> {
    if (!existsSync(CLI)) throw new Error(`${CLI} is missing: npm run build`);
    const dir = await tempDir('takeover');
    const sink = await ForwardSink.listen({ port: await freePort() });
    const port = await freePort();
    const unix = `unix://${join(dir.path, 'in.sock')}?mode=0600`;
    const activated = options.activated_fd === undefined ? [] : ['systemd://logs'];
    const listen = [`tcp://127.0.0.1:${port}`, unix, ...activated];
    const home = join(dir.path, options.deep ?? '');
    await mkdir(home, { recursive: true });
    const config = await writeConfig(home, {
      inputs: { forward: listen.map((url) => ({ listen: url })) },
      outputs: { sink: { type: 'forward', servers: [`tcp://127.0.0.1:${sink.port}`] } },
      shutdown: { timeout: options.shutdown_timeout ?? '2s' },
    });
    return new TakeoverRig(sink, port, dir, config, options);
  }

  /** A relay of this journal, not waited for; `config` if it is to be another than the rig's. */
  spawn(args: readonly string[] = [], config = this.#config, env: Environment = {}): Child {
    const { node = process.execPath, activated_fd } = this.#options;
    const command = [node, CLI, 'run', '--config', config, ...args];
    const name = `logboom ${args.join(' ')}`;
    const relay =
      activated_fd === undefined
        ? new Child(node, command.slice(1), { name, env })
        : new Child('/bin/sh', ['-c', ACTIVATE, 'sh', ...command], {
            ...{ name, env },
            descriptors: [activated_fd],
          });
    this.#relays.push(relay);
    return relay;
  }

  /** A relay of this journal that runs. */
  async start(args: readonly string[] = [], env: Environment = {}): Promise<Child> {
    const relay = this.spawn(args, this.#config, env);
    await saying(relay, '"running"');
    return relay;
  }

  async dispose(): Promise<void> {
    for (const relay of this.#relays) relay.signal('SIGCONT');
    await Promise.all(this.#relays.map((relay) => relay.stop('SIGKILL')));
    await this.sink.stop();
    await this.#dir.remove();
  }
}

/**
 * The environment of a relay that stops as with SIGSTOP when it logs `text`. A signal from
 * the test, which has to read that line first, may come when the relay is long past it.
 */
export function freezingAt(text: string): Environment {
  const hook = `
    import fs from 'node:fs';
    const { write } = fs;
    fs.write = (fd, line, ...more) => {
      if (String(line).includes(${JSON.stringify(text)})) process.kill(process.pid, 'SIGSTOP');
      return write(fd, line, ...more);
    };
  `;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };
}

/** Waits until the relay's log has `text`. */
export async function saying(relay: Child, text: string): Promise<void> {
  await until(
    () => `${text} is not said; ${relay.describe()}`,
    () => {
      if (relay.stderr.includes(text)) return true;
      if (relay.exit !== undefined) throw new Error(relay.describe());
      return false;
    },
  );
}
