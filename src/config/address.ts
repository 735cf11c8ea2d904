import { type Reading, refused, understood } from './reading.ts';
import { closest } from './suggest.ts';

/** Where Forward clients connect to. Port 0 lets the system choose one. */
export type ListenAddress =
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number | undefined }
  | { readonly kind: 'systemd'; readonly name: string | undefined };

/** Where an upstream listens. */
export type ServerAddress =
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Where the status page is served; plain HTTP. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

const FORWARD_PORT = 24224;
const STATUS_PORT = 24220;

const PORT_MAX = 65_535;

/** `sun_path` of Linux, its closing NUL left out. */
const UNIX_PATH_MAX_BYTES = 107;

const LISTEN_SCHEMES = ['tcp', 'tls', 'unix', 'systemd'];
const SERVER_SCHEMES = ['tcp', 'tls', 'unix'];
const HTTP_SCHEMES = ['http'];

/** `tcp://HOST:PORT`, `tls://HOST:PORT`, `unix:///PATH?mode=0660`, `systemd://NAME` (a socket handed over by systemd). */
export function parseListenAddress(text: string): Reading<ListenAddress> {
  const url = split(text, LISTEN_SCHEMES, FORWARD_PORT);
  if (!url.ok) return url;
  const { scheme, rest } = url.value;
  if (scheme === 'unix') return parseUnixListener(rest);
  if (scheme === 'systemd') return parseSystemdName(rest);
  const endpoint = parseHostAndPort(rest, scheme, FORWARD_PORT);
  return endpoint.ok ? understood({ kind: tcpKind(scheme), ...endpoint.value }) : endpoint;
}

/** `tcp://HOST:PORT`, `tls://HOST:PORT`, `unix:///PATH`. */
export function parseServerAddress(text: string): Reading<ServerAddress> {
  const url = split(text, SERVER_SCHEMES, FORWARD_PORT);
  if (!url.ok) return url;
  const { scheme, rest } = url.value;
  if (scheme === 'unix') {
    const path = parseUnixPath(rest);
    return path.ok ? understood({ kind: 'unix', path: path.value }) : path;
  }
  const endpoint = parseHostAndPort(rest, scheme, FORWARD_PORT);
  if (!endpoint.ok) return endpoint;
  if (endpoint.value.port === 0) return refused('port 0 cannot be connected to');
  return understood({ kind: tcpKind(scheme), ...endpoint.value });
}

/** `http://HOST:PORT`. */
export function parseHttpAddress(text: string): Reading<HttpAddress> {
  const url = split(text, HTTP_SCHEMES, STATUS_PORT);
  if (!url.ok) return url;
  return parseHostAndPort(url.value.rest.replace(/\/$/, ''), 'http', STATUS_PORT);
}

interface SplitUrl {
  readonly scheme: string;
  readonly rest: string;
}

function split(text: string, schemes: readonly string[], port: number): Reading<SplitUrl> {
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return withoutScheme(text, schemes, port);
  if (!schemes.includes(scheme)) {
    const meant = closest(scheme, schemes) ?? schemes[0];
    return refused(`${scheme}:// is not known here`, `${meant}://${withoutUser(rest)}`);
  }
  if (rest !== withoutUser(rest)) {
    return refused('a URL does not carry a user here', `${scheme}://${withoutUser(rest)}`);
  }
  return understood({ scheme, rest });
}

function withoutScheme(text: string, schemes: readonly string[], port: number): Reading<never> {
  const scheme = schemes[0] ?? '';
  const reason = `it does not begin with ${schemes.map((name) => `${name}://`).join(' or ')}`;
  if (text.startsWith('/') && schemes.includes('unix')) return refused(reason, `unix://${text}`);
  const [, colon, digits] = /^(:?)(\d+)$/.exec(text) ?? [];
  if (digits !== undefined) {
    const host = colon === '' ? '127.0.0.1' : '0.0.0.0';
    const is_port = Number(digits) <= PORT_MAX;
    return refused(reason, is_port ? `${scheme}://${host}:${digits}` : undefined);
  }
  if (/^[\w.-]+(:\d+)?$/.test(text)) {
    return refused(reason, `${scheme}://${text.includes(':') ? text : `${text}:${port}`}`);
  }
  return refused(reason);
}

/** A password in a URL must not reach a message. */
function withoutUser(rest: string): string {
  return rest.replace(/^[^/?]*@/, '');
}

function tcpKind(scheme: string): 'tcp' | 'tls' {
  return scheme === 'tls' ? 'tls' : 'tcp';
}

/** `HOST`, `HOST:PORT`, `[::1]:PORT`. */
function parseHostAndPort(
  rest: string,
  scheme: string,
  default_port: number,
): Reading<{ host: string; port: number }> {
  if (rest.startsWith('*')) {
    return refused('* is no address', `${scheme}://0.0.0.0${rest.slice(1)}`);
  }
  const [, bracketed, plain, port_text] =
    /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([A-Za-z0-9_.-]+))(?::(\d+))?$/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) {
    const bare_ipv6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f]*$/.test(rest);
    return bare_ipv6
      ? refused('an IPv6 address stands in brackets', `${scheme}://[${rest}]:${default_port}`)
      : refused('it is not HOST:PORT');
  }
  const port = port_text === undefined ? default_port : Number(port_text);
  if (port > PORT_MAX) return refused(`there is no port ${port_text}; the highest is ${PORT_MAX}`);
  return understood({ host, port });
}

function parseUnixListener(rest: string): Reading<ListenAddress> {
  const [path_text = '', query] = rest.split('?', 2);
  const path = parseUnixPath(path_text);
  if (!path.ok) return path;
  if (query === undefined) return understood({ kind: 'unix', path: path.value, mode: undefined });
  const [, octal] = /^mode=(0?[0-7]{3})$/.exec(query) ?? [];
  if (octal === undefined) {
    return refused('what follows ? is not a file mode', `unix://${path_text}?mode=0660`);
  }
  return understood({ kind: 'unix', path: path.value, mode: Number.parseInt(octal, 8) });
}

function parseUnixPath(rest: string): Reading<string> {
  if (!rest.startsWith('/')) return refused('the path is not absolute', `unix:///${rest}`);
  if (rest.includes('?'))
    return refused('nothing may follow the path', `unix://${rest.split('?', 1)[0]}`);
  let path: string;
  try {
    path = decodeURIComponent(rest);
  } catch {
    return refused('a % is not followed by two hexadecimal digits');
  }
  if (path.includes('\0')) return refused('a path cannot contain a NUL');
  const bytes = Buffer.byteLength(path);
  if (bytes > UNIX_PATH_MAX_BYTES) {
    return refused(
      `the path has ${bytes} bytes; a unix socket's has ${UNIX_PATH_MAX_BYTES} at most`,
    );
  }
  return understood(path);
}

function parseSystemdName(rest: string): Reading<ListenAddress> {
  if (!/^[\w.-]*$/.test(rest)) return refused('it is not the name of a systemd socket');
  return understood({ kind: 'systemd', name: rest === '' ? undefined : rest });
}
