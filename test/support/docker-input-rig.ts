import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeMulti } from '@msgpack/msgpack';
import type { DockerConfig } from '../../src/config/types.ts';
import { ApiRegistry } from '../../src/inputs/docker/api/api-registry.ts';
import { EngineApi } from '../../src/inputs/docker/api/engine-api.ts';
import { DockerInput, type DockerInputDeps } from '../../src/inputs/docker/docker-input.ts';
import { MERGE_SPACE, MergeStates } from '../../src/inputs/docker/merge/merge-states.ts';
import { DiskContainerFolders } from '../../src/inputs/docker/registry/container-folders.ts';
import { ContainerRegistry } from '../../src/inputs/docker/registry/registry.ts';
import type { ContainerSource } from '../../src/inputs/docker/types.ts';
import { Poller } from '../../src/inputs/logfile/follow/poller.ts';
import { POSITION_SPACE, Positions } from '../../src/inputs/logfile/positions.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { nodeFs } from '../../src/sys/fs.ts';
import { DockerFolder } from '../inputs/docker/registry/docker-folder.ts';
import { DOCKER_DEFAULTS } from './docker-defaults.ts';
import { FakeEngine } from './fake-engine.ts';
import { MemoryJournal } from './memory-journal.ts';
import { RecordingLog } from './recording-log.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { until } from './wait.ts';

/** Of every line. */
const TIME = '2026-11-23T06:00:02.000000001Z';

const CONFIG: DockerConfig = {
  ...DOCKER_DEFAULTS,
  tag: '{{.Name}}',
  forget_after_ms: 60_000,
};

export interface RunOptions extends Partial<DockerInputDeps> {
  readonly config?: Partial<DockerConfig>;
  /** Where containers are known from, and whether the Engine may be asked for logs. */
  readonly from?: 'files' | 'engine' | 'both';
}

/** One Docker input after another over one journal in memory, with Docker's files and an Engine that are made up. */
export class DockerInputRig {
  readonly folder: DockerFolder;
  readonly positions = new Positions();
  readonly merges = new MergeStates();
  readonly journal: MemoryJournal;
  readonly engine: FakeEngine;
  log = new RecordingLog();
  input: DockerInput | undefined;
  readonly #dir: TempDir;
  #containers: ContainerSource | undefined;
  #close: () => Promise<void> = async () => {};

  private constructor(dir: TempDir, engine: FakeEngine) {
    this.#dir = dir;
    this.engine = engine;
    this.folder = new DockerFolder(dir.path);
    this.journal = new MemoryJournal({
      spaces: [
        [POSITION_SPACE, this.positions],
        [MERGE_SPACE, this.merges],
      ],
    });
  }

  static async open(): Promise<DockerInputRig> {
    return new DockerInputRig(await tempDir('docker-input'), await FakeEngine.start());
  }

  async start({ config = {}, from = 'files', ...more }: RunOptions = {}): Promise<void> {
    const clock = systemClock;
    this.log = new RecordingLog();
    const { log } = this;
    const endpoint = { url: 'unix://engine', socketPath: this.engine.socket_path };
    const api = new EngineApi(endpoint, clock);
    const files = new ContainerRegistry({
      folders: new DiskContainerFolders(this.folder.path),
      clock,
      log,
    });
    const told = new ApiRegistry({ api, clock, log });
    const containers = from === 'engine' ? told : files;
    await containers.start();
    const poller = new Poller(clock);
    this.input = new DockerInput(
      { ...CONFIG, ...config },
      {
        journal: this.journal,
        positions: this.positions,
        merges: this.merges,
        ...{ poller, fs: nodeFs, clock, log, containers },
        engine: from === 'files' ? undefined : api,
        listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 24_224 }],
        interfaces: [],
        hostname: 'here',
        own_id: undefined,
        alive_ms: Date.now(),
        ...more,
      },
    );
    const { input } = this;
    this.#containers = containers;
    this.#close = async () => {
      await (from === 'engine' ? told.stop() : files.close());
      await input.stop();
      await poller.close();
    };
    await input.start();
  }

  /** As an orderly stop leaves it; everything that was appended is durable. */
  async stop(): Promise<void> {
    await this.#close();
    this.#close = async () => {};
    this.journal.commit();
  }

  async dispose(): Promise<void> {
    await this.stop();
    await this.engine.dispose();
    await this.#dir.remove();
  }

  /** Looks at a container's files at once. */
  async look(id: string): Promise<void> {
    await this.#containers?.rescan(id);
  }

  /** Appends to a container's json-file log. */
  async write(id: string, ...lines: string[]): Promise<void> {
    const entries = lines.map(
      (log) => `${JSON.stringify({ log: `${log}\n`, stream: 'stdout', time: TIME })}\n`,
    );
    await appendFile(join(this.folder.path, id, `${id}-json.log`), entries.join(''));
  }

  /** `tag line` of everything that is journaled. */
  get lines(): string[] {
    this.journal.commit();
    return this.journal.records.flatMap(({ tag, body }) =>
      recordsOf(body).map(({ log }) => `${tag} ${String(log)}`),
    );
  }

  /** The same, all fields. */
  get records(): Record<string, unknown>[] {
    return this.journal.records.flatMap(({ body }) => recordsOf(body));
  }

  arrived(...lines: string[]): Promise<unknown> {
    return until(
      () => `${lines.join()} in ${this.lines.join()}`,
      () => this.lines.length >= lines.length && this.lines.join() === lines.join(),
    );
  }

  /** Resolves when a position is kept under this key. */
  keeps(key: string): Promise<unknown> {
    return until(`a position of ${key}`, () => {
      this.journal.commit();
      return this.positions.get(key) !== undefined;
    });
  }
}

function recordsOf(body: Buffer): Record<string, unknown>[] {
  return [...decodeMulti(body)].map((entry) => (entry as [unknown, Record<string, unknown>])[1]);
}
