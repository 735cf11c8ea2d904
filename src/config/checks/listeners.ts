import { type ListenAddress, parseHttpAddress, parseListenAddress } from '../address.ts';
import type { ConfigDocument } from '../schema.ts';
import type { Path } from '../tree.ts';
import { type CheckedSections, checkNotBoth, type Report } from './report.ts';

type ListenerDocument = ConfigDocument['inputs']['forward'][number];

/** Listeners: each for itself, and that no two want the same address. */
export function checkListeners(sections: CheckedSections, report: Report): void {
  const { inputs, docker, status } = sections;
  const taken: { url: string; address: ListenAddress }[] = [];
  for (const [index, listener] of (inputs?.forward ?? []).entries()) {
    const path = ['inputs', 'forward', index];
    checkTls(listener, path, report);
    checkAuth(listener, path, report);
    const address = addressOf(listener.listen);
    const holder = taken.find((other) => collide(other.address, address));
    if (holder !== undefined) {
      report([...path, 'listen'], `${listener.listen} is taken already, by ${holder.url}`);
    }
    taken.push({ url: listener.listen, address });
  }
  if (
    inputs?.forward.length === 0 &&
    inputs.tail.length === 0 &&
    docker?.root === 'off' &&
    docker.api === 'off'
  ) {
    const hint = 'Add a listener, or give docker.root.';
    report(['inputs', 'forward'], 'expected at least one listener, found none', hint);
  }
  if (inputs !== undefined && inputs.health !== 'off') {
    const address = addressOf(inputs.health);
    const holder = taken.find((other) => collide(other.address, address));
    if (holder !== undefined) {
      report(['inputs', 'health'], `${inputs.health} is taken already, by ${holder.url}`);
    }
    taken.push({ url: inputs.health, address });
  }
  if (status !== undefined && status.listen !== 'off') {
    const reading = parseHttpAddress(status.listen);
    if (!reading.ok) return;
    const address: ListenAddress = { kind: 'tcp', ...reading.value };
    const holder = taken.find((other) => collide(other.address, address));
    if (holder === undefined) return;
    report(['status', 'listen'], `${status.listen} is taken already, by ${holder.url}`);
  }
}

/** The schema has read it before. */
function addressOf(url: string): ListenAddress {
  const reading = parseListenAddress(url);
  if (!reading.ok) throw new TypeError(`the schema let ${url} pass`);
  return reading.value;
}

const WILDCARDS = ['0.0.0.0', '::', '[::]'];

function collide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') {
    return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  }
  if (a.kind === 'systemd' || b.kind === 'systemd') {
    return (
      a.kind === 'systemd' && b.kind === 'systemd' && (a.name ?? b.name) === (b.name ?? a.name)
    );
  }
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || WILDCARDS.includes(a.host) || WILDCARDS.includes(b.host);
}

function checkTls({ listen, tls }: ListenerDocument, path: Path, report: Report): void {
  const { kind } = addressOf(listen);
  if (tls === undefined) {
    if (kind !== 'tls') return;
    const hint = 'Add `tls: {cert: FILE, key: FILE}` to this listener.';
    report([...path, 'listen'], 'a tls:// listener needs a certificate', hint);
    return;
  }
  if (kind === 'tcp' || kind === 'unix') {
    const hint =
      kind === 'tcp' ? `Did you mean ${listen.replace('tcp:', 'tls:')}?` : 'Take it out.';
    report([...path, 'tls'], `expected no tls section on a ${kind}:// listener`, hint);
  }
  const wants_certificates = tls.client_auth === 'request' || tls.client_auth === 'require';
  if (wants_certificates && tls.client_ca === undefined) {
    const hint = 'Add client_ca: the authorities that sign the certificates of clients.';
    report([...path, 'tls', 'client_auth'], `${tls.client_auth} needs client_ca`, hint);
  }
}

function checkAuth({ auth }: ListenerDocument, path: Path, report: Report): void {
  if (auth === undefined) return;
  const here = [...path, 'auth'];
  checkNotBoth(auth, 'shared_key', here, report);
  if (auth.shared_key === undefined && auth.shared_key_file === undefined) {
    report(here, 'expected shared_key or shared_key_file, found neither');
  }
  const names = new Set<string>();
  for (const [index, user] of auth.users.entries()) {
    const at = [...here, 'users', index];
    checkNotBoth(user, 'password', at, report);
    if (user.password === undefined && user.password_file === undefined) {
      report(at, 'expected password or password_file, found neither');
    }
    if (names.has(user.name)) report([...at, 'name'], `there is a user ${user.name} already`);
    names.add(user.name);
  }
}
