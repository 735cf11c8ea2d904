import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';

const DEFAULT_MODE = 0o660;

/** A listening unix socket on its way to its place in the file system. */
export interface BoundSocket {
  /** Puts it there, in place of what was there. Synchronous: nobody finds the path empty. @throws LB_LISTEN */
  show(): void;
  /** The path still leads here. */
  isThere(): boolean;
  /** Removes the socket file, unless another process has put its own there since. */
  release(): void;
}

/** free: what is there is replaced only if nobody listens on it · handed_over: its owner listens, and gives it up */
export type PathOwner = 'free' | 'handed_over';

/**
 * Binds `server` to a socket that `show()` puts at `path`; it accepts from then on.
 *
 * The socket is bound inside a folder that only we can enter, given its mode, and
 * then renamed to `path`: it never exists there with another mode, a stale file is
 * replaced at once, and libuv, which removes the name it has bound when the server
 * closes, removes one that is gone instead of somebody else's socket.
 *
 * @throws LB_LISTEN when somebody listens there, or the path cannot be used.
 */
export async function bindUnixSocket(
  server: Server,
  path: string,
  mode: number | undefined,
  backlog: number,
  owner: PathOwner = 'free',
): Promise<BoundSocket> {
  const where = `unix://${path}`;
  await assertReplaceable(path, where, owner);
  let private_dir: string | undefined;
  const removePrivate = (): void => {
    if (private_dir !== undefined) rmSync(private_dir, { recursive: true, force: true });
    private_dir = undefined;
  };
  try {
    private_dir = mkdtempSync(join(dirname(path), '.lb'));
    const bound = join(private_dir, 's');
    await listening(server, { path: bound, backlog });
    chmodSync(bound, mode ?? DEFAULT_MODE);
    const { dev, ino } = statSync(bound);
    return {
      show() {
        try {
          renameSync(bound, path);
        } catch (error) {
          throw unusable(error, path, where);
        } finally {
          removePrivate();
        }
      },
      isThere: () => isFile(path, dev, ino),
      release() {
        removePrivate();
        if (isFile(path, dev, ino)) unlinkSync(path);
      },
    };
  } catch (error) {
    server.close();
    removePrivate();
    throw unusable(error, path, where);
  }
}

/** Resolves when `server` listens; rejects with the system's error. */
export function listening(
  server: Server,
  options: {
    path?: string;
    host?: string;
    port?: number;
    fd?: number;
    backlog?: number;
    reusePort?: boolean;
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      server.off('error', settle);
      server.off('listening', settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    server.once('error', settle);
    server.once('listening', settle);
    server.listen(options);
  });
}

async function assertReplaceable(path: string, where: string, owner: PathOwner): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new LogboomError('LB_LISTEN', 'there is a file that is not a socket', {
      where,
      hint: 'Move it away, or choose another path.',
    });
  }
  if (owner === 'free' && (await somebodyListens(path, where))) {
    throw new LogboomError('LB_LISTEN', 'another process listens on this socket', {
      where,
      hint: `See who with: ss -xlp | grep ${path}`,
    });
  }
}

function somebodyListens(path: string, where: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = systemCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      else if (code === 'EAGAIN') resolve(true);
      else reject(unusable(error, path, where));
    });
  });
}

function isFile(path: string, dev: number, ino: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.dev === dev && found.ino === ino;
}

function unusable(error: unknown, path: string, where: string): LogboomError {
  const hints: Record<string, string> = {
    ENOENT: `Create the folder ${dirname(path)}.`,
    EACCES: `Give this user write permission in ${dirname(path)}.`,
    EROFS: 'Choose a path on a writable file system.',
  };
  const hint = hints[systemCode(error) ?? ''];
  return new LogboomError('LB_LISTEN', `the socket cannot be opened: ${messageOf(error)}`, {
    where,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
