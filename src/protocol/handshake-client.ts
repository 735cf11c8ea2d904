import { LogboomError } from '../errors.ts';
import {
  asBytes,
  type Challenge,
  type HandshakeMessage,
  keyDigest,
  matches,
  passwordDigest,
  textOf,
} from './handshake.ts';
import { arrayHeader, str } from './msgpack-write.ts';

/** What a client sends and checks its server against. */
export interface ClientSecrets {
  readonly hostname: string;
  readonly shared_key: string;
  /** Random bytes, chosen for this connection. */
  readonly salt: Uint8Array;
  readonly username: string;
  readonly password: string;
}

/** The challenge in a server's HELO. @throws LB_HANDSHAKE for anything else */
export function parseHelo(message: HandshakeMessage): Challenge {
  const [kind, options] = message;
  const name = asBytes(kind);
  if (name === undefined || textOf(name) !== 'HELO' || !isObject(options)) {
    throw new LogboomError(
      'LB_HANDSHAKE',
      'expected HELO with its options, found another message',
      {
        hint: 'Check that the upstream has a shared key or users, and that the port is right.',
      },
    );
  }
  const nonce = asBytes(options['nonce']);
  if (nonce === undefined) throw new LogboomError('LB_HANDSHAKE', 'the HELO carries no nonce');
  return { nonce, auth: asBytes(options['auth']) ?? Buffer.alloc(0) };
}

export function encodePing(challenge: Challenge, secrets: ClientSecrets): Buffer {
  const { hostname, shared_key, salt, username, password } = secrets;
  const asks_user = challenge.auth.length > 0;
  const digest = asks_user ? passwordDigest(challenge.auth, Buffer.from(username), password) : '';
  return Buffer.concat([
    arrayHeader(6),
    str('PING'),
    str(hostname),
    str(salt),
    str(keyDigest(salt, Buffer.from(hostname), challenge.nonce, shared_key)),
    str(asks_user ? username : ''),
    str(digest),
  ]);
}

export type PongVerdict =
  | { readonly ok: true; readonly server_hostname: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Judges a server's PONG. A server that takes the client's own hostname is refused:
 * it could pass by sending the client's digest back, without knowing the key.
 */
export function checkPong(
  message: HandshakeMessage,
  challenge: Challenge,
  secrets: ClientSecrets,
): PongVerdict {
  const [kind, ok, reason, hostname, digest] = message;
  const name = asBytes(kind);
  const server = asBytes(hostname);
  const key_digest = asBytes(digest);
  if (message.length !== 5 || name === undefined || textOf(name) !== 'PONG') {
    return { ok: false, reason: 'invalid pong message' };
  }
  if (ok !== true) {
    const said = asBytes(reason);
    return { ok: false, reason: said === undefined ? 'refused without a reason' : textOf(said) };
  }
  if (server === undefined || key_digest === undefined) {
    return { ok: false, reason: 'invalid pong message' };
  }
  if (textOf(server) === secrets.hostname) {
    return { ok: false, reason: `the server has our own hostname ${secrets.hostname}` };
  }
  const expected = keyDigest(secrets.salt, server, challenge.nonce, secrets.shared_key);
  if (!matches(key_digest, expected)) return { ok: false, reason: 'shared_key mismatch' };
  return { ok: true, server_hostname: textOf(server) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}
