#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { renderFailure } from './commands/failure.ts';
import { EXIT, type Host, type StopSignal } from './commands/host.ts';
import { runProgram } from './commands/program.ts';

/**
 * The edge of the process: argv, environment, streams, signals, exit codes.
 * Nothing else in logboom touches `process.*`.
 */

/** By convention, what a shell reports for a process that a signal ended. */
const SIGNAL_EXIT_BASE = 128;

/** File system calls come and go; when there was always one for so long, one hangs. */
const HANGS_AFTER_MS = 1000;

const code = await runProgram(processHost(), { relay: () => import('./relay.ts') });
await exit(code);

/**
 * Node.js ends only behind file system calls that are under way, so one that hangs would
 * keep the process for ever. After a failure, when one has been under way for a good
 * while, it is killed instead, and whoever started it sees that it failed.
 */
async function exit(code: number): Promise<never> {
  const end_ms = performance.now() + HANGS_AFTER_MS;
  const is_busy = (): boolean => process.getActiveResourcesInfo().includes('FSReqPromise');
  while (code !== EXIT.ok && is_busy()) {
    if (performance.now() > end_ms) {
      process.kill(process.pid, 'SIGKILL');
      process.abort(); // the first process of a container cannot be killed from within
    }
    await setImmediate();
  }
  process.exit(code);
}

function processHost(): Host {
  // Whoever writes learns from its own callback that the reader is gone; nobody else has to end for it.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    version: packageVersion(),
    pid: process.pid,
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    stdout_is_terminal: isatty(1),
    stderr_is_terminal: isatty(2),
    readFile: (path) => readFileSync(path, 'utf8'),
    onStop,
    onReload: (reload) => process.on('SIGHUP', reload),
    onCrash: crashHandler(),
  };
}

/** The first signal asks, the second ends. */
function onStop(stop: (signal: StopSignal) => void): void {
  let stopping = false;
  const handle = (signal: StopSignal): void => {
    // It never rejects.
    if (stopping) void exit(SIGNAL_EXIT_BASE + constants.signals[signal]);
    stopping = true;
    stop(signal);
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}

/** Ends the process on an error that nobody caught; returns how to choose who reports it. */
function crashHandler(): Host['onCrash'] {
  let report = (error: unknown): void => {
    process.stderr.write(renderFailure(error));
  };
  const crash = (error: unknown): void => {
    report(error);
    process.exit(EXIT.failure);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  return (chosen) => {
    report = chosen;
  };
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const manifest: { version: string } = JSON.parse(text);
  return manifest.version;
}
