import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonFileLine } from '../../test/support/docker-entries.ts';
import { logText } from '../lib/wire.ts';

const LINE_BYTES = 100;
const BLOCK_LINES = 1000;
const TIME_S = 1_795_413_617;

/** Fake folders of running json-file containers, as dockerd writes them, with a line each. */
export class FakeContainers {
  readonly directory: string;
  readonly #log_files: readonly string[];
  /** Made before any clock starts. */
  readonly #block = lines(BLOCK_LINES);

  private constructor(directory: string, log_files: readonly string[]) {
    this.directory = directory;
    this.#log_files = log_files;
  }

  static async create(parent: string, count: number): Promise<FakeContainers> {
    const directory = join(parent, 'containers');
    const ids = Array.from(
      { length: count },
      (_, index) => `c${index.toString(16).padStart(63, '0')}`,
    );
    const files: string[] = [];
    for (const [index, id] of ids.entries()) {
      const folder = join(directory, id);
      const log_file = join(folder, `${id}-json.log`);
      await mkdir(folder, { recursive: true });
      await writeFile(
        join(folder, 'config.v2.json'),
        configuration(id, `/bench-${index}`, log_file),
      );
      await writeFile(join(folder, 'hostconfig.json'), HOST_CONFIGURATION);
      await writeFile(log_file, lines(1));
      files.push(log_file);
    }
    return new FakeContainers(directory, files);
  }

  get count(): number {
    return this.#log_files.length;
  }

  /** Appends at least as many lines to each log, whole blocks of them. Returns how many in all. */
  async write(lines_each: number): Promise<number> {
    const blocks_count = Math.ceil(lines_each / BLOCK_LINES);
    const bytes = Buffer.concat(Array.from({ length: blocks_count }, () => this.#block));
    await Promise.all(this.#log_files.map((file) => appendFile(file, bytes)));
    return blocks_count * BLOCK_LINES * this.count;
  }
}

/** What logboom reads of it, and little else. */
function configuration(id: string, name: string, log_file: string): string {
  return JSON.stringify({
    ID: id,
    Name: name,
    Created: new Date().toISOString(),
    Path: '/bin/sh',
    Args: [],
    State: { Running: true, StartedAt: new Date().toISOString() },
    Config: { Hostname: id.slice(0, 12), Tty: false, Env: [], Image: 'bench:1', Labels: {} },
    Image: `sha256:${id}`,
    LogPath: log_file,
  });
}

const HOST_CONFIGURATION = JSON.stringify({ LogConfig: { Type: 'json-file', Config: {} } });

function lines(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      jsonFileLine({
        source: index % 8 === 0 ? 'stderr' : 'stdout',
        log: logText(index, LINE_BYTES),
        time_s: TIME_S + Math.floor(index / 1000),
        time_ns: (index % 1000) * 1_000_000 + 1,
      }),
    ),
  );
}
