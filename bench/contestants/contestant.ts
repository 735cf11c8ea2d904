import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../../test/support/process.ts';
import { familyOf, machineTime_ms } from '../lib/proc.ts';

export type ContestantName = 'logboom' | 'pump' | 'fluentd' | 'fluent-bit';

/** What a contestant is to do. */
export interface Task {
  /** Its own, for configuration, journal and buffers. */
  readonly directory: string;
  /** Where it listens, for Forward. */
  readonly port: number;
  readonly upstream_port: number;
  /** Whether what is acked has to be on the disk; the peers have no such choice. */
  readonly syncs?: boolean;
  /** A folder of Docker's to follow too. */
  readonly containers?: string;
  /** The pump: answer what is on the disk, and don't gather for longer than that takes. */
  readonly acks?: boolean;
  /** The most that may wait. */
  readonly journal_max_bytes?: number;
  /** Where CPU profiles are written, if they are. */
  readonly profiles?: string;
}

/** Something between the load and the sink. */
export interface Contestant {
  readonly name: ContestantName;
  /** Version and settings, one line, for the heading. */
  readonly about: string;
  /** What the sink has to understand. */
  readonly speaks: 'forward' | 'bytes';
  /** Whether it follows Docker's log files. */
  readonly follows: boolean;
  /** What it writes once it serves, where it accepts before that. */
  readonly says_ready?: string;
  command(task: Task): Promise<Command>;
}

interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Contesting {
  readonly child: Child;
  /** From the spawn until it accepted, and served. */
  readonly accepting_ms: number;
}

const START_MAX_MS = 60_000;
const STOP_GRACE_MS = 20_000;
/** Start times are this exact. */
const POLL_MS = 3;

/**
 * Starts a contestant; it ends with the bench, whatever happens. Rejects, with its output, if
 * it ends before it accepts.
 */
export async function begin(
  contestant: Contestant,
  task: Task,
  interrupted: AbortSignal,
): Promise<Contesting> {
  const { file, args, env = {} } = await contestant.command(task);
  const begin_ms = machineTime_ms();
  const child = new Child(file, args, { name: contestant.name, env, cwd: task.directory });
  const killAll = (): void => kill([child.pid, ...familyOf(child.pid)]);
  // Ahead of those that remove what it may still write to.
  process.prependOnceListener('exit', killAll);
  child.exited.finally(() => process.off('exit', killAll)).catch(() => {});
  try {
    const serves = (): boolean => child.stderr.includes(contestant.says_ready ?? '');
    while (!(await accepts(task.port)) || !serves()) {
      interrupted.throwIfAborted();
      if (child.exit !== undefined) throw new Error(child.describe());
      if (machineTime_ms() - begin_ms > START_MAX_MS) {
        throw new Error(`not accepting after ${START_MAX_MS / 1000} s; ${child.describe()}`);
      }
      await sleep(POLL_MS);
    }
    return { child, accepting_ms: machineTime_ms() - begin_ms };
  } catch (error) {
    await killWithFamily(child);
    throw error;
  }
}

/** Ends it; what it holds is of no use any more, except that profiles are written at a proper end. */
export async function end({ child }: Contesting, { profiles }: Task): Promise<void> {
  if (profiles === undefined) await killWithFamily(child);
  else await child.stop('SIGTERM', STOP_GRACE_MS);
}

/** It may have started others, which would keep its output open and go on by themselves. */
async function killWithFamily(child: Child): Promise<void> {
  if (child.exit === undefined) kill(familyOf(child.pid));
  await child.stop('SIGKILL');
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
