/**
 * The handshake of servers that have a shared key or users (formats.md 1.9).
 * Pure: nonces come from the caller, sockets and deadlines are its business.
 *
 *     server                                              client
 *     ["HELO", {nonce, auth, keepalive}]          ──►
 *                  ◄──  ["PING", hostname, salt, hex128, username, hex128 or ""]
 *     ["PONG", true, "", hostname, hex128]        ──►
 *     ["PONG", false, reason, "", ""], close      ──►
 *
 *     key digest       sha512_hex(salt, own hostname, nonce, shared key)
 *     password digest  sha512_hex(auth, username, password)
 *
 * Strings are hashed as the bytes they arrive in: salts and nonces are raw bytes.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { decode } from '@msgpack/msgpack';
import { LogboomError } from '../errors.ts';
import { ObjectGatherer } from './object-gatherer.ts';

const LEVELS_MAX = 8;

/** The elements of a handshake message: str and bin as Uint8Array. */
export type HandshakeMessage = readonly unknown[];

/** Gathers one handshake message from a stream that may be cut anywhere. */
export class HandshakeReader {
  readonly #gatherer = new ObjectGatherer(LEVELS_MAX);

  constructor(max_bytes: number) {
    this.#gatherer.restart(max_bytes, 'handshake_max_bytes');
  }

  /**
   * Takes the next bytes: undefined until the message is whole. `rest` is a view of
   * what follows it in `chunk`.
   *
   * @throws LB_PROTOCOL_LIMIT, LB_PROTOCOL_SYNTAX for bytes that are no MessagePack,
   *   LB_HANDSHAKE for another object
   */
  feed(chunk: Buffer): { message: HandshakeMessage; rest: Buffer } | undefined {
    const stop = this.#gatherer.take(chunk, 0, chunk.length);
    if (!this.#gatherer.whole) return undefined;
    const { buffer, bytes } = this.#gatherer;
    return { message: decodeMessage(buffer.subarray(0, bytes)), rest: chunk.subarray(stop) };
  }
}

function decodeMessage(bytes: Buffer): HandshakeMessage {
  let message: unknown;
  try {
    message = decode(Buffer.from(bytes), { rawStrings: true });
  } catch (cause) {
    throw new LogboomError('LB_HANDSHAKE', 'the message cannot be decoded', { cause });
  }
  if (Array.isArray(message)) return message;
  throw new LogboomError('LB_HANDSHAKE', 'expected an array, found another object');
}

/** What a server challenges its client with; the same for the whole handshake. */
export interface Challenge {
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
  /** 16 random bytes, also when no users are configured: clients expect them. */
  readonly auth: Uint8Array;
}

export function keyDigest(
  salt: Uint8Array,
  hostname: Uint8Array,
  nonce: Uint8Array,
  key: string,
): string {
  return sha512Hex(salt, hostname, nonce, Buffer.from(key));
}

export function passwordDigest(auth: Uint8Array, username: Uint8Array, password: string): string {
  return sha512Hex(auth, username, Buffer.from(password));
}

function sha512Hex(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** In constant time for digests of the right length. */
export function matches(received: Uint8Array, expected: string): boolean {
  const bytes = Buffer.from(expected);
  return received.length === bytes.length && timingSafeEqual(received, bytes);
}

export function asBytes(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
