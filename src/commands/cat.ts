import type { Readable } from 'node:stream';
import { parseServerAddress } from '../config/address.ts';
import { LogboomError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { ClientHandshake, ClientTls } from '../outputs/forward/options.ts';
import { eventTimeOf } from '../protocol/event-time.ts';
import { type Clock, systemClock } from '../sys/clock.ts';
import { CatClient } from './cat-client.ts';
import { type LineForm, LineSplitter, lineToEntry } from './cat-lines.ts';
import { EXIT, type ExitCode } from './host.ts';

export interface CatOptions extends LineForm {
  readonly tag: string;
  /** Where to send to: `tcp://`, `tls://` or `unix://`. */
  readonly to: string;
  /** Wait for acks, and end only when all events are acked. */
  readonly ack: boolean;
  /** Default: verify with the authorities that Node.js trusts. */
  readonly tls?: ClientTls;
  /** For servers that ask for a shared key or a user. */
  readonly handshake?: ClientHandshake;
  /** Default: LIMITS. */
  readonly ack_timeout_ms?: number;
}

export const CAT_DEFAULTS = {
  to: 'tcp://127.0.0.1:24224',
  key: 'log',
  ack: true,
  json: false,
} as const;

const ABSENT_HINT =
  'Is logboom running? Start it with `logboom run`, or name another server with --to.';

const TLS_DEFAULTS: ClientTls = { verify: true, min_version: 'TLSv1.2' };

/** A chunk is sent when it has so many bytes, or its first line is so old. */
const CHUNK_MAX_BYTES = 128 * 1024;
const LINGER_MS = 50;

/**
 * `logboom cat TAG`: sends each line of `input` as an event, until the input ends or
 * `signal` aborts; what was read until then is still sent. A JSON object is the record,
 * any other line is text under `key`. Memory stays bounded: while the server does not
 * take more, no more is read.
 *
 * @throws LB_USAGE for options or lines that are not valid; LB_UPSTREAM, LB_TLS, LB_HANDSHAKE
 */
export async function cat(
  options: CatOptions,
  input: Readable,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<ExitCode> {
  const client = await connect(options, input, signal, clock);
  const stop = (): void => {
    input.destroy();
  };
  signal.addEventListener('abort', stop);
  const sender = new LineSender(options, client, clock);
  try {
    if (signal.aborted) stop();
    try {
      await sender.run(chunksOf(input, signal));
    } finally {
      // What came before a line that is not valid still arrives.
      await client.finish();
    }
    return EXIT.ok;
  } catch (error) {
    throw sender.has_read_all ? error : namingTheRest(error);
  } finally {
    signal.removeEventListener('abort', stop);
    client.destroy();
  }
}

async function connect(
  options: CatOptions,
  input: Readable,
  signal: AbortSignal,
  clock: Clock,
): Promise<CatClient> {
  const address = parseServerAddress(options.to);
  if (!address.ok) {
    const { reason = 'it is not the URL of a server', suggestion } = address;
    throw new LogboomError('LB_USAGE', `--to ${options.to}: ${reason}`, {
      hint: suggestion === undefined ? 'Use tcp://HOST:PORT.' : `Did you mean ${suggestion}?`,
    });
  }
  const tag_bytes = Buffer.byteLength(options.tag);
  if (tag_bytes === 0 || tag_bytes > LIMITS.tag_max_bytes) {
    throw new LogboomError(
      'LB_USAGE',
      `the tag has ${tag_bytes} bytes, not 1 to ${LIMITS.tag_max_bytes}`,
    );
  }
  const client_options = {
    address: address.value,
    url: options.to,
    absent_hint: ABSENT_HINT,
    tls: options.tls ?? TLS_DEFAULTS,
    handshake: options.handshake,
    ack: options.ack,
    ack_timeout_ms: options.ack_timeout_ms ?? LIMITS.ack_timeout_ms,
  };
  // Ends the wait for a line that may never come.
  return CatClient.open(client_options, clock, signal, (error) => input.destroy(error));
}

/** Says what a broken connection cost besides what was sent. */
function namingTheRest(error: unknown): unknown {
  if (!(error instanceof LogboomError) || error.code !== 'LB_UPSTREAM') return error;
  const { code, message, where, hint, cause } = error;
  return new LogboomError(code, `${message}; the rest of the input was not sent`, {
    cause,
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The input's chunks. Ends early, and in good order, when `signal` aborts. */
async function* chunksOf(input: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of input) yield Buffer.from(chunk as Buffer | string);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Gathers lines into chunks. */
class LineSender {
  readonly #form: LineForm;
  readonly #tag: Buffer;
  readonly #client: CatClient;
  readonly #clock: Clock;
  readonly #splitter = new LineSplitter();
  #entries: Buffer[] = [];
  #bytes = 0;
  #lines = 0;
  #cancelLinger: (() => void) | undefined;
  #has_read_all = false;

  constructor(options: CatOptions, client: CatClient, clock: Clock) {
    this.#form = options;
    this.#tag = Buffer.from(options.tag);
    this.#client = client;
    this.#clock = clock;
  }

  /** To the input's end, or as far as it was wanted. */
  get has_read_all(): boolean {
    return this.#has_read_all;
  }

  async run(chunks: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of chunks) await this.#addAll(this.#splitter.feed(chunk));
      await this.#addAll(this.#splitter.finish());
      this.#has_read_all = true;
    } finally {
      this.#flush();
    }
  }

  async #addAll(lines: Iterable<Buffer>): Promise<void> {
    for (const line of lines) {
      this.#add(line);
      if (this.#bytes < CHUNK_MAX_BYTES) continue;
      this.#flush();
      await this.#client.room();
    }
    await this.#client.room();
    if (this.#entries.length > 0) this.#cancelLinger ??= this.#startLinger();
  }

  #add(line: Buffer): void {
    this.#lines += 1;
    const time = eventTimeOf(this.#clock.now_ms());
    const entry = lineToEntry(line, this.#lines, this.#form, time);
    this.#entries.push(entry);
    this.#bytes += entry.length;
  }

  #startLinger(): () => void {
    return this.#clock.after(LINGER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    this.#client.send(this.#tag, entries);
  }
}
