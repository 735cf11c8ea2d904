import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DockerConfig } from '../../../src/config/types.ts';
import { DockerInput } from '../../../src/inputs/docker/docker-input.ts';
import { MERGE_SPACE, MergeStates } from '../../../src/inputs/docker/merge/merge-states.ts';
import { DiskContainerFolders } from '../../../src/inputs/docker/registry/container-folders.ts';
import { ContainerRegistry } from '../../../src/inputs/docker/registry/registry.ts';
import { CHUNK_SPACE, ChunkDedup } from '../../../src/inputs/forward/dedup.ts';
import { Poller } from '../../../src/inputs/logfile/follow/poller.ts';
import { POSITION_SPACE, Positions } from '../../../src/inputs/logfile/positions.ts';
import { decodeEvents } from '../../../src/protocol/event.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { nodeFs } from '../../../src/sys/fs.ts';
import { DOCKER_DEFAULTS } from '../../support/docker-defaults.ts';
import { type Entry, jsonFileLine, localFrame } from '../../support/docker-entries.ts';
import { startServer, type TestServer } from '../../support/forward-server.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';
import { DockerFolder } from './registry/docker-folder.ts';

/** When the containers of `DockerFolder` were started. */
const STARTED_MS = Date.parse('2026-11-23T06:00:01.952Z');
const ALIVE_BEFORE_MS = STARTED_MS - 1;
export const ALIVE_SINCE_MS = STARTED_MS + 1;

const CONFIG: DockerConfig = {
  ...DOCKER_DEFAULTS,
  root: '/var/lib/docker',
  hostname: 'host1',
  tag: 'docker.{{.Name}}',
};

export interface DockerRigOptions {
  readonly config?: Partial<DockerConfig>;
  readonly alive_ms?: number;
  readonly own_id?: string;
}

/** An event as its tag and its line. */
export type TaggedLog = readonly [tag: string, log: string];

/** Containers as dockerd writes them to a folder, the Docker input on it, and a Forward server. */
export class DockerRig {
  readonly docker: DockerFolder;
  readonly log = new RecordingLog();
  readonly positions = new Positions();
  readonly merges = new MergeStates();
  readonly dedup = new ChunkDedup();
  readonly journal = new MemoryJournal({
    automatic: false,
    spaces: [
      [POSITION_SPACE, this.positions],
      [MERGE_SPACE, this.merges],
      [CHUNK_SPACE, this.dedup],
    ],
  });
  readonly #dir: TempDir;
  #registry: ContainerRegistry | undefined;
  #poller: Poller | undefined;
  #server: TestServer | undefined;
  #input: DockerInput | undefined;

  private constructor(dir: TempDir) {
    this.#dir = dir;
    this.docker = new DockerFolder(dir.path);
  }

  static async create(): Promise<DockerRig> {
    return new DockerRig(await tempDir('docker'));
  }

  get input(): DockerInput {
    if (this.#input === undefined) throw new Error('the rig is not started');
    return this.#input;
  }

  async start(options: DockerRigOptions = {}): Promise<this> {
    const { config = {}, alive_ms = ALIVE_BEFORE_MS, own_id } = options;
    const { journal, positions, merges, dedup, log } = this;
    const clock = systemClock;
    this.#poller = new Poller(clock);
    const folders = new DiskContainerFolders(this.#dir.path);
    this.#registry = new ContainerRegistry({ folders, clock, log });
    await this.#registry.start();
    this.#input = new DockerInput(
      { ...CONFIG, ...config },
      {
        ...{ journal, positions, merges, clock, log, alive_ms, own_id },
        poller: this.#poller,
        fs: nodeFs,
        containers: this.#registry,
        engine: undefined,
        listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 24224 }],
        interfaces: [],
        hostname: 'host1',
      },
    );
    await this.#input.start();
    const filters = this.#input.newFilter;
    this.#server = await startServer({ dedup, deps: { journal, filters } });
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    await this.#registry?.close();
    await this.#input?.stop();
    await this.#poller?.close();
    this.#server = undefined;
    this.#registry = undefined;
    this.#input = undefined;
    this.#poller = undefined;
  }

  async dispose(): Promise<void> {
    await this.stop();
    await this.#dir.remove();
  }

  async connect(): Promise<RawClient> {
    if (this.#server === undefined) throw new Error('the rig is not started');
    return this.#server.connect();
  }

  /** Messages that came over connections. */
  get messages_in(): number {
    return this.#server?.server.stats.messages_in ?? 0;
  }

  async writeJsonFile(id: string, ...entries: Entry[]): Promise<void> {
    const lines = entries.map((entry) => jsonFileLine(entry));
    await appendFile(join(this.#dir.path, id, `${id}-json.log`), Buffer.concat(lines));
  }

  async writeLocal(id: string, ...entries: Entry[]): Promise<void> {
    const folder = join(this.#dir.path, id, 'local-logs');
    await mkdir(folder, { recursive: true });
    const frames = entries.map((entry) => localFrame(entry));
    await appendFile(join(folder, 'container.log'), Buffer.concat(frames));
  }

  async writeCache(id: string, ...entries: Entry[]): Promise<void> {
    const frames = entries.map((entry) => localFrame(entry));
    await appendFile(join(this.#dir.path, id, 'container-cached.log'), Buffer.concat(frames));
  }

  /** Everything that was journaled, made durable. */
  journaled(): TaggedLog[] {
    this.journal.commit();
    return this.journal.records.flatMap(({ tag, body }) =>
      [...decodeEvents([body])].map(({ record }) => [tag, String(record['log'])] as const),
    );
  }

  /** Resolves with all lines once there are so many. */
  async lines(count: number): Promise<string[]> {
    await until(
      () => `${count} lines, there are ${JSON.stringify(this.journaled())}`,
      () => this.journaled().length >= count,
    );
    return this.journaled().map(([, log]) => log);
  }
}
