import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { LogboomError } from '../../errors.ts';
import {
  type Challenge,
  type HandshakeMessage,
  HandshakeReader,
} from '../../protocol/handshake.ts';
import {
  checkPing,
  encodeHelo,
  type PingVerdict,
  type ServerSecrets,
} from '../../protocol/handshake-server.ts';

export interface HandshakeOptions {
  readonly shared_key: string;
  /** What this server calls itself; the host name if not given. */
  readonly self_hostname?: string;
  /** Empty or missing: any client that knows the shared key. */
  readonly users?: readonly { readonly name: string; readonly password: string }[];
}

const CHALLENGE_BYTES = 16;

/** The server's side of one connection's handshake: `helo` goes out first, then the client's bytes come in. */
export class HandshakeGate {
  readonly helo: Buffer;
  readonly #challenge: Challenge;
  readonly #secrets: ServerSecrets;
  readonly #reader: HandshakeReader;

  constructor(options: HandshakeOptions, max_bytes: number, random = randomBytes) {
    this.#challenge = { nonce: random(CHALLENGE_BYTES), auth: random(CHALLENGE_BYTES) };
    this.#secrets = secretsOf(options);
    this.#reader = new HandshakeReader(max_bytes);
    this.helo = encodeHelo(this.#challenge);
  }

  /**
   * Takes the client's next bytes: undefined until its PING is whole, then the verdict,
   * and what came behind it.
   *
   * @throws LB_PROTOCOL_SYNTAX, LB_PROTOCOL_LIMIT for bytes that cannot be answered
   */
  feed(chunk: Buffer): { verdict: PingVerdict; rest: Buffer } | undefined {
    try {
      const whole = this.#reader.feed(chunk);
      return whole && { verdict: this.#check(whole.message), rest: whole.rest };
    } catch (error) {
      if (!(error instanceof LogboomError) || error.code !== 'LB_HANDSHAKE') throw error;
      return { verdict: this.#check([]), rest: Buffer.alloc(0) };
    }
  }

  #check(message: HandshakeMessage): PingVerdict {
    return checkPing(message, this.#challenge, this.#secrets);
  }
}

function secretsOf(options: HandshakeOptions): ServerSecrets {
  const users = options.users ?? [];
  return {
    hostname: options.self_hostname ?? hostname(),
    shared_key: options.shared_key,
    users:
      users.length === 0 ? undefined : new Map(users.map((user) => [user.name, user.password])),
  };
}
