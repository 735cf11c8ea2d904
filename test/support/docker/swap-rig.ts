import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ForwardSink } from '../forward-sink.ts';
import type { LineReport } from '../line-counter.ts';
import { freePort } from '../ports.ts';
import type { ExitStatus } from '../process.ts';
import { RelayProcess } from '../relay-process.ts';
import { writeConfig } from '../relay-to-sink.ts';
import { SinkLines } from '../sink-lines.ts';
import { type TempDir, tempDir } from '../temp-dir.ts';
import { until } from '../wait.ts';
import type { DockerEngine } from './engine.ts';
import type { LogEntry } from './figures.ts';
import { Writers } from './writers.ts';
import type { Surroundings } from './writing.ts';

/** Of the relay: containers that never pause make it take its time, and the swaps should be many. */
const SHUTDOWN_TIMEOUT = '3s';
/** What each container writes before a swap, and while the relay is away. */
const SWAP_LINES = 400;
/** Between two looks at what arrived. */
const LOOK_MS = 100;
/**
 * When nothing has arrived for so long, what is missing counts as lost. A driver waits for
 * longer before each further attempt: half as long as the relay was away before, and a second.
 */
const QUIET_MIN_MS = 10_000;
/** The relay's own, which by default grow up to 30 s, must be shorter than that. */
const RETRY = { min: '100ms', max: '1s' };
/** After the last line, a second copy of one has so long to show itself. */
const DOUBLES_MS = 1_000;
const SETTLE_TIMEOUT_MS = 120_000;

/** The relay under test, as a process or as a container. */
export interface SwappedRelay {
  /** Its own log, over all of its runs. */
  readonly log: readonly LogEntry[];
  /** SIGTERM, and the end. */
  stop(): Promise<ExitStatus>;
  /** SIGKILL, and the end. */
  kill(): Promise<ExitStatus>;
  /** On the same journal; resolves once it accepts connections. */
  startAgain(): Promise<void>;
}

/** Where the relay listens and has its configuration, its journal and its socket. */
export interface RelayPlaces {
  readonly dir: string;
  readonly config_file: string;
  /** URLs of its listeners. */
  readonly listening: readonly string[];
}

export interface SwapRigOptions<Relay extends SwappedRelay> {
  /** False: the relay does not read Docker's files, and what a swap cuts is lost. */
  readonly reads_docker?: boolean;
  /** Further keys of the configuration's `docker`. */
  readonly docker?: Readonly<Record<string, unknown>>;
  readonly startRelay: (places: RelayPlaces) => Promise<Relay>;
}

/** The built relay as a process, with the configuration of the rig. */
export function relayProcess({ config_file, listening }: RelayPlaces): Promise<RelayProcess> {
  return RelayProcess.start({ args: ['--config', config_file], listening });
}

/** The `docker` part of the relay's configuration for a test's Engine. */
function dockerInput(engine: DockerEngine, further: object): object {
  return { root: engine.containers_dir, ...further };
}

interface Parts<Relay> {
  readonly relay: Relay;
  readonly sink: ForwardSink;
  readonly writers: Writers;
  readonly dir: TempDir;
}

/** Containers of a real Docker Engine, the relay, and a sink whose numbered lines are counted. */
export class SwapRig<Relay extends SwappedRelay = RelayProcess> {
  readonly relay: Relay;
  /** The upstream. */
  readonly sink: ForwardSink;
  readonly writers: Writers;
  readonly #dir: TempDir;
  readonly #lines: SinkLines;
  #longest_away_ms = 0;

  private constructor({ relay, sink, writers, dir }: Parts<Relay>) {
    this.relay = relay;
    this.sink = sink;
    this.writers = writers;
    this.#dir = dir;
    this.#lines = new SinkLines(sink, 'log');
  }

  static async start<Relay extends SwappedRelay>(
    engine: DockerEngine,
    { reads_docker = true, docker = {}, startRelay }: SwapRigOptions<Relay>,
  ): Promise<SwapRig<Relay>> {
    const dir = await tempDir('swap');
    const sink = await ForwardSink.listen({ port: await freePort() });
    try {
      const surroundings = await surroundingsIn(dir.path);
      const { tcp_address, unix_address } = surroundings;
      const listening = [tcp_address, `${unix_address}?mode=0660`];
      const config_file = await writeConfig(dir.path, {
        inputs: { forward: listening.map((listen) => ({ listen })) },
        outputs: {
          sink: { type: 'forward', servers: [`tcp://127.0.0.1:${sink.port}`], retry: RETRY },
        },
        docker: reads_docker ? dockerInput(engine, docker) : { root: 'off' },
        shutdown: { timeout: SHUTDOWN_TIMEOUT },
      });
      const relay = await startRelay({ dir: dir.path, config_file, listening });
      const writers = new Writers(engine, surroundings);
      return new SwapRig({ relay, sink, writers, dir });
    } catch (error) {
      await sink.stop();
      await dir.remove();
      throw error;
    }
  }

  /** Ends the relay, does something while it is away, starts it again on the same journal. */
  async swap(signal: 'SIGTERM' | 'SIGKILL', whileAway: () => Promise<void>): Promise<void> {
    const begun_ms = performance.now();
    await (signal === 'SIGTERM' ? this.relay.stop() : this.relay.kill());
    await whileAway();
    await this.relay.startAgain();
    this.#longest_away_ms = Math.max(this.#longest_away_ms, performance.now() - begun_ms);
  }

  /** Swaps it again and again; containers write before each swap and while it is away. */
  async swapTimes(times: number, signal: 'SIGTERM' | 'SIGKILL', lines = SWAP_LINES): Promise<void> {
    for (let swap = 0; swap < times; swap++) {
      await this.writers.writtenMore(lines);
      await this.swap(signal, () => this.writers.writtenMore(lines));
    }
  }

  /** Waits until all that was written by now has arrived: the relay has every log open then. */
  async caughtUp(): Promise<void> {
    await this.writers.writtenMore(0);
    const written = this.writers.linesWritten();
    await until(
      () => `all lines written so far; ${this.#lines.counter.report(written).examples.join()}`,
      () => this.#lines.counter.report(written).lost === 0,
      { timeout_ms: SETTLE_TIMEOUT_MS, interval_ms: LOOK_MS },
    );
  }

  /**
   * Ends the writing, waits until every line has arrived or nothing has for a good while,
   * ends containers and relay, and counts.
   */
  async finish(): Promise<SwapReport> {
    await this.writers.stop();
    const written = this.writers.linesWritten();
    await this.#settle([...written.values()].reduce((sum, lines) => sum + lines, 0));
    await this.writers.removeAll();
    const exit = await this.relay.stop();
    return { ...this.#lines.counter.report(written), exit, violations: this.sink.violations };
  }

  /** Ends and removes everything, whatever state it is in. */
  async dispose(): Promise<void> {
    // While the relay may still run: without it a synchronous driver blocks the removal.
    await this.writers.removeAll();
    await this.relay.kill();
    await this.sink.stop();
    await this.#dir.remove();
  }

  async #settle(total: number): Promise<void> {
    const quiet_ms = Math.max(QUIET_MIN_MS, this.#longest_away_ms);
    let events = 0;
    let changed_ms = performance.now();
    await until(
      'lines go on arriving',
      () => {
        if (this.sink.events !== events) {
          events = this.sink.events;
          changed_ms = performance.now();
        }
        const is_complete = this.#lines.counter.distinct >= total;
        return performance.now() - changed_ms > (is_complete ? DOUBLES_MS : quiet_ms);
      },
      { timeout_ms: SETTLE_TIMEOUT_MS, interval_ms: LOOK_MS },
    );
  }
}

export interface SwapReport extends LineReport {
  readonly exit: ExitStatus;
  /** Chunk ids that came with two payloads. */
  readonly violations: readonly string[];
}

async function surroundingsIn(dir: string): Promise<Surroundings> {
  const progress_dir = join(dir, 'progress');
  await mkdir(progress_dir);
  return {
    progress_dir,
    tcp_address: `tcp://127.0.0.1:${await freePort()}`,
    unix_address: `unix://${dir}/relay.sock`,
  };
}
