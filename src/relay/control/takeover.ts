import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { LogboomError, systemCode } from '../../errors.ts';
import type { Listeners } from '../../inputs/forward/listeners.ts';
import { FORMAT_VERSION } from '../../journal/format.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { checkOutputs, type PlaceUse } from './check-outputs.ts';
import { controlPath } from './control-path.ts';
import type { Successor } from './handover.ts';
import { JsonLines } from './json-lines.ts';
import { type Answer, answer, PROTOCOL, type Ready } from './messages.ts';

export interface TakeoverDeps {
  /** This process. */
  readonly self: Successor;
  readonly place_use: PlaceUse;
  readonly clock: Clock;
  readonly log: Log;
}

const ANSWER_TIMEOUT_MS = 5_000;
/** Beyond the time that the other relay gives itself. */
const STOP_MARGIN_MS = 5_000;
/** For a port whose last listener was closed just now. */
const PORT_PATIENCE_MS = 2_000;

/**
 * Takes over from the relay that owns the journal in `directory`: when this resolves,
 * `listeners` are open and hold their clients, and the journal is free. Resolves with
 * nothing done if no relay runs there.
 *
 * Until the other one is asked to release, it is not touched by anything that fails here.
 *
 * @throws LB_TAKEOVER if it does not hand over; LB_LISTEN, LB_TLS; none of `listeners` is
 *   open then
 */
export async function takeOver(
  directory: string,
  listeners: Listeners,
  deps: TakeoverDeps,
): Promise<void> {
  const socket = await findRelay(directory);
  if (socket === undefined) {
    deps.log.info({ journal: directory }, 'no relay runs here: nothing to take over');
    return;
  }
  const channel = new JsonLines<Answer>(socket, answer);
  try {
    await new Takeover(channel, listeners, deps).run();
  } catch (error) {
    listeners.close();
    throw error;
  } finally {
    channel.destroy();
  }
}

class Takeover {
  readonly #channel: JsonLines<Answer>;
  readonly #listeners: Listeners;
  readonly #deps: TakeoverDeps;

  constructor(channel: JsonLines<Answer>, listeners: Listeners, deps: TakeoverDeps) {
    this.#channel = channel;
    this.#listeners = listeners;
    this.#deps = deps;
  }

  async run(): Promise<void> {
    const { clock, log } = this.#deps;
    const begun_ms = clock.monotonic_ms();
    const other = await this.#ask();
    this.#check(other);
    await this.#listeners.openBeside(other.listeners);
    const { pid, version } = other;
    if (this.#channel.closed) throw failure(other, 'it ended before it was asked to');
    // In one breath: with its paths taken, the other relay must not be left to itself.
    this.#listeners.show();
    this.#channel.send({ type: 'release' });
    const end_ms = clock.monotonic_ms() + other.stop_timeout_ms + STOP_MARGIN_MS;
    await this.#awaitFrom(other, 'closed', end_ms);
    await this.#openRest();
    await this.#awaitFrom(other, 'stopped', end_ms);
    const took_ms = Math.round(clock.monotonic_ms() - begun_ms);
    log.info({ pid, version, took_ms }, 'took over from the relay that ran here');
  }

  async #ask(): Promise<Ready> {
    this.#channel.send({ type: 'takeover', protocol: PROTOCOL, ...this.#deps.self });
    const said = await this.#channel.next(ANSWER_TIMEOUT_MS);
    if (said?.type === 'ready') return said;
    const reason = said?.type === 'refused' ? said.reason : 'it ended the conversation';
    throw new LogboomError('LB_TAKEOVER', `the running relay does not hand over: ${reason}`, {
      hint: 'It goes on. Stop it and start this one, or try again.',
    });
  }

  /** What would keep this process from starting when it is too late to go back. */
  #check(other: Ready): void {
    const { journal_format } = other;
    if (journal_format > FORMAT_VERSION) {
      throw new LogboomError('LB_JOURNAL_VERSION', 'the running relay writes a newer format', {
        where: `its format ${journal_format}, ours ${FORMAT_VERSION}`,
        hint: 'Take over with its version or a newer one.',
      });
    }
    checkOutputs(other, this.#deps.place_use);
  }

  async #openRest(): Promise<void> {
    const { clock, log } = this.#deps;
    const { later } = this.#listeners;
    const closed_ms = clock.monotonic_ms();
    await this.#listeners.openRest(PORT_PATIENCE_MS);
    if (later.length === 0) return;
    const gap_ms = Math.ceil(clock.monotonic_ms() - closed_ms);
    log.warn({ listeners: later, gap_ms }, 'connections were refused while the port changed hands');
  }

  /** Resolves at the message, at a later one, or when the other process is gone. */
  async #awaitFrom(other: Ready, type: Answer['type'], end_ms: number): Promise<void> {
    for (;;) {
      const left_ms = Math.max(1, Math.round(end_ms - this.#deps.clock.monotonic_ms()));
      const said = await this.#next(other, left_ms);
      if (said === undefined || said.type === type) return;
    }
  }

  async #next(other: Ready, left_ms: number): Promise<Answer | undefined> {
    try {
      return await this.#channel.next(left_ms);
    } catch (cause) {
      throw failure(other, 'it was asked to stop and has not', cause);
    }
  }
}

function failure({ pid, version }: Ready, what: string, cause?: unknown): LogboomError {
  return new LogboomError('LB_TAKEOVER', `the relay that ran here does not hand over: ${what}`, {
    where: `process ${pid}, logboom ${version}`,
    hint: 'See what it does; once it is gone (kill -9 loses nothing that was acked), start this one.',
    cause,
  });
}

/** A connection to the relay's control socket; undefined if nobody listens there. */
async function findRelay(directory: string): Promise<Socket | undefined> {
  let way: ReturnType<typeof controlPath> | undefined;
  try {
    way = controlPath(directory);
    const socket = connect(way.path);
    await once(socket, 'connect');
    return socket;
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw new LogboomError('LB_TAKEOVER', 'the control socket cannot be reached', {
      where: directory,
      hint: 'Run as the user whose relay it is.',
      cause,
    });
  } finally {
    way?.close();
  }
}
