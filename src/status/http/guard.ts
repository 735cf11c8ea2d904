import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, plain } from './answer.ts';

/** Whether this is an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(name)
  );
}

/**
 * Refuses a request that another site has a browser on this machine send: its name was
 * made to resolve to a loopback address (DNS rebinding), but the browser still says it in
 * `Host`. Undefined: let it pass.
 */
export function refuseForeignHost(host: string | undefined): Answer | undefined {
  if (host !== undefined && isLoopback(hostname(host))) return undefined;
  return plain(
    403,
    `this address is served to this machine only, not as ${host ?? 'a request without Host'}`,
  );
}

/** The name in `NAME:PORT` or `[ADDRESS]:PORT`. */
function hostname(host: string): string {
  const [, bracketed, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host) ?? [];
  return bracketed ?? name ?? '';
}

/** Compares bearer tokens in a time that tells nothing of them. */
export class TokenGuard {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /** Undefined: let it pass. */
  refuse({ authorization = '' }: IncomingHttpHeaders): Answer | undefined {
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
    if (token !== undefined && timingSafeEqual(digestOf(token), this.#digest)) return undefined;
    const text = token === undefined ? 'a bearer token is needed' : 'this is not the token';
    return plain(401, text, { 'WWW-Authenticate': 'Bearer realm="logboom"' });
  }
}

/** Of one length, whatever the token's. */
const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();
