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
}

/** One container of a test's Engine, without a network. */
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
      Image: 'logboom-test',
      Cmd: options.command,
      Env: Object.entries(options.env ?? {}).map(([key, value]) => `${key}=${value}`),
      Labels: options.labels ?? {},
      Tty: options.tty ?? false,
      HostConfig: {
        NetworkMode: 'none',
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

  /** SIGKILL, as the container's first process ignores SIGTERM. */
  async kill(): Promise<void> {
    await this.#api.post(`/containers/${this.id}/kill`);
  }

  async rename(name: string): Promise<void> {
    await this.#api.post(`/containers/${this.id}/rename?name=${name}`);
  }

  async remove(): Promise<void> {
    await this.#api.delete(`/containers/${this.id}?force=1&v=1`);
  }
}
