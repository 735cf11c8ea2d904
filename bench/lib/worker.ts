import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuTime_us } from './proc.ts';

/** What the bench and one kind of worker process say to each other. */
export interface Protocol {
  readonly settings: object;
  readonly command: object;
  /** `did` says what about. */
  readonly report: { readonly did: string };
}

/** A report that did not come in its time; the process may still be at it. */
export class TooLate extends Error {}

/**
 * One of the bench's own processes (the load, the sink), which does what it is told over
 * the channel that Node gives it. It ends with the bench, whatever happens.
 */
export class Worker<P extends Protocol> {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #reports: P['report'][] = [];
  #wake: () => void = () => {};
  #failure: Error | undefined;
  readonly #kill = (): void => {
    this.#process.kill('SIGKILL');
  };

  /** @param file in bench/processes; `settings` is its only argument, as JSON */
  constructor(file: string, settings: P['settings']) {
    this.#name = file;
    const path = fileURLToPath(new URL(`../processes/${file}`, import.meta.url));
    this.#process = fork(path, [JSON.stringify(settings)], { execArgv: ['--import', 'tsx'] });
    // Ahead of those that remove what it may still write to.
    process.prependOnceListener('exit', this.#kill);
    this.#process.on('message', (report) => {
      this.#reports.push(report as P['report']);
      this.#wake();
    });
    this.#process.once('exit', (code, signal) => {
      process.off('exit', this.#kill);
      this.#fail(new Error(`${file} ended with ${signal ?? code}`));
    });
    this.#process.once('error', (error) => this.#fail(error));
  }

  /** CPU time that it has taken so far. */
  get cpu_us(): number {
    return this.#process.pid === undefined ? 0 : cpuTime_us(this.#process.pid);
  }

  send(command: P['command']): void {
    this.#process.send(command, (error) => {
      if (error !== null) this.#fail(error);
    });
  }

  /**
   * Waits for the next report of a kind; other kinds are kept. Rejects with TooLate after
   * `timeout_ms`, and when the process ends.
   */
  async next<D extends P['report']['did']>(
    did: D,
    timeout_ms: number,
  ): Promise<Extract<P['report'], { did: D }>> {
    let is_late = false;
    const too_late = setTimeout(() => {
      is_late = true;
      this.#wake();
    }, timeout_ms);
    try {
      for (;;) {
        const at = this.#reports.findIndex((report) => report.did === did);
        if (at !== -1) return this.#reports.splice(at, 1)[0] as Extract<P['report'], { did: D }>;
        if (this.#failure !== undefined) throw this.#failure;
        if (is_late) throw new TooLate(`${this.#name}: not "${did}" in time`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(too_late);
    }
  }

  /** Ends the process; it has nothing to save. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      this.#process.once('exit', () => resolve());
      this.#kill();
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
