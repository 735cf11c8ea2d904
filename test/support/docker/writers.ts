import { readFile, writeFile } from 'node:fs/promises';
import { until } from '../wait.ts';
import type { Container } from './container.ts';
import type { DockerEngine } from './engine.ts';
import { linesWritten } from './line-writer.ts';
import { filesOf, type Surroundings, startWriting, type Writing } from './writing.ts';

const STEP_TIMEOUT_MS = 60_000;

interface Progress {
  /** On stdout. */
  readonly lines: number;
  readonly is_done: boolean;
}

/**
 * The containers of a run. Each reports its progress in a file and is told there to stop,
 * so that waiting for them depends neither on Docker's logs nor on how fast the machine is.
 */
export class Writers {
  readonly #engine: DockerEngine;
  readonly #surroundings: Surroundings;
  readonly #writings = new Map<string, Writing>();
  readonly #containers = new Map<string, Container>();
  readonly #progress = new Map<string, Progress>();

  constructor(engine: DockerEngine, surroundings: Surroundings) {
    this.#engine = engine;
    this.#surroundings = surroundings;
  }

  get names(): string[] {
    return [...this.#writings.keys()];
  }

  async start(writings: readonly Writing[]): Promise<void> {
    await Promise.all(
      writings.map(async (writing) => {
        this.#writings.set(writing.name, writing);
        const container = await startWriting(this.#engine, writing, this.#surroundings);
        this.#containers.set(writing.name, container);
      }),
    );
  }

  container(name: string): Container {
    const container = this.#containers.get(name);
    if (container === undefined) throw new Error(`there is no container ${name}`);
    return container;
  }

  /** Waits until each of them has written so many lines on stdout. */
  async written(lines: number, names = this.names): Promise<void> {
    for (const name of names) {
      await this.#reached(name, `${lines} lines`, (progress) => progress.lines >= lines);
    }
  }

  /** Waits until each has written so many lines more than now; rejects if one stops before. */
  async writtenMore(lines_more: number, names = this.names): Promise<void> {
    const targets = await Promise.all(
      names.map(async (name) => [name, (await this.#look(name)).lines + lines_more] as const),
    );
    for (const [name, lines] of targets) await this.written(lines, [name]);
  }

  /** Tells them to write no more, and waits until they have heard it. */
  async stop(names = this.names): Promise<void> {
    for (const name of names) await writeFile(this.#filesOf(name).stop, '');
    for (const name of names) await this.#reached(name, 'its end', ({ is_done }) => is_done);
  }

  /** Tells them to write no more, and waits until their containers have ended: for those that do not linger. */
  async end(names = this.names): Promise<void> {
    await this.stop(names);
    await this.ended(names);
  }

  /** Waits until their containers have ended. */
  async ended(names = this.names): Promise<void> {
    const ids = names.map((name) => this.container(name).id);
    await until(
      () => `containers go on; ${this.#engine.describe()}`,
      async () => {
        const running = await this.#engine.running();
        return !ids.some((id) => running.has(id));
      },
      { timeout_ms: STEP_TIMEOUT_MS },
    );
  }

  /** All lines that they wrote, by stream; after `stop`. */
  linesWritten(): Map<string, number> {
    const written = [...this.#writings].map(([name, { writer }]) =>
      linesWritten(name, writer, this.#progress.get(name)?.lines ?? 0),
    );
    return new Map(written.flatMap((streams) => [...streams]));
  }

  async removeAll(): Promise<void> {
    const containers = [...this.#containers.values()];
    this.#containers.clear();
    await Promise.allSettled(containers.map((container) => container.remove()));
  }

  async #reached(
    name: string,
    what: string,
    isReached: (progress: Progress) => boolean,
  ): Promise<void> {
    await until(
      () => `${name} wrote ${this.#progress.get(name)?.lines} lines, not ${what}`,
      async () => {
        const progress = await this.#look(name);
        if (isReached(progress)) return true;
        if (progress.is_done) throw new Error(`${name} ended before ${what}`);
        return false;
      },
      { timeout_ms: STEP_TIMEOUT_MS },
    );
  }

  /** A file that is being rewritten is empty for a moment: then the look before counts. */
  async #look(name: string): Promise<Progress> {
    const text = await readFile(this.#filesOf(name).progress, 'utf8').catch(() => '');
    const [, lines, done] = /^(\d+)( done)?\n$/.exec(text) ?? [];
    if (lines !== undefined) {
      this.#progress.set(name, { lines: Number(lines), is_done: done !== undefined });
    }
    return this.#progress.get(name) ?? { lines: 0, is_done: false };
  }

  #filesOf(name: string): ReturnType<typeof filesOf> {
    return filesOf(this.#surroundings.progress_dir, name);
  }
}
