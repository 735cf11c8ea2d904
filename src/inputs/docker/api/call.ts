/**
 * Calls to the Engine over HTTP: one connection each, every one bounded in time,
 * in bytes, and by a signal.
 */
import { type IncomingMessage, request } from 'node:http';
import type { Clock } from '../../../sys/clock.ts';
import { EngineRefusal, transportError } from './api-error.ts';
import type { Endpoint } from './endpoint.ts';

export interface CallLimits {
  /** Until the answer is whole; for a stream, until its headers are here. */
  readonly timeout_ms: number;
  readonly answer_max_bytes: number;
}

const REFUSAL_MAX_BYTES = 64 * 1024;

/**
 * The JSON that the Engine answers with to `GET path`.
 *
 * @throws LB_DOCKER_API; an `EngineRefusal` when the Engine answered with an error.
 */
export async function getJson(
  endpoint: Endpoint,
  path: string,
  limits: CallLimits,
  clock: Clock,
  signal: AbortSignal,
): Promise<unknown> {
  const where = `${endpoint.url}${path}`;
  const call = new TimedCall(limits.timeout_ms, clock, signal);
  try {
    const response = await open(endpoint, path, call.signal);
    const text = await bodyOf(response, limits.answer_max_bytes);
    return JSON.parse(text);
  } catch (error) {
    throw call.reason(where, error);
  } finally {
    call.settle();
    call.release();
  }
}

/**
 * The body of `GET path` as a stream that ends when `signal` aborts. The timeout is
 * for its beginning only: whoever follows something waits for as long as nothing happens.
 *
 * @throws LB_DOCKER_API as `getJson`. What breaks later is an error of the stream.
 */
export async function getStream(
  endpoint: Endpoint,
  path: string,
  limits: CallLimits,
  clock: Clock,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const where = `${endpoint.url}${path}`;
  const call = new TimedCall(limits.timeout_ms, clock, signal);
  try {
    const response = await open(endpoint, path, call.signal);
    response.once('close', () => call.release());
    return response;
  } catch (error) {
    call.release();
    throw call.reason(where, error);
  } finally {
    call.settle();
  }
}

/** Ends a call at its time limit, or when its owner wants. */
class TimedCall {
  readonly #controller = new AbortController();
  readonly #owner: AbortSignal;
  readonly #abort = (): void => this.#controller.abort(this.#owner.reason);
  readonly #cancel: () => void;
  readonly #timeout_ms: number;
  #timed_out = false;

  constructor(timeout_ms: number, clock: Clock, owner: AbortSignal) {
    this.#owner = owner;
    this.#timeout_ms = timeout_ms;
    owner.addEventListener('abort', this.#abort);
    if (owner.aborted) this.#abort();
    this.#cancel = clock.after(timeout_ms, () => {
      this.#timed_out = true;
      this.#controller.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time limit is over. */
  settle(): void {
    this.#cancel();
  }

  /** The owner's signal is over, too. */
  release(): void {
    this.#owner.removeEventListener('abort', this.#abort);
  }

  reason(where: string, error: unknown): unknown {
    if (this.#owner.aborted || error instanceof EngineRefusal) return error;
    if (!this.#timed_out) return transportError(where, error);
    const late = new Error(`no whole answer within ${this.#timeout_ms} ms`);
    return transportError(where, Object.assign(late, { code: 'ETIMEDOUT' }));
  }
}

async function open(
  endpoint: Endpoint,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, ...address } = endpoint;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request({
      ...address,
      path,
      agent: false,
      signal,
      headers: { host: 'docker' },
    });
    call.once('error', reject);
    call.once('response', resolve);
    call.end();
  });
  const status = response.statusCode ?? 0;
  if (status === 200) return response;
  throw new EngineRefusal(`${url}${path}`, status, await bodyOf(response, REFUSAL_MAX_BYTES));
}

async function bodyOf(response: IncomingMessage, max_bytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > max_bytes) throw new Error(`the answer is longer than ${max_bytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
