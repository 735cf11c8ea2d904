import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a test wants to be different in a container's files. */
export interface FileFields {
  readonly name?: string;
  readonly running?: boolean;
  readonly started?: boolean;
  readonly started_at?: string;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>>;
}

/** `config.v2.json` as dockerd 20.10 writes it, cut to what is near the fields that are read. */
export function configJson(id: string, fields: FileFields = {}): string {
  const { name = 'web', running = true, started = true, labels = { tier: 'front' } } = fields;
  const { started_at = '2026-11-23T06:00:01.952463603Z' } = fields;
  return JSON.stringify({
    StreamConfig: {},
    State: {
      Running: running,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      RemovalInProgress: false,
      Dead: false,
      Pid: running ? 7 : 0,
      ExitCode: 0,
      Error: '',
      StartedAt: started ? started_at : '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
      Health: null,
    },
    ID: id,
    Created: '2026-11-23T06:00:00.123456789Z',
    Managed: false,
    Path: '/bin/sh',
    Args: ['-c', 'echo hi'],
    Config: {
      Hostname: id.slice(0, 12),
      Domainname: '',
      User: '',
      AttachStdin: false,
      Tty: false,
      Env: ['PATH=/usr/bin:/bin', 'MODE=a=b'],
      Cmd: ['/bin/sh', '-c', 'echo hi'],
      Image: 'bb:1',
      Volumes: null,
      Entrypoint: null,
      OnBuild: null,
      Labels: labels,
    },
    Image: 'sha256:a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccddeeff00',
    NetworkSettings: { Bridge: '', SandboxID: '', Networks: { none: null } },
    LogPath: '',
    Name: `/${name}`,
    Driver: 'vfs',
    OS: 'linux',
    MountLabel: '',
    RestartCount: 0,
    HasBeenStartedBefore: true,
    LocalLogCacheMeta: { HaveNotifyEnabled: false },
  });
}

export function hostconfigJson({ driver = 'fluentd', options = {} }: FileFields = {}): string {
  return JSON.stringify({
    Binds: null,
    ContainerIDFile: '',
    LogConfig: { Type: driver, Config: options },
    NetworkMode: 'none',
    AutoRemove: false,
  });
}

/** A `containers` folder whose files are written as dockerd writes them: aside, then renamed. */
export class DockerFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async write(id: string, fields: FileFields = {}): Promise<void> {
    await mkdir(join(this.path, id), { recursive: true });
    await this.put(id, 'config.v2.json', configJson(id, fields));
    await this.put(id, 'hostconfig.json', hostconfigJson(fields));
  }

  async put(id: string, name: string, text: string): Promise<void> {
    const file = join(this.path, id, name);
    await writeFile(`${file}.tmp`, text);
    await rename(`${file}.tmp`, file);
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.path, id), { recursive: true });
  }
}

export function idOf(digit: string): string {
  return digit.repeat(64);
}
