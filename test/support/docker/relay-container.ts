import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExitStatus } from '../process.ts';
import { accepting, parseLog } from '../relay-process.ts';
import type { Container } from './container.ts';
import type { DockerEngine } from './engine.ts';
import type { LogEntry } from './figures.ts';
import { APP_DIR, relayImageTar } from './relay-image.ts';
import type { RelayPlaces, SwappedRelay } from './swap-rig.ts';

const NAME = 'logboom';

/** A newer image, and what came before it, for the way back. */
const IMAGES = [`${NAME}:1`, `${NAME}:2`];

/**
 * The relay as a container of the Engine whose containers it reads. Each start uses the
 * other one of two images; configuration, journal and socket lie on a volume, at the same
 * paths as outside. It has the host's network, as the test's Engine has no bridge.
 */
export class RelayContainer implements SwappedRelay {
  readonly #engine: DockerEngine;
  readonly #places: RelayPlaces;
  #starts = 0;
  #container: Container | undefined;
  readonly #log: LogEntry[] = [];

  private constructor(engine: DockerEngine, places: RelayPlaces) {
    this.#engine = engine;
    this.#places = places;
  }

  static async start(engine: DockerEngine, places: RelayPlaces): Promise<RelayContainer> {
    const tar = await relayImageTar();
    for (const image of IMAGES) await engine.importImage(image, tar, `LABEL version=${image}`);
    const relay = new RelayContainer(engine, places);
    await relay.startAgain();
    return relay;
  }

  get log(): readonly LogEntry[] {
    return this.#log;
  }

  stop(): Promise<ExitStatus> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<ExitStatus> {
    return this.#end('SIGKILL');
  }

  async startAgain(): Promise<void> {
    const { dir, config_file, listening } = this.#places;
    const image = IMAGES[this.#starts++ % IMAGES.length] ?? NAME;
    this.#container = await this.#engine.run({
      ...{ name: NAME, image, network: 'host' },
      command: [process.execPath, `${APP_DIR}/dist/cli.js`, 'run', '--config', config_file],
      log: { driver: 'json-file' },
      binds: [`${dir}:${dir}`, `${this.#engine.containers_dir}:${this.#engine.containers_dir}:ro`],
    });
    try {
      await accepting(listening);
    } catch (error) {
      throw new Error(`the container said: ${await this.#logOf(this.#container)}`, {
        cause: error,
      });
    }
  }

  async #end(signal: NodeJS.Signals): Promise<ExitStatus> {
    const container = this.#container;
    if (container === undefined) return { code: 0, signal: null };
    this.#container = undefined;
    const ended = container.ended();
    // It may have ended by itself; its exit code tells how.
    await container.kill(signal).catch(() => {});
    const code = await ended;
    this.#log.push(...parseLog(await this.#logOf(container)));
    await container.remove();
    return { code, signal: null };
  }

  async #logOf({ id }: Container): Promise<string> {
    const file = await readFile(join(this.#engine.containers_dir, id, `${id}-json.log`), 'utf8');
    const lines = file.trimEnd().split('\n');
    return lines.map((line) => (JSON.parse(line) as { log: string }).log).join('');
  }
}
