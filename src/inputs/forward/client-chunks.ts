import type { JournalWriter } from '../../journal/types.ts';
import { encodeAck } from '../../protocol/ack.ts';
import type { MessageFormat } from '../../protocol/message-reader.ts';
import { AckQueue, type AckSlot } from './ack-queue.ts';
import { CHUNK_SPACE, type ChunkDedup } from './dedup.ts';
import { type ChunkBody, chunkKey } from './dedup-entry.ts';
import type { ForwardLimits } from './options.ts';
import type { HeldChunk } from './sender-window.ts';
import type { ForwardStats } from './stats.ts';

/** A chunk as its client calls it, and as it is known here. */
export interface NamedChunk {
  readonly id: Buffer;
  /** See `chunkKey`. */
  readonly key: string;
}

/** A chunk that is being stored: known to re-sends already, not yet in a commit. */
export interface ChunkClaim {
  readonly chunk: HeldChunk;
  readonly entry: Buffer;
  readonly ack: Buffer;
}

/** The way back to the client. */
export interface AckChannel {
  write(ack: Buffer, written: (error?: Error | null) => void): void;
  /** Acks can't be given any more; the client has to send again. */
  fail(error: Error): void;
  /** A client's re-send was dropped. */
  dropped(events: number): void;
  /** Fewer acks are owed than before. */
  relieved(): void;
}

export interface ClientChunksDeps {
  readonly journal: JournalWriter;
  readonly dedup: ChunkDedup;
  readonly stats: ForwardStats;
  readonly limits: Pick<ForwardLimits, 'acks_max'>;
}

/**
 * The chunks of one connection that ask for an ack: which of them are re-sends,
 * and when each ack may leave.
 *
 * Invariants:
 * - an ack leaves after the commit of its events (G1), in the client's order, in a
 *   write of its own
 * - what the client is known to have received, and what it may lack, is what
 *   `ChunkDedup` is told (DESIGN 5, last rule)
 */
export class ClientChunks {
  readonly #deps: ClientChunksDeps;
  readonly #sender: string;
  readonly #format: MessageFormat;
  readonly #channel: AckChannel;
  readonly #queue: AckQueue;
  /** Acks handed to the socket, which has not said yet that they are with the kernel. */
  readonly #writing: HeldChunk[] = [];
  /** Acks with the kernel; nothing came from the client since. */
  readonly #written: HeldChunk[] = [];
  /** A chunk came in the bytes at hand. */
  #claimed = false;
  /** The client sends chunks without waiting for the ack of the one before. */
  #pipelines = false;
  /** Number of this connection among those that bring chunks; 0 before the first one. */
  #connection = 0;
  /** The acks that wait for the commit that is filling. */
  #batch: AckSlot[] = [];
  #batch_commit = -1;
  #closed = false;

  constructor(deps: ClientChunksDeps, sender: string, format: MessageFormat, channel: AckChannel) {
    this.#deps = deps;
    this.#sender = sender;
    this.#format = format;
    this.#channel = channel;
    this.#queue = new AckQueue((slot) => this.#write(slot));
  }

  /** Acks that the client has not got from us yet. */
  get owed(): number {
    return this.#queue.length + this.#writing.length;
  }

  /**
   * Something came from the client. One that waits for each ack before it goes on has
   * those that were written before. Of one that does not, this is no evidence; only
   * that it does not leave more than `acks_max` unread.
   */
  bytesArrived(): void {
    this.#claimed = false;
    if (this.owed > 0) this.#pipelines = true;
    if (this.#written.length > 0) this.#settle(this.#pipelines ? this.#deps.limits.acks_max : 0);
  }

  named(id: Buffer, body: ChunkBody): NamedChunk {
    return { id, key: chunkKey(this.#sender, id, body) };
  }

  /**
   * True: it is the re-send of a chunk that is held or being stored. It must not be
   * stored again, and is acked once the first one is durable.
   *
   * @param isContentDerived asked only when everything else says that it is a re-send
   */
  takeResend({ id, key }: NamedChunk, events: number, isContentDerived: () => boolean): boolean {
    const { dedup, stats } = this.#deps;
    const held = dedup.find(this.#sender, key);
    if (held === undefined) return false;
    if (held.delivery !== 'open' && isContentDerived()) {
      stats.equal_chunks_kept++;
      return false;
    }
    stats.resends_dropped++;
    this.#channel.dropped(events);
    held.connection = this.#number();
    held.delivery = 'open';
    const slot = this.#queue.push(encodeAck(id, this.#format), held);
    dedup.whenDurable(held, (error) => {
      if (error === undefined) this.#release([slot]);
      else this.#fail(error);
    });
    return true;
  }

  /** Makes the chunk known, so that a re-send on another connection waits for this one. */
  claim({ id, key }: NamedChunk): ChunkClaim {
    if (this.#claimed) this.#pipelines = true;
    this.#claimed = true;
    const connection = this.#number();
    const settles = this.owed === 0 && this.#written.length === 0;
    const begun = this.#deps.dedup.begin(this.#sender, key, connection, settles);
    return { ...begun, ack: encodeAck(id, this.#format) };
  }

  /** The chunk's events are in the commit that is filling: the ack follows that commit. */
  accept(claim: ChunkClaim): void {
    const { journal } = this.#deps;
    journal.note(CHUNK_SPACE, claim.entry);
    if (this.#batch_commit !== journal.filling) {
      const batch: AckSlot[] = [];
      this.#batch = batch;
      this.#batch_commit = journal.filling;
      journal.onCommit((error) => this.#committed(batch, error));
    }
    this.#batch.push(this.#queue.push(claim.ack, claim.chunk));
    journal.hurry();
  }

  /** The chunk's events and its entry are durable. */
  acceptDurable(claim: ChunkClaim): void {
    this.#release([this.#queue.push(claim.ack, claim.chunk)]);
  }

  /** The chunk was not stored. */
  abandon(claim: ChunkClaim, error: Error): void {
    this.#deps.dedup.abandon(claim.chunk, error);
  }

  /**
   * The connection is over. After a client's orderly end the acks that were written
   * before it count as received: unread ones would have made it a reset.
   */
  close(orderly: boolean): void {
    this.#closed = true;
    if (orderly) this.#settle(0);
    for (const chunk of this.#written) {
      if (chunk.connection === this.#connection) chunk.delivery = 'open';
    }
    this.#written.length = 0;
  }

  /** All but the last `unread` acks that were written have been received. */
  #settle(unread: number): void {
    const received = this.#written.splice(0, Math.max(0, this.#written.length - unread));
    for (const chunk of received) {
      if (chunk.connection === this.#connection) this.#deps.dedup.settle(chunk);
    }
  }

  #number(): number {
    if (this.#connection === 0) this.#connection = this.#deps.dedup.newConnection();
    return this.#connection;
  }

  #committed(batch: readonly AckSlot[], error: Error | undefined): void {
    if (error === undefined) {
      this.#release(batch);
      return;
    }
    for (const { chunk } of batch) this.#deps.dedup.abandon(chunk, error);
    this.#fail(error);
  }

  #release(slots: readonly AckSlot[]): void {
    if (this.#closed) return;
    this.#queue.release(slots);
    this.#channel.relieved();
  }

  #fail(error: Error): void {
    if (!this.#closed) this.#channel.fail(error);
  }

  #write({ ack, chunk }: AckSlot): void {
    this.#writing.push(chunk);
    this.#channel.write(ack, this.#onWritten);
  }

  /** Called by the socket in the order of the writes. */
  readonly #onWritten = (error?: Error | null): void => {
    const chunk = this.#writing.shift();
    if (chunk === undefined || this.#closed || (error !== undefined && error !== null)) return;
    this.#deps.stats.acks_sent++;
    if (chunk.connection === this.#connection) chunk.delivery = 'written';
    this.#written.push(chunk);
    this.#channel.relieved();
  };
}
