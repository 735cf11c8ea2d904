import { writeSync } from 'node:fs';

const PAUSE_MS = 1;

/**
 * Writes all of it before it returns, also where the descriptor does not wait by itself: Node's
 * pipes are sockets that may be set not to block, and then a write fails as soon as the reader
 * is a few hundred lines behind.
 */
export function writeAll(descriptor: number, text: string): void {
  let left = Buffer.from(text);
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(descriptor, left));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
