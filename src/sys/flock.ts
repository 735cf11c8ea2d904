/**
 * A kernel lock (flock(2)) on an open file. Node has no call for it, so a small
 * program that inherits our descriptor takes it: the lock belongs to the open
 * file, which stays ours after the program ends, and the kernel frees it when
 * the descriptor is closed, also by SIGKILL.
 */
import { spawnSync } from 'node:child_process';

/** taken: another open file holds it · unavailable: no program here can ask the kernel */
export type LockResult = 'locked' | 'taken' | 'unavailable';

/** Programs that lock descriptor 3, best first. Each exits with 1 when the lock is taken. */
export const LOCKERS: readonly (readonly [string, ...string[]])[] = [
  ['flock', '-n', '-x', '3'],
  ['perl', '-e', 'open(my $f, "+<&=3") or exit 2; exit(flock($f, 6) ? 0 : 1)'],
  [
    'python3',
    '-c',
    'import fcntl, sys\ntry: fcntl.flock(3, 6)\nexcept BlockingIOError: sys.exit(1)\nexcept OSError: sys.exit(2)',
  ],
];

const TIMEOUT_MS = 10_000;

/**
 * Takes the exclusive lock on the open file `fd` without waiting. Fails closed:
 * anything but a clear yes is not `locked`.
 */
export function lockExclusively(fd: number, lockers = LOCKERS): LockResult {
  for (const [program, ...args] of lockers) {
    const run = spawnSync(program, args, {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      timeout: TIMEOUT_MS,
    });
    if (run.status === 0) return 'locked';
    if (run.status === 1) return 'taken';
  }
  return 'unavailable';
}
