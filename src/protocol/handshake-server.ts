import {
  asBytes,
  type Challenge,
  type HandshakeMessage,
  keyDigest,
  matches,
  passwordDigest,
  textOf,
} from './handshake.ts';
import { arrayHeader, bin, mapHeader, str } from './msgpack-write.ts';

const FALSE = Buffer.of(0xc2);
const TRUE = Buffer.of(0xc3);

/** What a server checks a client against. */
export interface ServerSecrets {
  readonly hostname: string;
  /** Empty when only users are configured. */
  readonly shared_key: string;
  /** Passwords by username; undefined: users are not checked. */
  readonly users: ReadonlyMap<string, string> | undefined;
}

/**
 * `pong` must be sent in both cases, with one write; then the connection of a client that failed
 * is closed.
 */
export type PingVerdict = {
  readonly pong: Buffer;
  /** What the client calls itself: for the log only. */
  readonly client_hostname: string;
  readonly username: string;
} & ({ readonly ok: true } | { readonly ok: false; readonly reason: string });

export function encodeHelo(challenge: Challenge, keepalive = true): Buffer {
  return Buffer.concat([
    arrayHeader(2),
    str('HELO'),
    mapHeader(3),
    str('nonce'),
    bin(challenge.nonce),
    str('auth'),
    bin(challenge.auth),
    str('keepalive'),
    keepalive ? TRUE : FALSE,
  ]);
}

/** Judges a client's PING. Never throws: whatever is wrong with it is a reason. */
export function checkPing(
  message: HandshakeMessage,
  challenge: Challenge,
  secrets: ServerSecrets,
): PingVerdict {
  const [kind, hostname, salt, key_digest, username, password_digest] = message.map(asBytes);
  if (message.length !== 6 || !hostname || !salt || !key_digest || !username || !password_digest) {
    return refused('invalid ping message', '', '');
  }
  const client_hostname = textOf(hostname);
  const name = textOf(username);
  if (kind === undefined || textOf(kind) !== 'PING') {
    return refused('invalid ping message', client_hostname, name);
  }
  const { nonce, auth } = challenge;
  if (!matches(key_digest, keyDigest(salt, hostname, nonce, secrets.shared_key))) {
    return refused('shared_key mismatch', client_hostname, name);
  }
  if (secrets.users !== undefined) {
    const password = secrets.users.get(name);
    // An unknown name costs as much time as a known one.
    const same = matches(password_digest, passwordDigest(auth, username, password ?? ''));
    if (!same || password === undefined) {
      return refused('username/password mismatch', client_hostname, name);
    }
  }
  const digest = keyDigest(salt, Buffer.from(secrets.hostname), nonce, secrets.shared_key);
  const pong = encodePong(TRUE, '', secrets.hostname, digest);
  return { ok: true, pong, client_hostname, username: name };
}

function refused(reason: string, client_hostname: string, username: string): PingVerdict {
  return { ok: false, reason, pong: encodePong(FALSE, reason, '', ''), client_hostname, username };
}

function encodePong(ok: Buffer, reason: string, hostname: string, digest: string): Buffer {
  return Buffer.concat([arrayHeader(5), str('PONG'), ok, str(reason), str(hostname), str(digest)]);
}
