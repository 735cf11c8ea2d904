import { LogboomError } from '../../errors.ts';

/** Where clients connect to. Port 0 lets the system choose one. */
export type ListenAddress =
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number | undefined }
  | { readonly kind: 'systemd'; readonly name: string | undefined }
  | { readonly kind: 'fd'; readonly fd: number };

/** An address that a listener can be opened on. */
export type SocketAddress = Exclude<ListenAddress, { readonly kind: 'systemd' }>;

/** An open socket that the service manager handed over, listening already. */
export interface InheritedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of its unit; systemd's default is the unit's name. */
  readonly name: string;
}

/** systemd passes sockets from this descriptor on (sd_listen_fds(3)). */
const FIRST_INHERITED_FD = 3;
const INHERITED_MAX = 256;

export interface ActivationEnvironment {
  readonly LISTEN_PID?: string | undefined;
  readonly LISTEN_FDS?: string | undefined;
  readonly LISTEN_FDNAMES?: string | undefined;
}

/**
 * The sockets that systemd passed to the process `pid` (sd_listen_fds(3)); none
 * if the variables are missing, broken, or meant for another process.
 */
export function inheritedSockets(env: ActivationEnvironment, pid: number): InheritedSocket[] {
  if (env.LISTEN_PID !== String(pid)) return [];
  const count = Number(env.LISTEN_FDS);
  if (!Number.isInteger(count) || count < 0 || count > INHERITED_MAX) return [];
  const names = (env.LISTEN_FDNAMES ?? '').split(':');
  return Array.from({ length: count }, (_, index) => ({
    fd: FIRST_INHERITED_FD + index,
    name: names[index] ?? '',
  }));
}

/**
 * What to listen on: `address` itself, or the inherited sockets that a `systemd` address
 * means, which are those of its name, or all.
 *
 * @throws LB_LISTEN when there is no such socket.
 */
export function resolveAddress(
  address: ListenAddress,
  inherited: readonly InheritedSocket[],
): SocketAddress[] {
  if (address.kind !== 'systemd') return [address];
  const meant = inherited.filter(({ name }) => (address.name ?? name) === name);
  if (meant.length > 0) return meant.map(({ fd }) => ({ kind: 'fd', fd }));
  const given = inherited.map(({ fd, name }) => `${name} (fd ${fd})`).join(', ') || 'none';
  throw new LogboomError('LB_LISTEN', `systemd handed over no such socket; it gave: ${given}`, {
    where: describeAddress(address),
    hint: 'Start logboom through its .socket unit; FileDescriptorName= is the name there.',
  });
}

/** The address as a URL, as it stands in messages. */
export function describeAddress(address: ListenAddress): string {
  switch (address.kind) {
    case 'tcp':
    case 'tls': {
      const host = address.host.includes(':') ? `[${address.host}]` : address.host;
      return `${address.kind}://${host}:${address.port}`;
    }
    case 'unix':
      return `unix://${address.path}`;
    case 'systemd':
      return `systemd://${address.name ?? ''}`;
    case 'fd':
      return `fd://${address.fd}`;
  }
}
