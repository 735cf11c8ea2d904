import type { Socket } from 'node:net';
import { LogboomError } from '../../errors.ts';
import { createReader } from '../../protocol/create-reader.ts';
import type { MessageReader } from '../../protocol/message-reader.ts';
import type { ScratchPool } from '../../protocol/scratch-pool.ts';
import { type AckChannel, ClientChunks } from './client-chunks.ts';
import type { ChunkDedup } from './dedup.ts';
import { EventSink, type EventSinkDeps, type SinkHost } from './event-sink.ts';
import type { JournalGate } from './journal-gate.ts';
import type { UnfinishedBytes, UnfinishedShare } from './unfinished-bytes.ts';

export interface EventStreamDeps extends EventSinkDeps {
  readonly gate: JournalGate;
  readonly unfinished: UnfinishedBytes;
  readonly scratch: ScratchPool;
  readonly dedup: ChunkDedup;
}

export interface EventStreamOwner {
  readonly peer: string;
  /** What this client's chunk ids are remembered under. */
  readonly sender: string;
  /** The connection cannot go on: bytes that break the protocol, or events that could not be stored. */
  fail(error: unknown): void;
  /** The client sends no more and has got everything it is owed. */
  done(): void;
  /** The journal takes nothing at the moment: this is to be held until it does. */
  waitForJournal(): void;
}

/** Why nothing is read at the moment; any number at once. */
type Hold = 'journal' | 'acks' | 'body' | 'spool';

/**
 * The events of one connection on their way from its socket into the journal, and
 * the acks on their way back.
 *
 * Invariant: while there is a hold, neither the socket nor the reader delivers
 * anything: what the journal, the disk or the client cannot take stays with the sender.
 */
export class EventStream implements SinkHost {
  readonly peer: string;
  readonly chunks: ClientChunks;
  readonly #socket: Socket;
  readonly #owner: EventStreamOwner;
  readonly #deps: EventStreamDeps;
  readonly #sink: EventSink;
  readonly #reader: MessageReader;
  readonly #share: UnfinishedShare;
  readonly #aborted = new AbortController();
  readonly #holds = new Set<Hold>();
  #input_ended = false;

  /** @param first_byte tells the format; feed it too */
  constructor(socket: Socket, first_byte: number, owner: EventStreamOwner, deps: EventStreamDeps) {
    this.peer = owner.peer;
    this.#socket = socket;
    this.#owner = owner;
    this.#deps = deps;
    this.#share = { bytes: 0, evict: () => owner.fail(this.#tooMuchUnfinished()) };
    this.#sink = new EventSink(deps, this);
    this.#reader = createReader(first_byte, this.#sink, deps.limits, deps.scratch);
    this.chunks = new ClientChunks(deps, owner.sender, this.#reader.format, this.#channel);
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /** Nothing is read at the moment. */
  get held(): boolean {
    return this.#holds.size > 0;
  }

  /** A message has come in part. */
  get unfinished(): boolean {
    return this.#reader.unfinished;
  }

  /** Everything that came is in the journal and acked. */
  get settled(): boolean {
    return this.#holds.size === 0 && this.chunks.owed === 0;
  }

  /** Takes the next bytes. @throws LB_PROTOCOL_SYNTAX, LB_PROTOCOL_LIMIT */
  take(chunk: Buffer): void {
    this.chunks.bytesArrived();
    this.#sink.beginChunk(chunk);
    this.#deliver(() => this.#reader.feed(chunk));
  }

  /** The client sends no more. Returns through `owner.done()` once it is owed nothing. */
  endInput(): void {
    this.#input_ended = true;
    if (this.#holds.size > 0) return;
    this.#endReader();
    if (this.settled) this.#owner.done();
  }

  /** The socket is closed. @param orderly by the client's FIN, without an error */
  close(orderly: boolean): void {
    this.#aborted.abort(new Error('the connection is closed'));
    this.#deps.unfinished.set(this.#share, 0);
    this.#endReader();
    this.#sink.close();
    this.chunks.close(orderly);
  }

  #endReader(): void {
    if (!this.#reader.end()) return;
    this.#deps.stats.messages_cut_off++;
    this.#deps.log.debug({ peer: this.peer }, 'the connection ended in the middle of a message');
  }

  during(work: Promise<void>): void {
    this.#hold('body');
    this.#releaseAfter('body', work);
  }

  /** Nothing is taken until `goOn`: there is no room for it in the journal. */
  hold(): void {
    this.#hold('journal');
  }

  goOn(): void {
    this.#guard(() => this.#release('journal'));
  }

  /** The client took acks from its socket, or more of them left. */
  acksMoved(): void {
    if (this.#ackPressure() <= 0.5) this.#release('acks');
    if (this.#input_ended && this.settled) this.#owner.done();
  }

  #deliver(step: () => void): void {
    try {
      step();
    } finally {
      this.#sink.endChunk();
    }
    this.#checkPressure();
  }

  #checkPressure(): void {
    const { gate, unfinished } = this.#deps;
    const held_bytes = this.#reader.held_bytes;
    if (held_bytes !== this.#share.bytes) unfinished.set(this.#share, held_bytes);
    if (this.#ackPressure() > 1) this.#hold('acks');
    if (!gate.open && !this.#holds.has('journal')) this.#owner.waitForJournal();
    const spool = this.#sink.behind;
    if (spool === undefined || this.#holds.has('spool')) return;
    this.#hold('spool');
    this.#releaseAfter('spool', spool.drained());
  }

  /** How near the client is to a bound by not taking its acks, or by asking for too many; 1 is the bound. */
  #ackPressure(): number {
    const { acks_max, ack_buffer_max_bytes } = this.#deps.limits;
    const unread_bytes = this.#socket.writableLength;
    return Math.max(this.chunks.owed / acks_max, unread_bytes / ack_buffer_max_bytes);
  }

  #hold(reason: Hold): void {
    this.#holds.add(reason);
    this.#reader.pause();
    this.#socket.pause();
  }

  #releaseAfter(reason: Hold, work: Promise<void>): void {
    work.then(
      () => this.#guard(() => this.#release(reason)),
      (error: unknown) => this.#owner.fail(error),
    );
  }

  #release(reason: Hold): void {
    if (!this.#holds.delete(reason) || this.#holds.size > 0 || this.signal.aborted) return;
    this.#deliver(() => this.#reader.resume());
    if (this.#holds.size > 0) return;
    this.#socket.resume();
    if (this.#input_ended) this.endInput();
  }

  readonly #channel: AckChannel = {
    write: (ack, written) => {
      if (this.#socket.writable) this.#socket.write(ack, written);
      else written(new Error('the connection is closed'));
    },
    fail: (error) => this.#owner.fail(error),
    dropped: (events) => this.#deps.ledger.count('resent', this.#owner.sender, events),
    relieved: () => this.#guard(() => this.acksMoved()),
  };

  /** For steps that are not called by the owner: what the reader throws reaches it all the same. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#owner.fail(error);
    }
  }

  #tooMuchUnfinished(): LogboomError {
    const max = this.#deps.limits.unfinished_max_bytes;
    return new LogboomError(
      'LB_PROTOCOL_LIMIT',
      `this client holds the most of more than ${max} bytes in unfinished messages (unfinished_max_bytes)`,
    );
  }
}
