import type { IncomingMessage } from 'node:http';
import { LogboomError } from '../../../errors.ts';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Container } from '../types.ts';
import { EngineRefusal } from './api-error.ts';
import { type CallLimits, getJson, getStream } from './call.ts';
import { containerOf, listedIds } from './container-json.ts';
import type { Endpoint } from './endpoint.ts';
import { type EngineEvent, linesOf, parseEvent } from './engine-events.ts';
import { chooseVersion } from './version.ts';

/** Of a container, what `Container` shows; attach and exec events, as many as there are health checks, are left out. */
const ACTIONS = ['create', 'start', 'restart', 'die', 'rename', 'destroy', 'pause', 'unpause'];

const LIMITS_OF_CALLS: CallLimits = {
  timeout_ms: LIMITS.engine_call_timeout_ms,
  answer_max_bytes: LIMITS.engine_answer_max_bytes,
};

export interface LogsRequest {
  /** The last so many entries; undefined: all. */
  readonly tail?: number | undefined;
  /** Seconds with nine decimals; entries from then on. Undefined: from the first. */
  readonly since: string | undefined;
  /** Stay until the container stops; an Engine ignores it for one that does not run. */
  readonly follow: boolean;
}

/**
 * The Docker Engine's HTTP API, as much of it as reading logs needs; it only reads.
 * Every method rejects with LB_DOCKER_API, which says where, what and what to do, or
 * with the signal's reason when the caller ended it.
 */
export class EngineApi {
  readonly #endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #limits: CallLimits;
  /** `/v1.41`; asked for again after a failure, as the Engine may be another one then. */
  #prefix: string | undefined;

  constructor(endpoint: Endpoint, clock: Clock, limits: CallLimits = LIMITS_OF_CALLS) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#limits = limits;
  }

  get url(): string {
    return this.#endpoint.url;
  }

  /** The ids of all containers, running or not. */
  async list(signal: AbortSignal): Promise<string[]> {
    return listedIds(await this.#json('/containers/json?all=1', signal));
  }

  /** Undefined: there is no such container. */
  async inspect(id: string, signal: AbortSignal): Promise<Container | undefined> {
    try {
      return containerOf(await this.#json(`/containers/${encodeURIComponent(id)}/json`, signal));
    } catch (error) {
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * Container events from now on, or again from `since` on (the Engine keeps 256). Resolves
   * once the Engine reports: what happens afterwards is in it, unless it is taken too slowly.
   */
  async events(
    since: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<EngineEvent>> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ACTIONS }));
    const query = since === undefined ? '' : `&since=${since}`;
    const stream = await this.#stream(`/events?filters=${filters}${query}`, signal);
    return eventsOf(stream);
  }

  /** A container's log as the Engine sends it, each entry with its time (formats.md 6.1). */
  logs(
    id: string,
    { since, follow, tail }: LogsRequest,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const query = new URLSearchParams({ stdout: '1', stderr: '1', timestamps: '1' });
    if (follow) query.set('follow', '1');
    if (since !== undefined) query.set('since', since);
    if (tail !== undefined) query.set('tail', String(tail));
    return this.#stream(`/containers/${encodeURIComponent(id)}/logs?${query.toString()}`, signal);
  }

  async #json(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#versioned(signal, (prefix) =>
      getJson(this.#endpoint, prefix + path, this.#limits, this.#clock, signal),
    );
  }

  #stream(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return this.#versioned(signal, (prefix) =>
      getStream(this.#endpoint, prefix + path, this.#limits, this.#clock, signal),
    );
  }

  async #versioned<T>(signal: AbortSignal, call: (prefix: string) => Promise<T>): Promise<T> {
    try {
      this.#prefix ??= `/v${await this.#negotiate(signal)}`;
      return await call(this.#prefix);
    } catch (error) {
      const of_container = error instanceof EngineRefusal && error.status !== 400;
      if (!of_container) this.#prefix = undefined;
      throw error;
    }
  }

  async #negotiate(signal: AbortSignal): Promise<string> {
    const answer = await getJson(this.#endpoint, '/version', this.#limits, this.#clock, signal);
    const { ApiVersion: newest, MinAPIVersion: oldest } = (answer ?? {}) as Record<string, unknown>;
    if (!isVersion(newest)) {
      throw new LogboomError('LB_DOCKER_API', 'expected an ApiVersion, found none', {
        where: `${this.url}/version`,
        hint: 'See whether this address is a Docker Engine.',
      });
    }
    return chooseVersion(newest, isVersion(oldest) ? oldest : newest);
  }
}

function isVersion(value: unknown): value is string {
  return typeof value === 'string' && /^\d+\.\d+$/.test(value);
}

async function* eventsOf(stream: AsyncIterable<Buffer>): AsyncGenerator<EngineEvent> {
  for await (const line of linesOf(stream, LIMITS.engine_event_max_bytes)) {
    const event = parseEvent(line);
    if (event !== undefined) yield event;
  }
}
