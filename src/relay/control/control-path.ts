import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

const CONTROL_NAME = 'control.sock';
/** A socket's address has room for so many bytes; Node.js cuts longer ones without a word. */
const PATH_MAX_BYTES = 107;

/** A way to the control socket of a journal directory. */
export interface ControlPath {
  readonly path: string;
  /** To be called when the path is no longer used. */
  close(): void;
}

/**
 * The path itself, or one that begins at an open descriptor of the directory, where
 * the path is too long for a socket's address.
 *
 * @throws the system's error if there is no such directory
 */
export function controlPath(directory: string): ControlPath {
  const path = join(directory, CONTROL_NAME);
  if (Buffer.byteLength(path) <= PATH_MAX_BYTES) return { path, close() {} };
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${fd}/${CONTROL_NAME}`, close: () => closeSync(fd) };
}
