import { createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '../../errors.ts';
import { type BoundSocket, bindUnixSocket } from '../../inputs/forward/unix-socket.ts';
import type { Log } from '../../sys/log.ts';
import { type ControlPath, controlPath } from './control-path.ts';
import { JsonLines } from './json-lines.ts';
import {
  type Answer,
  PROTOCOL,
  type Ready,
  type Request,
  request,
  type StatusAnswer,
} from './messages.ts';

/** The process that takes over. */
export interface Successor {
  readonly pid: number;
  readonly version: string;
}

/** The relay as this part sees it. */
export interface HandoverDeps {
  /** What a successor is told. */
  view(): Omit<Ready, 'type'>;
  /** The relay's snapshot; undefined: it has none yet. */
  status(): StatusAnswer['status'] | undefined;
  /** A successor that had begun to listen is gone, and this process goes on. */
  calledOff(): Promise<void>;
  readonly log: Log;
}

/** For its owner only: who can connect can stop the relay. */
const MODE = 0o600;
const BACKLOG = 8;
const CONNECTIONS_MAX = 8;
const REQUEST_TIMEOUT_MS = 5_000;
/** Between `ready` and `release` a successor opens its listeners. */
const RELEASE_TIMEOUT_MS = 30_000;

/**
 * The running relay's side of a takeover: its control socket, and the one successor
 * that it has said yes to. It also answers who asks for the relay's status. Only the owner of the journal's lock opens it.
 */
export class Handover {
  /** Settles when a successor listens and asks this process to stop. It may never. */
  readonly released: Promise<Successor>;
  readonly #deps: HandoverDeps;
  readonly #server: Server;
  readonly #channels = new Set<JsonLines<Request>>();
  #release: (successor: Successor) => void = () => {};
  #bound: BoundSocket | undefined;
  #path: ControlPath | undefined;
  #successor: JsonLines<Request> | undefined;

  private constructor(deps: HandoverDeps) {
    this.#deps = deps;
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Never rejects: a relay without a control socket runs, and cannot be taken over. */
  static async open(directory: string, deps: HandoverDeps): Promise<Handover> {
    const handover = new Handover(deps);
    await handover.#listen(directory);
    return handover;
  }

  /** Tells the successor, if there is one, that no listener is open any more. */
  closed(): void {
    this.#tell({ type: 'closed' });
  }

  /** Answers nobody new. */
  close(): void {
    try {
      this.#bound?.release();
      if (this.#server.listening) this.#server.close();
    } catch (error) {
      this.#deps.log.warn({ error: messageOf(error) }, 'the control socket did not close cleanly');
    }
    this.#bound = undefined;
    this.#path?.close();
    this.#path = undefined;
    for (const channel of this.#channels) if (channel !== this.#successor) channel.destroy();
  }

  /** Tells the successor that the journal is free. */
  stopped(): void {
    this.#tell({ type: 'stopped' });
    this.#successor?.close();
  }

  async #listen(directory: string): Promise<void> {
    try {
      this.#path = controlPath(directory);
      this.#bound = await bindUnixSocket(this.#server, this.#path.path, MODE, BACKLOG);
      this.#bound.show();
      this.#server.on('error', (error) => {
        this.#deps.log.warn({ error: error.message }, 'the control socket cannot accept');
      });
    } catch (error) {
      this.#deps.log.warn(
        { error: messageOf(error) },
        'no control socket: `--takeover` and `logboom status --journal` will not work',
      );
      this.close();
    }
  }

  #accept(socket: Socket): void {
    const channel = new JsonLines<Request>(socket, request);
    this.#channels.add(channel);
    socket.once('close', () => this.#channels.delete(channel));
    this.#answer(channel).catch((error: unknown) => {
      this.#deps.log.warn({ error: messageOf(error) }, 'a takeover was called off');
      return this.#drop(channel);
    });
  }

  /** From a successor's first word to its last. */
  async #answer(channel: JsonLines<Request>): Promise<void> {
    const asked = await channel.next(REQUEST_TIMEOUT_MS);
    if (asked === undefined) return;
    if (asked.type === 'status') {
      const status = this.#deps.status();
      if (status !== undefined) channel.send({ type: 'status', status } satisfies StatusAnswer);
      channel.close();
      return;
    }
    if (asked.type !== 'takeover') {
      this.#refuse(channel, `${asked.type} without takeover`);
      return;
    }
    const reason = this.#reasonAgainst(asked.protocol);
    if (reason !== undefined) {
      this.#refuse(channel, reason);
      return;
    }
    this.#successor = channel;
    const { pid, version } = asked;
    this.#deps.log.info({ pid, version }, 'another process asks to take over');
    channel.send({ type: 'ready', ...this.#deps.view() } satisfies Answer);
    const next = await channel.next(RELEASE_TIMEOUT_MS);
    if (next?.type === 'release') this.#release({ pid, version });
    else {
      this.#deps.log.warn({ pid, version }, 'the successor is gone; this process goes on');
      await this.#drop(channel);
    }
  }

  #reasonAgainst(protocol: number): string | undefined {
    if (protocol !== PROTOCOL) return `it speaks version ${PROTOCOL} of the protocol`;
    return this.#successor === undefined ? undefined : 'another process is taking over already';
  }

  #refuse(channel: JsonLines<Request>, reason: string): void {
    channel.send({ type: 'refused', reason } satisfies Answer);
    channel.close();
  }

  async #drop(channel: JsonLines<Request>): Promise<void> {
    channel.destroy();
    if (this.#successor !== channel) return;
    await this.#deps.calledOff();
    this.#successor = undefined;
  }

  #tell(message: Answer): void {
    this.#successor?.send(message);
  }
}
