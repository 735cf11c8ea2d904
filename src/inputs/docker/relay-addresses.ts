import type { ListenAddress } from '../../config/address.ts';
import {
  type DriverAddress,
  parseDriverAddress,
  parseRelayAddress,
} from '../../config/docker-address.ts';

/** What a relay knows of the addresses under which it can be reached. */
export interface RelayAddressOptions {
  /** `docker.addresses`; when there are any, only these count. */
  readonly given: readonly string[];
  /** As they are bound: port 0 and systemd's sockets replaced by what came of them, as far as that is known. */
  readonly listeners: readonly ListenAddress[];
  /** Of all network interfaces that this process sees. */
  readonly interfaces: readonly string[];
}

type Matcher = (address: DriverAddress) => boolean;

/**
 * Tells whether a container's `fluentd-address` leads to this relay.
 *
 * Given addresses match as they are written. Otherwise each listener matches its own
 * address; one on all interfaces matches its port on any loopback address and on any
 * address of this process's interfaces. A name other than `localhost` is not looked
 * up, since the Engine may see it otherwise than we do, and a port that is published
 * under another number cannot be seen from inside of a container: both have to be given.
 */
export class RelayAddresses {
  readonly #matchers: readonly Matcher[];

  constructor({ given, listeners, interfaces }: RelayAddressOptions) {
    this.#matchers =
      given.length > 0
        ? given.map(matcherOfGiven)
        : listeners.map((listener) => matcherOfListener(listener, new Set(interfaces)));
  }

  include(fluentd_address: string): boolean {
    const reading = parseDriverAddress(fluentd_address);
    return reading.ok && this.#matchers.some((matches) => matches(reading.value));
  }
}

function matcherOfGiven(text: string): Matcher {
  const reading = parseRelayAddress(text);
  if (!reading.ok) return () => false;
  const given = reading.value;
  return (address) => {
    if (given.kind === 'unix' || address.kind === 'unix') return samePath(given, address);
    const same_kind = given.kind === 'any' || given.kind === address.kind;
    return same_kind && given.port === address.port && sameHost(given.host, address.host);
  };
}

function matcherOfListener(listener: ListenAddress, interfaces: ReadonlySet<string>): Matcher {
  if (listener.kind === 'systemd') return () => false;
  if (listener.kind === 'unix') return (address) => samePath(listener, address);
  const { kind, port } = listener;
  const reaches = hostMatcher(listener.host, interfaces);
  return (address) => address.kind === kind && address.port === port && reaches(address.host);
}

function hostMatcher(host: string, interfaces: ReadonlySet<string>): (host: string) => boolean {
  const is_everywhere = host === '0.0.0.0' || host === '::';
  if (!is_everywhere) return (other) => sameHost(host, other);
  return (other) => isLoopback(other) || interfaces.has(other);
}

function samePath(a: ListenAddress | DriverAddress, b: DriverAddress): boolean {
  return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
}

/** `localhost` is 127.0.0.1 for the Engine; other names are compared as they are written. */
function sameHost(a: string, b: string): boolean {
  return numeric(a) === numeric(b);
}

function numeric(host: string): string {
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.toLowerCase();
}

function isLoopback(host: string): boolean {
  return /^127(?:\.\d+){3}$/.test(numeric(host)) || host === '::1';
}
