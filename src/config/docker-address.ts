import { type Reading, refused, understood } from './reading.ts';

/** Where a container's fluentd driver connects to. */
export type DriverAddress =
  | {
      /** `any`: the port matters, not the protocol spoken there. */
      readonly kind: 'tcp' | 'tls' | 'any';
      readonly host: string;
      readonly port: number;
    }
  | { readonly kind: 'unix'; readonly path: string };

const DEFAULT_PORT = 24224;
const PORT_MAX = 65_535;

/** What the driver connects to when it is told nothing. */
export const DEFAULT_DRIVER_ADDRESS = 'tcp://127.0.0.1:24224';

/**
 * The log option `fluentd-address` (formats.md 3.1): `tcp://HOST:PORT`, `tls://HOST:PORT`,
 * `unix:///PATH`, or bare `HOST[:PORT]`, which is tcp. Without a host it is the Engine's own.
 */
export function parseDriverAddress(text: string): Reading<DriverAddress> {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(text) ?? [];
  if (scheme === 'unix') {
    return rest.startsWith('/')
      ? understood({ kind: 'unix', path: rest })
      : refused('the path is not absolute', `unix:///${rest}`);
  }
  if (scheme !== 'tcp' && scheme !== 'tls') return refused(`${scheme}:// is not known here`);
  return parseEndpoint(rest, scheme);
}

/** An address in `docker.addresses`: as above, but bare `HOST[:PORT]` stands for tcp and tls alike. */
export function parseRelayAddress(text: string): Reading<DriverAddress> {
  if (text.startsWith('/')) return refused('it has no scheme', `unix://${text}`);
  const reading = parseDriverAddress(text);
  if (!reading.ok || text.includes('://') || reading.value.kind === 'unix') return reading;
  return understood({ ...reading.value, kind: 'any' });
}

function parseEndpoint(rest: string, kind: 'tcp' | 'tls'): Reading<DriverAddress> {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*))(?::(\d+))?\/?$/.exec(rest);
  if (found === null || rest === '') return refused('it is not HOST:PORT');
  const [, bracketed, plain = '', digits] = found;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (port > PORT_MAX || port === 0) return refused(`there is no port ${digits}`);
  const host = (bracketed ?? plain).toLowerCase();
  return understood({ kind, host: host === '' ? '127.0.0.1' : host, port });
}
