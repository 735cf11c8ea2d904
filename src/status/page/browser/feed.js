// The relay's status as it comes, for as long as the page is open.

import { SseParser } from './sse.js';

/** @import { RelayStatus } from '../../types.ts' */

/**
 * - `connecting`: nothing came yet
 * - `live`: figures come every second
 * - `gone`: the connection failed; another attempt follows by itself
 * - `locked`: the relay wants a token, or another one
 *
 * @typedef {'connecting' | 'live' | 'gone' | 'locked'} FeedState
 */

/**
 * @typedef {object} FeedEvents
 * @property {(status: RelayStatus) => void} onStatus
 * @property {(state: FeedState, reason: string) => void} onState when it, or its reason, is
 *   another one; the reason is the relay's own, or empty
 */

const UNAUTHORIZED = 401;
const RETRY_MS = 1000;
/** Characters of what a server, or a proxy, says when it refuses. */
const REASON_MAX = 200;
/** The relay sends every second: a connection that is silent for so long is dead. */
const SILENCE_MAX_MS = 8000;

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Follows `events`, reconnecting for good. EventSource would do that too, but cannot
 * carry a bearer token.
 */
export class Feed {
  #events;
  /** @type {string | null} */
  #token;
  /** @type {FeedState} */
  #state = 'connecting';
  #reason = '';

  /**
   * @param {string | null} token
   * @param {FeedEvents} events
   */
  constructor(token, events) {
    this.#token = token;
    this.#events = events;
  }

  /** Returns when the relay wants a token: `unlock` goes on. */
  async follow() {
    for (;;) {
      const { is_locked, reason } = await this.#read();
      this.#enter(is_locked ? 'locked' : 'gone', reason);
      if (is_locked) return;
      await pause(RETRY_MS);
    }
  }

  /** @param {string} token */
  unlock(token) {
    this.#token = token;
    this.#state = 'connecting';
    return this.follow();
  }

  /** Reads until there is nothing more to read. Never rejects. */
  async #read() {
    const dead = new AbortController();
    const watchdog = new Watchdog(() => dead.abort());
    try {
      const response = await fetch('events', {
        headers: this.#token === null ? {} : { authorization: `Bearer ${this.#token}` },
        cache: 'no-store',
        signal: dead.signal,
      });
      if (!response.ok || response.body === null) {
        return {
          is_locked: response.status === UNAUTHORIZED,
          reason: (await response.text()).slice(0, REASON_MAX),
        };
      }
      const parser = new SseParser((data) => this.#take(data));
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        watchdog.pat();
        parser.push(value);
      }
    } catch {
      // It is gone: why, a browser does not say.
    } finally {
      watchdog.stop();
      dead.abort();
    }
    return { is_locked: false, reason: '' };
  }

  /** @param {string} data */
  #take(data) {
    const status = /** @type {RelayStatus} */ (JSON.parse(data));
    this.#enter('live', '');
    try {
      this.#events.onStatus(status);
    } catch (error) {
      // A fault of the page, not of the connection.
      reportError(error);
    }
  }

  /**
   * @param {FeedState} state
   * @param {string} reason
   */
  #enter(state, reason) {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#events.onState(state, reason);
  }
}

/** Barks once nobody has patted it for a while. */
class Watchdog {
  #bark;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} bark */
  constructor(bark) {
    this.#bark = bark;
    this.pat();
  }

  pat() {
    this.stop();
    this.#timer = setTimeout(this.#bark, SILENCE_MAX_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
