import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForwardSink, type SinkChunk } from './forward-sink.ts';
import type { LineReport } from './line-counter.ts';
import { freePort } from './ports.ts';
import type { ExitStatus } from './process.ts';
import { RelayProcess } from './relay-process.ts';
import { SinkLines } from './sink-lines.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { until } from './wait.ts';

/** Lines that have not arrived by then are lost. */
const ARRIVAL_TIMEOUT_MS = 90_000;

/** Further keys as in the configuration. */
interface Listener {
  readonly listen: string;
  readonly [key: string]: unknown;
}

export interface RelayToSinkOptions {
  /** Listeners beside the plain one on `port`, as in the configuration's `inputs.forward`. */
  readonly listeners?: readonly Listener[];
  /** The field of an event that holds its numbered line; by default `log`. */
  readonly line_field?: string;
}

/** One event that arrived, once for each chunk id. */
export type TakenEvent = SinkChunk['entries'][number] & { readonly tag: string };

interface Parts {
  readonly relay: RelayProcess;
  readonly sink: ForwardSink;
  readonly port: number;
  readonly dir: TempDir;
  readonly line_field: string;
}

/** The relay as a process, forwarding to a sink whose numbered lines are counted. */
export class RelayToSink {
  readonly relay: RelayProcess;
  readonly sink: ForwardSink;
  /** The plain TCP listener. */
  readonly port: number;
  readonly #dir: TempDir;
  readonly #lines: SinkLines;

  private constructor({ relay, sink, port, dir, line_field }: Parts) {
    this.relay = relay;
    this.sink = sink;
    this.port = port;
    this.#dir = dir;
    this.#lines = new SinkLines(sink, line_field);
  }

  static async start(options: RelayToSinkOptions = {}): Promise<RelayToSink> {
    const { listeners = [], line_field = 'log' } = options;
    const dir = await tempDir('relay');
    const sink = await ForwardSink.listen({ port: await freePort() });
    const port = await freePort();
    const forward = [{ listen: `tcp://127.0.0.1:${port}` }, ...listeners];
    try {
      const config = await writeConfig(dir.path, {
        inputs: { forward },
        outputs: { sink: { type: 'forward', servers: [`tcp://127.0.0.1:${sink.port}`] } },
      });
      const relay = await RelayProcess.start({
        args: ['--config', config],
        listening: forward.map(({ listen }) => listen),
      });
      return new RelayToSink({ relay, sink, port, dir, line_field });
    } catch (error) {
      await sink.stop();
      await dir.remove();
      throw error;
    }
  }

  /** Everything that arrived so far, in order. */
  get events(): TakenEvent[] {
    return this.sink.taken.flatMap(({ tag, entries }) =>
      entries.map((entry) => ({ ...entry, tag })),
    );
  }

  /** Different lines that arrived so far. */
  get distinct(): number {
    return this.#lines.counter.distinct;
  }

  /** Waits until so many different lines have arrived in all: for doing something in the middle. */
  async arrived(lines: number): Promise<void> {
    await until(
      () => `${this.distinct} of ${lines} lines arrived; ${this.relay.describe()}`,
      () => this.distinct >= lines,
      { timeout_ms: ARRIVAL_TIMEOUT_MS },
    );
  }

  /** SIGKILL in the middle of its work, and a new start on the same journal. */
  async killAndStartAgain(): Promise<void> {
    await this.relay.kill();
    await this.relay.startAgain();
  }

  /**
   * Waits for all lines (or long enough to call them lost), stops the relay, which sends
   * what it still has, and counts. `exit` and `violations` belong to the judgement.
   */
  async finish(written: ReadonlyMap<string, number>): Promise<FinalReport> {
    const total = [...written.values()].reduce((sum, lines) => sum + lines, 0);
    await this.arrived(total).catch(() => {});
    const exit = await this.relay.stop();
    return { ...this.#lines.counter.report(written), exit, violations: this.sink.violations };
  }

  /** Ends and removes everything, whatever state it is in. */
  async dispose(): Promise<void> {
    await this.relay.kill();
    await this.sink.stop();
    await this.#dir.remove();
  }
}

export interface FinalReport extends LineReport {
  readonly exit: ExitStatus;
  readonly violations: readonly string[];
}

/** What a run must show in which no line may be lost, doubled or moved. */
export const FLAWLESS = {
  lost: 0,
  doubled: 0,
  out_of_order: 0,
  examples: [],
  violations: [],
  exit: { code: 0, signal: null },
} as const;

/** Writes a configuration with its journal in `dir`, without the status page; the Docker input is off if not given. */
export async function writeConfig(
  dir: string,
  config: {
    readonly inputs: object;
    readonly outputs: object;
    readonly docker?: object;
    readonly shutdown?: object;
  },
): Promise<string> {
  const file = join(dir, 'logboom.yaml');
  const whole = {
    docker: { root: 'off' },
    ...config,
    journal: { dir: join(dir, 'journal') },
    status: { listen: 'off' },
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(whole, null, 2));
  return file;
}
