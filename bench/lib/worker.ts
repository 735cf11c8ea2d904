import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What the bench and one kind of worker process say to each other. */
export interface Protocol {
  readonly settings: object;
  readonly command: object;
  /** `did` says what about. */
  readonly report: { readonly did: string };
}

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
    process.once('exit', this.#kill);
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

  send(command: P['command']): void {
    this.#process.send(command, (error) => {
      if (error !== null) this.#fail(error);
    });
  }

  /** Waits for the next report of a kind; other kinds are kept. Rejects when it takes too long or the process ends. */
  async next<D extends P['report']['did']>(
    did: D,
    timeout_ms: number,
  ): Promise<Extract<P['report'], { did: D }>> {
    const too_late = setTimeout(() => {
      this.#fail(new Error(`${this.#name}: not "${did}" within ${timeout_ms / 1000} s`));
    }, timeout_ms);
    try {
      for (;;) {
        const at = this.#reports.findIndex((report) => report.did === did);
        if (at !== -1) return this.#reports.splice(at, 1)[0] as Extract<P['report'], { did: D }>;
        if (this.#failure !== undefined) throw this.#failure;
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
