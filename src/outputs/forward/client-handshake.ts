import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { LogboomError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { type HandshakeMessage, HandshakeReader } from '../../protocol/handshake.ts';
import {
  type ClientSecrets,
  checkPong,
  encodePing,
  parseHelo,
} from '../../protocol/handshake-client.ts';
import type { ClientHandshake } from './options.ts';

const SALT_BYTES = 16;

/**
 * Shakes hands with a server that has a shared key or users (formats.md 1.9). Resolves with
 * what the server sent behind its PONG; nothing may be sent before that. Leaves the socket paused.
 *
 * @throws LB_HANDSHAKE that tells at which step and why; whatever `signal` aborts with
 */
export async function shakeHands(
  socket: Socket,
  options: ClientHandshake,
  where: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const secrets: ClientSecrets = {
    hostname: options.self_hostname ?? hostname(),
    shared_key: options.shared_key,
    salt: randomBytes(SALT_BYTES),
    username: options.username,
    password: options.password,
  };
  const helo = await receive(socket, Buffer.alloc(0), 'HELO', where, signal);
  const challenge = parseHelo(helo.message);
  socket.write(encodePing(challenge, secrets));
  const pong = await receive(socket, helo.rest, 'PONG', where, signal);
  const verdict = checkPong(pong.message, challenge, secrets);
  if (!verdict.ok) {
    throw new LogboomError('LB_HANDSHAKE', `the handshake failed: ${verdict.reason}`, {
      where,
      hint: 'Compare shared key, username and password with those of the upstream.',
    });
  }
  return pong.rest;
}

interface Received {
  readonly message: HandshakeMessage;
  readonly rest: Buffer;
}

/** One message; the socket is paused again when this resolves. */
function receive(
  socket: Socket,
  first: Buffer,
  awaited: 'HELO' | 'PONG',
  where: string,
  signal: AbortSignal,
): Promise<Received> {
  const reader = new HandshakeReader(LIMITS.handshake_max_bytes);
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      socket.pause();
      socket.off('data', take).off('error', fail).off('close', close);
      signal.removeEventListener('abort', abort);
      settle();
    };
    const fail = (cause: unknown): void => finish(() => reject(asError(cause)));
    const take = (chunk: Buffer): void => {
      try {
        const received = reader.feed(chunk);
        if (received !== undefined) finish(() => resolve(received));
      } catch (error) {
        fail(error);
      }
    };
    const close = (): void => fail(closedEarly(awaited, where));
    const abort = (): void => fail(signal.reason);
    socket.on('data', take).once('error', fail).once('close', close);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else if (first.length > 0) take(first);
    else socket.resume();
  });
}

const asError = (cause: unknown): Error =>
  cause instanceof Error ? cause : new Error(String(cause));

function closedEarly(awaited: 'HELO' | 'PONG', where: string): LogboomError {
  const hint =
    awaited === 'PONG'
      ? 'Fluent Bit closes so when the shared key is wrong.'
      : 'Check that the upstream has a shared key or users, and speaks TLS exactly if this output does.';
  return new LogboomError(
    'LB_HANDSHAKE',
    `the upstream closed the connection instead of sending ${awaited}`,
    { where, hint },
  );
}
