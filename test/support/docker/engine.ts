import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../process.ts';
import { type TempDir, tempDir } from '../temp-dir.ts';
import { until } from '../wait.ts';
import { DockerApi } from './api.ts';
import { Container, type ContainerOptions } from './container.ts';
import { imageTar } from './image.ts';
import { killLeftovers, unmountBelow } from './leftovers.ts';
import { type DockerProgram, newerDocker } from './newer-engine.ts';

const DOCKERD_PATHS = ['/usr/sbin/dockerd', '/usr/bin/dockerd'];
const START_TIMEOUT_MS = 60_000;
/** A container whose log driver hangs blocks its own removal (formats.md 3.6). */
const REMOVE_TIMEOUT_MS = 10_000;

/** With LOGBOOM_NEWER_DOCKER=1 that of Debian's next release. */
async function dockerProgram(): Promise<DockerProgram> {
  if (process.env['LOGBOOM_NEWER_DOCKER'] === '1') return newerDocker();
  const dockerd = findDockerd();
  if (dockerd === undefined) throw new Error(`no dockerd at ${DOCKERD_PATHS.join(' or ')}`);
  return { dockerd, path_env: process.env['PATH'] ?? '' };
}

export function findDockerd(): string | undefined {
  return DOCKERD_PATHS.find((path) => existsSync(path));
}

/**
 * A Docker Engine of the test's own: its own data root, socket, containerd and pid file, no
 * bridge, no iptables; it touches no other Engine on the machine. Log drivers connect from
 * the daemon, so containers need no network.
 */
export class DockerEngine {
  readonly api: DockerApi;
  readonly #root: TempDir;
  readonly #daemon: Child;

  private constructor(root: TempDir, daemon: Child) {
    this.#root = root;
    this.#daemon = daemon;
    this.api = new DockerApi(join(root.path, 'docker.sock'));
  }

  /** Starts dockerd and imports the image; everything lies in a temporary folder. */
  static async start(): Promise<DockerEngine> {
    const { dockerd, path_env } = await dockerProgram();
    // A short name: unix sockets below it must stay within 108 bytes.
    const root = await tempDir('dkr');
    const daemon = new Child(dockerd, daemonArguments(root.path), { env: { PATH: path_env } });
    const engine = new DockerEngine(root, daemon);
    try {
      await engine.#ready();
      await engine.importImage('logboom-test', await imageTar());
      return engine;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  get socket_path(): string {
    return join(this.#root.path, 'docker.sock');
  }

  /** Docker's `containers` folder, with each container's own files. */
  get containers_dir(): string {
    return join(this.#root.path, 'data', 'containers');
  }

  /** What the daemon said last, for failure messages. */
  describe(): string {
    return this.#daemon.describe();
  }

  async version(): Promise<string> {
    return ((await this.api.get('/version')) as { Version: string }).Version;
  }

  /** `docker import`. */
  async importImage(name: string, tar: Buffer, change = ''): Promise<void> {
    const changes = change === '' ? '' : `&changes=${encodeURIComponent(change)}`;
    await this.api.post(`/images/create?fromSrc=-&repo=${name}${changes}`, tar);
  }

  /** Ids of the containers that run now; the daemon answers also while one of them hangs. */
  async running(): Promise<Set<string>> {
    const containers = (await this.api.get('/containers/json')) as { Id: string }[];
    return new Set(containers.map(({ Id }) => Id));
  }

  /** Creates and starts a container; rejects with the Engine's message if its log driver can't start. */
  async run(options: ContainerOptions): Promise<Container> {
    const container = await Container.create(this.api, options);
    await container.start();
    return container;
  }

  /** Ends all containers and the daemon, by pid, and removes every mount and file. */
  async stop(): Promise<void> {
    // A daemon that crashed can't be asked; its leftovers are ended below.
    await this.#removeContainers().catch(() => {});
    await this.#daemon.stop('SIGTERM', 20_000);
    await killLeftovers(this.#root.path);
    await unmountBelow(this.#root.path);
    await this.#root.remove();
  }

  async #ready(): Promise<void> {
    await until(
      () => `dockerd does not answer; ${this.#daemon.describe()}`,
      async () => {
        if (this.#daemon.exit !== undefined) throw new Error(this.#daemon.describe());
        return this.api.get('/_ping').catch(() => undefined);
      },
      { timeout_ms: START_TIMEOUT_MS, interval_ms: 100 },
    );
  }

  async #removeContainers(): Promise<void> {
    const containers = (await this.api.get('/containers/json?all=1')) as { Id: string }[];
    await Promise.allSettled(
      containers.map(({ Id }) =>
        this.api.delete(`/containers/${Id}?force=1&v=1`, AbortSignal.timeout(REMOVE_TIMEOUT_MS)),
      ),
    );
  }
}

function daemonArguments(root: string): string[] {
  return [
    `--data-root=${join(root, 'data')}`,
    `--exec-root=${join(root, 'exec')}`,
    `--pidfile=${join(root, 'docker.pid')}`,
    `--host=unix://${join(root, 'docker.sock')}`,
    // One small layer: copying it works on every filesystem, overlay on overlay does not.
    '--storage-driver=vfs',
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
    '--shutdown-timeout=5',
    '--log-level=warn',
  ];
}
