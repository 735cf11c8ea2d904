import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { StateSpace } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
import {
  type ChunkEntry,
  decodeEntry,
  decodeSnapshot,
  encodeEntry,
  encodeSnapshot,
  keyOfEntry,
  SENDER_MAX_BYTES,
} from './dedup-entry.ts';
import { entryOf, type HeldChunk, SenderWindow } from './sender-window.ts';

/** The journal's state space of client chunks. */
export const CHUNK_SPACE = 1;

export interface DedupLimits {
  /** Of one sender: chunks whose ack it may lack, and as many others. */
  readonly sender_max_ids: number;
  /** Of all senders together. */
  readonly max_ids: number;
  readonly max_senders: number;
}

const DEFAULT_LIMITS: DedupLimits = {
  sender_max_ids: LIMITS.dedup_sender_max_ids,
  max_ids: LIMITS.dedup_max_ids,
  max_senders: LIMITS.dedup_max_senders,
};

/** A chunk whose commit is under way. */
interface PendingChunk {
  readonly chunk: HeldChunk;
  /** Re-sends that wait for the same commit. */
  readonly waiters: ((error?: Error) => void)[];
}

/**
 * Which client chunks the journal holds (DESIGN 5, last rule), so that a re-send is
 * acked and dropped, also after a restart.
 *
 *     begin() → pending → apply(): durable, ack open → written → received
 *                  └────→ abandon(): forgotten
 *
 * Invariants:
 * - A chunk is known by its id, tag and body together: another body under the same id
 *   is another chunk, and neither takes the other's place.
 * - A chunk is `held` only when its commit is durable; only such are in a snapshot.
 * - A sender has at most `sender_max_ids` chunks whose ack it may lack and as many
 *   others; all senders together have at most `max_ids`: the one with the
 *   most loses first, so a flood of ids forgets its own sender's.
 */
export class ChunkDedup implements StateSpace {
  readonly #limits: DedupLimits;
  readonly #senders: LRUCache<string, SenderWindow>;
  /** By key. */
  readonly #pending = new Map<string, PendingChunk>();
  /** While recovering: each earlier connection's latest chunk. */
  readonly #latest = new Map<number, HeldChunk>();
  #held_count = 0;
  #next_connection = 1;

  constructor(limits: DedupLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
    this.#senders = new LRUCache<string, SenderWindow>({
      max: limits.max_senders,
      dispose: (window) => {
        this.#held_count -= window.size;
      },
    });
  }

  /** Durable chunks that are remembered. */
  get held_count(): number {
    return this.#held_count;
  }

  get pending_count(): number {
    return this.#pending.size;
  }

  /** A number for a client connection that brings its first chunk; unique across restarts. */
  newConnection(): number {
    this.#latest.clear();
    const connection = this.#next_connection;
    this.#next_connection = (connection + 1) >>> 0;
    return connection;
  }

  /** The chunk of this key (`chunkKey`) that this sender last sent, durable or under way. */
  find(sender: string, key: string): HeldChunk | undefined {
    return this.#pending.get(key)?.chunk ?? this.#senders.get(sender)?.find(key);
  }

  /**
   * Announces a chunk whose events are being appended. The caller puts the returned
   * entry into the same commit, and calls `abandon` if that fails.
   */
  begin(
    sender: string,
    key: string,
    connection: number,
    settles: boolean,
  ): { chunk: HeldChunk; entry: Buffer } {
    const chunk: HeldChunk = { key, sender, connection, settles, delivery: 'open' };
    // Whoever waits for an earlier chunk that is equal now waits a little longer.
    const waiters = this.#pending.get(key)?.waiters ?? [];
    this.#pending.set(key, { chunk, waiters });
    return { chunk, entry: encodeEntry(entryOf(chunk)) };
  }

  /** The chunk's commit failed: it is as if it had never come. */
  abandon(chunk: HeldChunk, error: Error): void {
    const pending = this.#pending.get(chunk.key);
    if (pending?.chunk !== chunk) return;
    this.#pending.delete(chunk.key);
    for (const done of pending.waiters) done(error);
  }

  /** Calls `done` when the chunk is durable, at once if it is already, or with an error when it never will be. */
  whenDurable(chunk: HeldChunk, done: (error?: Error) => void): void {
    const pending = this.#pending.get(chunk.key);
    if (pending?.chunk === chunk) pending.waiters.push(done);
    else done();
  }

  /** The client went on behind the chunk's ack. */
  settle(chunk: HeldChunk): void {
    const window = this.#senders.peek(chunk.sender);
    if (window === undefined) chunk.delivery = 'received';
    else this.#counted(window, () => window.settle(chunk));
  }

  apply(bytes: Buffer): void {
    const key = keyOfEntry(bytes);
    const pending = this.#pending.get(key);
    if (pending === undefined) {
      this.#recover(heldAgain(decodeEntry(bytes)));
      return;
    }
    this.#pending.delete(key);
    this.#hold(pending.chunk);
    for (const done of pending.waiters) done();
  }

  snapshot(): Buffer {
    const entries = [];
    for (const window of this.#senders.rvalues()) {
      for (const chunk of window?.chunks() ?? []) entries.push(entryOf(chunk));
    }
    return encodeSnapshot({ next_connection: this.#next_connection, entries });
  }

  restore(snapshot: Buffer | undefined): void {
    this.#senders.clear();
    this.#pending.clear();
    this.#latest.clear();
    this.#held_count = 0;
    if (snapshot === undefined) return;
    const { next_connection, entries } = decodeSnapshot(snapshot);
    for (const entry of entries) this.#recover(heldAgain({ ...entry, settles: false }));
    this.#next_connection = next_connection;
  }

  /** A chunk of an earlier run, in the order in which they were journaled. */
  #recover(chunk: HeldChunk): void {
    const earlier = chunk.settles ? this.#latest.get(chunk.connection) : undefined;
    if (earlier !== undefined) this.settle(earlier);
    // What is not remembered here is only taken for a chunk whose ack is open.
    if (this.#latest.size >= this.#limits.max_ids) this.#latest.clear();
    this.#latest.set(chunk.connection, chunk);
    this.#next_connection = Math.max(this.#next_connection, (chunk.connection + 1) >>> 0);
    this.#hold(chunk);
  }

  #hold(chunk: HeldChunk): void {
    let window = this.#senders.get(chunk.sender);
    if (window === undefined) {
      window = new SenderWindow(this.#limits.sender_max_ids);
      this.#senders.set(chunk.sender, window);
    }
    const open = window;
    this.#counted(open, () => open.hold(chunk));
    while (this.#held_count > this.#limits.max_ids) {
      const fullest = this.#fullest();
      this.#counted(fullest, () => fullest.forgetOne());
    }
  }

  #fullest(): SenderWindow {
    let fullest: SenderWindow | undefined;
    for (const window of this.#senders.values()) {
      if (window !== undefined && window.size > (fullest?.size ?? 0)) fullest = window;
    }
    if (fullest === undefined) throw new RangeError('chunks are held, but no sender is known');
    return fullest;
  }

  #counted(window: SenderWindow, change: () => void): void {
    const before = window.size;
    change();
    this.#held_count += window.size - before;
  }
}

/** The name under which a sender's chunks are remembered: its own, if that is not too long. */
export function senderKey(name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= SENDER_MAX_BYTES) return bytes.toString('latin1');
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The chunk that an earlier run wrote down. */
function heldAgain({ key, sender, connection, settles, received }: ChunkEntry): HeldChunk {
  return { key, sender, connection, settles, delivery: received ? 'received' : 'open' };
}
