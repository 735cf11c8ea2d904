import type { Socket } from 'node:net';
import { LogboomError, messageOf } from '../../errors.ts';
import type { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import { senderKey } from './dedup.ts';
import { EventStream, type EventStreamDeps, type EventStreamOwner } from './event-stream.ts';
import { HandshakeGate, type HandshakeOptions } from './handshake-gate.ts';
import type { GatedClient } from './journal-gate.ts';

export interface ConnectionDeps extends EventStreamDeps {
  readonly warnings: RateLimitedLog;
}

/** Who is at the other end. */
export interface Peer {
  /** For messages: `10.0.0.7:41022 to tcp://0.0.0.0:24224`. */
  readonly name: string;
  /** What its chunk ids are remembered under, unless a handshake tells its name. */
  readonly sender: string;
}

/** How long a refused client may take to read why. */
const FAREWELL_MS = 1000;

/**
 * One client, from its first byte to its last.
 *
 *     handshake ──PING──► opening ──first byte──► events ──FIN──► acks ──► closed
 *         └── refused: PONG with the reason ──► closed
 *
 * Invariant: a client that breaks the protocol is closed, with a counted, logged
 * reason; what came whole before stays, and nobody else is touched.
 */
export class Connection implements EventStreamOwner, GatedClient {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  #sender: string;
  #handshake: HandshakeGate | undefined;
  #cancelDeadline: (() => void) | undefined;
  #events: EventStream | undefined;
  /** The journal has no room: what the client sends waits in the kernel. */
  #is_held = false;
  #bytes_in = 0;
  #input_ended = false;
  #failed = false;

  constructor(
    socket: Socket,
    peer: Peer,
    handshake: HandshakeOptions | undefined,
    deps: ConnectionDeps,
  ) {
    this.#socket = socket;
    this.#deps = deps;
    this.peer = peer.name;
    this.#sender = senderKey(peer.sender);
    socket.on('data', (chunk: Buffer) => this.#guard(() => this.#take(chunk)));
    socket.on('end', () => this.#guard(() => this.#endInput()));
    socket.on('drain', () => this.#guard(() => this.#events?.acksMoved()));
    socket.on('error', (error) => this.#lost(error));
    socket.on('close', () => this.#ended());
    if (handshake === undefined) deps.gate.join(this);
    else this.#beginHandshake(handshake);
  }

  get sender(): string {
    return this.#sender;
  }

  /** All bytes that came. */
  get bytes_in(): number {
    return this.#bytes_in;
  }

  /** More is sure to come: a part of a message is here, or what it sends waits in the kernel. */
  get expects_more(): boolean {
    return this.#events === undefined
      ? this.#is_held
      : this.#events.held || this.#events.unfinished;
  }

  /** Everything that came is in the journal and acked. */
  get settled(): boolean {
    return this.#events?.settled ?? !this.#is_held;
  }

  /** Sends FIN behind the last ack. What the client still sends is read on. */
  finish(): void {
    if (!this.#socket.writableEnded) this.#socket.end();
  }

  /** Ends the connection now. */
  destroy(): void {
    this.#socket.destroy();
  }

  done(): void {
    this.finish();
  }

  waitForJournal(): void {
    this.#deps.gate.wait(this);
  }

  hold(): void {
    this.#is_held = true;
    if (this.#events === undefined) this.#socket.pause();
    else this.#events.hold();
  }

  goOn(): void {
    this.#is_held = false;
    if (this.#events === undefined) this.#socket.resume();
    else this.#events.goOn();
  }

  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const { stats, warnings } = this.#deps;
    const code = error instanceof LogboomError ? error.code : 'unknown';
    if (code.startsWith('LB_PROTOCOL_')) stats.connections_broken++;
    else stats.connections_failed++;
    const fields = { peer: this.peer, code, error: messageOf(error) };
    warnings.warn(code, fields, 'connection closed');
    this.#socket.destroy();
  }

  #beginHandshake(options: HandshakeOptions): void {
    const { limits, clock } = this.#deps;
    this.#handshake = new HandshakeGate(options, limits.handshake_max_bytes);
    this.#socket.write(this.#handshake.helo);
    this.#cancelDeadline = clock.after(limits.handshake_timeout_ms, () => {
      this.#refused(`no PING within ${limits.handshake_timeout_ms} ms`);
      this.#socket.destroy();
    });
  }

  #take(chunk: Buffer): void {
    if (this.#failed) return;
    this.#bytes_in += chunk.length;
    this.#deps.stats.bytes_in += chunk.length;
    if (this.#handshake !== undefined) this.#takeHandshake(this.#handshake, chunk);
    else this.#takeEvents(chunk);
  }

  #takeHandshake(handshake: HandshakeGate, chunk: Buffer): void {
    const done = handshake.feed(chunk);
    if (done === undefined) return;
    const { verdict, rest } = done;
    this.#cancelDeadline?.();
    if (!verdict.ok) {
      this.#refused(verdict.reason, verdict.client_hostname);
      this.#farewell(verdict.pong);
      return;
    }
    this.#handshake = undefined;
    this.#socket.write(verdict.pong);
    if (verdict.client_hostname !== '') this.#sender = senderKey(verdict.client_hostname);
    if (rest.length > 0) this.#takeEvents(rest);
    this.#deps.gate.join(this);
  }

  #takeEvents(chunk: Buffer): void {
    this.#events ??= new EventStream(this.#socket, chunk[0] ?? 0, this, this.#deps);
    this.#events.take(chunk);
  }

  #endInput(): void {
    this.#input_ended = true;
    if (this.#failed) return;
    if (this.#events === undefined) this.finish();
    else this.#events.endInput();
  }

  /** Bad bytes close this connection and nothing else. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  #refused(reason: string, client_hostname?: string): void {
    this.#failed = true;
    this.#deps.stats.handshake_failures++;
    const fields = { peer: this.peer, client_hostname, reason };
    this.#deps.warnings.warn('handshake', fields, 'handshake failed');
  }

  /** A last answer, and time to read it: a reset would take it away. */
  #farewell(answer: Buffer): void {
    this.#socket.end(answer);
    this.#cancelDeadline = this.#deps.clock.after(FAREWELL_MS, () => this.#socket.destroy());
  }

  #lost(error: Error): void {
    this.#failed = true;
    this.#deps.log.debug({ peer: this.peer, error: error.message }, 'connection lost');
  }

  #ended(): void {
    const orderly = this.#input_ended && !this.#failed;
    this.#failed = true;
    this.#cancelDeadline?.();
    this.#deps.gate.leave(this);
    this.#events?.close(orderly);
    if (this.#bytes_in > 0) return;
    this.#deps.stats.connections_empty++;
    this.#deps.log.debug({ peer: this.peer }, 'connection without a byte');
  }
}
