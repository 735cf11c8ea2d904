import type { DockerApi } from './api.ts';

interface LogOptions {
  readonly driver: 'fluentd' | 'json-file' | 'local' | 'none';
  /** The `--log-opt` pairs, without the driver's `fluentd-` prefix left out. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface ContainerOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly log: LogOptions;
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  /** `--rm`. */
  readonly auto_remove?: boolean;
  /** The one that writes lines, if not given. */
  readonly image?: string;
  /** Bind mounts, `SOURCE:TARGET[:ro]`. */
  readonly binds?: readonly string[];
  readonly network?: 'none' | 'host';
}

/** A log driver that hangs blocks its container's removal (formats.md 3.6), for 10 s if the daemon ends it. */
const REMOVE_TIMEOUT_MS = 30_000;

/** One container of a test's Engine. */
export class Container {
  readonly id: string;
  readonly name: string;
  readonly #api: DockerApi;

  private constructor(api: DockerApi, id: string, name: string) {
    this.#api = api;
    this.id = id;
    this.name = name;
  }

  static async create(api: DockerApi, options: ContainerOptions): Promise<Container> {
    const created = (await api.post(`/containers/create?name=${options.name}`, {
      Image: options.image ?? 'logboom-test',
      Cmd: options.command,
      Env: Object.entries(options.env ?? {}).map(([key, value]) => `${key}=${value}`),
      Labels: options.labels ?? {},
      Tty: options.tty ?? false,
      HostConfig: {
        NetworkMode: options.network ?? 'none',
        Binds: options.binds ?? [],
        AutoRemove: options.auto_remove ?? false,
        LogConfig: { Type: options.log.driver, Config: options.log.options ?? {} },
      },
    })) as { Id: string };
    return new Container(api, created.Id, options.name);
  }

  async start(): Promise<void> {
    await this.#api.post(`/containers/${this.id}/start`);
  }

  /** Resolves with the exit code when the container has ended (for `auto_remove`: call it while it runs). */
  async ended(): Promise<number> {
    const result = (await this.#api.post(`/containers/${this.id}/wait`)) as { StatusCode: number };
    return result.StatusCode;
  }

  /** SIGKILL if not given: a first process without a handler ignores everything else. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#api.post(`/containers/${this.id}/kill?signal=${signal}`);
  }

  async rename(name: string): Promise<void> {
    await this.#api.post(`/containers/${this.id}/rename?name=${name}`);
  }

  async remove(): Promise<void> {
    const too_late = AbortSignal.timeout(REMOVE_TIMEOUT_MS);
    await this.#api.delete(`/containers/${this.id}?force=1&v=1`, too_late);
  }
}
