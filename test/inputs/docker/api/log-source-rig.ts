import { ApiLogSource, type SourceEnd } from '../../../../src/inputs/docker/api/api-log-source.ts';
import { EngineApi } from '../../../../src/inputs/docker/api/engine-api.ts';
import { type LogLine, PIECE, SOURCE } from '../../../../src/inputs/logfile/types.ts';
import { LIMITS } from '../../../../src/limits.ts';
import type { Clock } from '../../../../src/sys/clock.ts';
import { RecordingLog } from '../../../support/recording-log.ts';

/** Back-off takes a millisecond; the time limit of calls is as it is. */
const impatientClock: Clock = {
  now_ms: () => Date.now(),
  monotonic_ms: () => performance.now(),
  after(delay_ms, task) {
    const timer = setTimeout(task, delay_ms === LIMITS.engine_call_timeout_ms ? delay_ms : 1);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export interface RigOptions {
  readonly socket_path: string;
  readonly container_id: string;
  readonly tty?: boolean;
  readonly isRunning: () => boolean;
  readonly from?: 'oldest' | 'newest';
}

/**
 * Reads one container's log into memory, with a crash at will: what came since the last
 * position is forgotten then, as a journal forgets what was not committed.
 */
export class LogSourceRig {
  /** `stdout line`, as it was committed. */
  readonly committed: string[] = [];
  readonly log = new RecordingLog();
  end: SourceEnd | undefined;
  failure: unknown;
  readonly #options: RigOptions;
  #uncommitted: string[] = [];
  #place: Buffer | undefined;
  #stopping = new AbortController();
  #source: ApiLogSource | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RigOptions) {
    this.#options = options;
  }

  start(): void {
    const { socket_path, container_id, tty = false, isRunning, from = 'oldest' } = this.#options;
    const source: ApiLogSource = new ApiLogSource({
      api: new EngineApi({ url: 'unix://engine', socketPath: socket_path }, impatientClock),
      container_id,
      tty,
      from: this.#place ?? from,
      isRunning,
      consumer: {
        line: (line) => this.#uncommitted.push(textOf(line)),
        position: (place) => this.#commit(source, place),
      },
      clock: impatientClock,
      log: this.log,
    });
    this.#place ??= source.place;
    this.#stopping = new AbortController();
    this.#source = source;
    this.#running = this.#run(source, this.#stopping.signal);
  }

  async #run(source: ApiLogSource, signal: AbortSignal): Promise<void> {
    try {
      this.end = await source.run(signal);
    } catch (error) {
      this.failure = error;
    }
  }

  wake(): void {
    this.#source?.wake();
  }

  /** As SIGKILL would have it; then starts again from what was committed. */
  async crash(): Promise<void> {
    this.#source = undefined;
    await this.stop();
    this.#uncommitted = [];
    this.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** A source that has crashed commits nothing more. */
  async #commit(source: ApiLogSource, place: Buffer): Promise<void> {
    if (source !== this.#source) return;
    this.#place = Buffer.from(place);
    this.committed.push(...this.#uncommitted);
    this.#uncommitted = [];
    await new Promise(setImmediate);
  }
}

function textOf({ source, buf, log_start, log_end, piece }: LogLine): string {
  const newline = piece === PIECE.whole ? '\n' : '';
  return `${source === SOURCE.stdout ? 'stdout' : 'stderr'} ${buf.toString('utf8', log_start, log_end)}${newline}`;
}
