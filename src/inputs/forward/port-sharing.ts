import type { AddressInfo } from 'node:net';
import { platform, versions } from 'node:process';
import { compete, tcpListeners } from '../../sys/tcp-listeners.ts';

/**
 * Two processes on one TCP port (SO_REUSEPORT), so that the next relay listens before
 * this one stops. The kernel lets any process of the same user in that asks for it, and
 * so "port in use" is no longer its word: a listener that nobody has handed over looks
 * for others itself, and is used only where it can.
 */

/** The first versions of Node.js with `reusePort`. */
const FIRST_WITH_REUSE_PORT: readonly (readonly [major: number, minor: number])[] = [
  [22, 12],
  [23, 1],
];

/** This process can share a TCP port, and can see who else listens. */
export function canSharePorts(): boolean {
  return platform === 'linux' && hasReusePort(versions.node) && tcpListeners() !== undefined;
}

export function hasReusePort(node_version: string): boolean {
  const [major = 0, minor = 0] = node_version.split('.').map(Number);
  const first = FIRST_WITH_REUSE_PORT.find(([of_major]) => of_major === major);
  return first === undefined ? major > 23 : minor >= first[1];
}

/** Another socket listens there too, beside our own at `bound`. */
export function sharedWithAnother(bound: AddressInfo): boolean {
  const found = tcpListeners() ?? [];
  return found.filter((socket) => compete(socket, bound)).length > 1;
}
