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

/** A listening unix socket's place in the file system. */
export interface BoundPath {
  /** Removes the socket file, unless another process has put its own there since. */
  release(): void;
}

/**
 * Binds `server` to `path`. What lies there is replaced only if it is a socket
 * that nobody listens on.
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
): Promise<BoundPath> {
  const where = `unix://${path}`;
  await assertReplaceable(path, where);
  let private_dir: string | undefined;
  try {
    private_dir = mkdtempSync(join(dirname(path), '.lb'));
    const bound = join(private_dir, 's');
    await listening(server, { path: bound, backlog });
    chmodSync(bound, mode ?? DEFAULT_MODE);
    const { dev, ino } = statSync(bound);
    renameSync(bound, path);
    return { release: () => unlinkOwn(path, dev, ino) };
  } catch (error) {
    server.close();
    throw unusable(error, path, where);
  } finally {
    if (private_dir !== undefined) rmSync(private_dir, { recursive: true, force: true });
  }
}

/** Resolves when `server` listens; rejects with the system's error. */
export function listening(
  server: Server,
  options: { path?: string; host?: string; port?: number; fd?: number; backlog?: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function assertReplaceable(path: string, where: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new LogboomError('LB_LISTEN', 'there is a file that is not a socket', {
      where,
      hint: 'Move it away, or choose another path.',
    });
  }
  if (await somebodyListens(path, where)) {
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

function unlinkOwn(path: string, dev: number, ino: number): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.dev === dev && found.ino === ino) unlinkSync(path);
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
