/**
 * Every error that logboom raises on purpose, in one table.
 *
 * A code never changes its meaning. `retryable` tells a caller whether the same
 * call may succeed later without anybody changing anything.
 */
const ERRORS = {
  LB_PROTOCOL_SYNTAX: { what: 'bytes that are not a Forward message', retryable: false },
  LB_PROTOCOL_LIMIT: { what: 'a Forward message beyond a configured limit', retryable: false },
  LB_JOURNAL_LOCKED: { what: 'another process owns the journal directory', retryable: true },
  LB_JOURNAL_VERSION: { what: 'the journal was written by a newer format', retryable: false },
  LB_JOURNAL_CORRUPT: {
    what: 'bytes in the journal do not match their checksum',
    retryable: false,
  },
  LB_JOURNAL_IO: { what: 'the journal directory cannot be read or written', retryable: true },
  LB_JOURNAL_CLOSED: { what: 'the journal is closed', retryable: false },
  LB_CONFIG: { what: 'the configuration is not valid', retryable: false },
  LB_LISTEN: { what: 'a listener cannot be opened', retryable: true },
  LB_TLS: { what: 'a certificate or key cannot be used', retryable: false },
  LB_HANDSHAKE: { what: 'the peer failed the Forward handshake', retryable: false },
  LB_UPSTREAM: { what: 'an upstream cannot be reached or broke the protocol', retryable: true },
  LB_OUTPUT: { what: 'an output cannot write', retryable: true },
  LB_DOCKER: { what: "Docker's files cannot be read or understood", retryable: true },
  LB_CONTAINER: {
    what: 'a container asks for what cannot be done as Docker does it',
    retryable: false,
  },
  LB_DOCKER_API: { what: 'the Docker Engine API cannot be used', retryable: true },
  LB_TAKEOVER: { what: 'a running relay does not hand over', retryable: true },
  LB_STATUS: { what: 'no relay tells its status', retryable: true },
  LB_STOP: { what: 'a part of logboom did not stop in time or cleanly', retryable: false },
  LB_USAGE: { what: 'the command line is not valid', retryable: false },
} as const satisfies Record<string, { what: string; retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** Where it happened: `file:offset`, a peer's address, or `file:line:column`. */
  readonly where?: string;
  /** What the reader can do about it: one imperative sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * An error with a stable code. The message says what was expected and what was
 * found; `where` and `hint` say where, and what to do.
 */
export class LogboomError extends Error {
  override readonly name = 'LogboomError';
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /** One line for a person: `where: message (code). hint` */
  describe(): string {
    const place = this.where === undefined ? '' : `${this.where}: `;
    const advice = this.hint === undefined ? '' : ` ${this.hint}`;
    return `${place}${this.message} (${this.code}).${advice}`;
  }
}

/** The `code` of a Node.js system error (`ENOENT`, `ECONNREFUSED` ...), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof LogboomError) return error.describe();
  return error instanceof Error ? error.message : String(error);
}
