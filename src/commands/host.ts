import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config/env.ts';

/** Text that goes out at once; never throws for a reader that is gone. */
interface TextSink {
  write(text: string): unknown;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';

/**
 * The process as commands see it, so that only `cli.ts` touches `process.*` and
 * tests can run commands in their own.
 */
export interface Host {
  /** Without the executable and the script. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  readonly version: string;
  readonly pid: number;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: TextSink;
  readonly stdout_is_terminal: boolean;
  readonly stderr_is_terminal: boolean;
  readFile(path: string): string;
  /** The first signal to stop calls `stop`; a second one ends the process at once. */
  onStop(stop: (signal: StopSignal) => void): void;
  /** SIGHUP. */
  onReload(reload: () => void): void;
  /** Called before the process ends for an error that nobody caught. */
  onCrash(crash: (error: unknown) => void): void;
}

/** How a process of logboom ends; the same words stand in `--help`. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
