import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child, type ExitStatus } from '../process.ts';
import { until } from '../wait.ts';

/** Ruby takes its time on a loaded machine. */
const START_TIMEOUT_MS = 60_000;

/** A real Fluentd as one process of its own, with the configuration that the test gives. */
export class Fluentd {
  readonly #config_file: string;
  #child: Child;

  private constructor(config_file: string) {
    this.#config_file = config_file;
    this.#child = spawnFluentd(config_file);
  }

  /** Writes the configuration into `dir` and starts; resolves once the worker runs. */
  static async start(dir: string, config: string): Promise<Fluentd> {
    const config_file = join(dir, 'fluent.conf');
    await writeFile(config_file, `<system>\n  log_level info\n</system>\n${config}`);
    const fluentd = new Fluentd(config_file);
    await fluentd.#running();
    return fluentd;
  }

  describe(): string {
    return this.#child.describe();
  }

  /** SIGTERM: Fluentd flushes what it can. */
  stop(): Promise<ExitStatus> {
    return this.#child.stop('SIGTERM', 60_000);
  }

  kill(): Promise<ExitStatus> {
    return this.#child.stop('SIGKILL');
  }

  /** The same configuration again, after `stop` or `kill`. */
  async startAgain(): Promise<void> {
    if (this.#child.exit === undefined) throw new Error('fluentd still runs');
    this.#child = spawnFluentd(this.#config_file);
    await this.#running();
  }

  async #running(): Promise<void> {
    await until(
      () => `fluentd does not run; ${this.#child.describe()}`,
      () => {
        if (this.#child.exit !== undefined) throw new Error(this.#child.describe());
        return this.#child.stdout.includes('fluentd worker is now running');
      },
      { timeout_ms: START_TIMEOUT_MS },
    );
  }
}

function spawnFluentd(config_file: string): Child {
  return new Child('fluentd', ['--no-supervisor', '--config', config_file], { name: 'fluentd' });
}
