import { readFileSync } from 'node:fs';
import { BlockList, isIPv6 } from 'node:net';

/** Where some process of this network namespace listens. */
export interface ListeningSocket {
  /** IPv6 in eight groups, without `::`. */
  readonly address: string;
  readonly port: number;
}

const PROC_FILES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** TCP_LISTEN in the column `st`. */
const LISTEN = '0A';
const ROW = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /;
const ANY = /^[0.:]+$/;

/** The listening sockets of all processes; undefined where the kernel does not tell. */
export function tcpListeners(): ListeningSocket[] | undefined {
  try {
    return PROC_FILES.flatMap((path) => parseListeners(readIfThere(path)));
  } catch {
    return undefined;
  }
}

/** The listening ones in a table as `/proc/net/tcp` has it (proc(5)). */
export function parseListeners(table: string): ListeningSocket[] {
  return table.split('\n').flatMap((line) => {
    const [, address = '', port = '', state] = ROW.exec(line) ?? [];
    if (state !== LISTEN) return [];
    return [{ address: addressOf(address), port: Number.parseInt(port, 16) }];
  });
}

/** One of two sockets gets connections meant for the other: same port, and one address or the wildcard. */
export function compete(one: ListeningSocket, other: ListeningSocket): boolean {
  if (one.port !== other.port) return false;
  if (ANY.test(one.address) || ANY.test(other.address)) return true;
  const family = isIPv6(one.address) ? 'ipv6' : 'ipv4';
  if (isIPv6(other.address) !== isIPv6(one.address)) return false;
  const same = new BlockList();
  same.addAddress(one.address, family);
  return same.check(other.address, family);
}

/** IPv6 may be switched off; without the first table nothing is known. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (path === PROC_FILES[0]) throw error;
    return '';
  }
}

/** The kernel prints each 32-bit word in the machine's byte order, which is little-endian wherever Node.js runs on Linux but s390x. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index));
  return groups.map((group) => group.toString(16)).join(':');
}
