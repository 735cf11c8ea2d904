import { crc32 } from 'node:zlib';
import type { JournalWriter } from '../../journal/types.ts';
import { CODEC, signalOf } from '../../protocol/codec.ts';
import { hasDigestShape, isContentDerived, messageContent } from '../../protocol/content-id.ts';
import { type EventTime, eventTimeOf } from '../../protocol/event-time.ts';
import {
  type Frame,
  type FrameSink,
  type LargeFrame,
  type LargeFrameEnd,
  MODE,
} from '../../protocol/frame.ts';
import { normalizeFrame } from '../../protocol/normalize.ts';
import type { Clock } from '../../sys/clock.ts';
import type { DropLedger } from '../../sys/ledger.ts';
import type { Log } from '../../sys/log.ts';
import type { BodyStore, MessageOrigin } from './body-store.ts';
import type { ChunkClaim } from './client-chunks.ts';
import type { ChunkBody } from './dedup-entry.ts';
import { HeldFrame } from './held-frame.ts';
import { LargeMessage } from './large-message.ts';
import type { FilterSource, MessageFilter } from './message-filter.ts';
import type { ForwardLimits } from './options.ts';
import { RunWriter } from './run-writer.ts';
import type { Spool, SpoolPool } from './spool.ts';
import type { ForwardStats } from './stats.ts';

export interface EventSinkDeps {
  readonly journal: JournalWriter;
  readonly ledger: DropLedger;
  readonly stats: ForwardStats;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ForwardLimits;
  readonly pool: SpoolPool;
  readonly store: BodyStore;
  readonly filters: FilterSource | undefined;
}

/** The connection that the sink works for. */
export interface SinkHost extends MessageOrigin {
  /** Delivers nothing more until `work` is done. If it fails, the connection is closed. */
  during(work: Promise<void>): void;
}

/**
 * Puts the messages of one connection into the journal, in their order.
 *
 *     Message, regular                  the hot path: RunWriter
 *     Forward, Packed, regular          one copy into the open record
 *     irregular                         normalized first
 *     compressed, large                 gathered, then BodyStore, while the reader is paused
 *     other signals                     stored as they came
 */
export class EventSink implements FrameSink {
  readonly #deps: EventSinkDeps;
  readonly #host: SinkHost;
  readonly #run: RunWriter;
  /** Undefined: everything is stored. */
  #filter: MessageFilter | undefined;
  #large: LargeMessage | undefined;

  constructor(deps: EventSinkDeps, host: SinkHost) {
    this.#deps = deps;
    this.#host = host;
    this.#run = new RunWriter(deps.journal, deps.stats);
    this.#filter = deps.filters?.();
  }

  /** The large message under way, if it has to wait for the disk. */
  get behind(): Spool | undefined {
    const spool = this.#large?.spool;
    return spool?.behind === true ? spool : undefined;
  }

  /** `chunk` is about to be fed: its bytes may be overwritten. */
  beginChunk(chunk: Buffer): void {
    this.#run.begin(chunk);
  }

  /** Nothing more is delivered from the chunk: everything goes into the journal. */
  endChunk(): void {
    this.#run.end();
    this.#filter?.stored();
  }

  /** The connection is over. */
  close(): void {
    this.#filter?.close();
  }

  frame(buf: Buffer, frame: Frame): void {
    if (frame.chunk_start >= 0) this.#takeChunk(buf, frame);
    else if (this.#filter === undefined || frame.codec !== CODEC.none) {
      this.#take(buf, frame, undefined);
    } else this.#judge(this.#filter, buf, frame, undefined);
  }

  heartbeat(): void {
    this.#deps.stats.heartbeats++;
  }

  largeBegin(frame: LargeFrame): void {
    const { pool, limits, stats } = this.#deps;
    stats.large_messages++;
    this.#large = new LargeMessage(frame, pool, limits.record_max_bytes);
  }

  largeRun(
    buf: Buffer,
    start: number,
    end: number,
    count: number,
    time_min_s: number,
    time_max_s: number,
    attrs: number,
    irregular: boolean,
  ): void {
    this.#large?.run(
      buf,
      start,
      end,
      count,
      time_min_s,
      time_max_s,
      attrs,
      irregular,
      this.#arrival,
      this.#deps.limits,
    );
  }

  largeEnd(_frame: LargeFrame, end: LargeFrameEnd): void {
    const message = this.#large;
    this.#large = undefined;
    if (message !== undefined) this.#gathered(message, end);
  }

  largeAbort(): void {
    this.#large?.discard();
    this.#large = undefined;
    this.#deps.log.debug(
      { peer: this.#host.peer },
      'a large message broke off; nothing of it is kept',
    );
  }

  #takeChunk(buf: Buffer, frame: Frame): void {
    const id = Buffer.from(buf.subarray(frame.chunk_start, frame.chunk_end));
    const { chunks } = this.#host;
    if (frame.codec !== CODEC.none && signalOf(frame.attrs) === 0) {
      this.#takeCompressed(buf, frame, id);
      return;
    }
    const named = chunks.named(id, bodyOf(buf, frame));
    const derived = (): boolean => isDerived(id, buf, frame);
    if (chunks.takeResend(named, frame.count, derived)) return;
    const claim = chunks.claim(named);
    if (this.#filter === undefined) this.#take(buf, frame, claim);
    else this.#judge(this.#filter, buf, frame, claim);
  }

  #judge(filter: MessageFilter, buf: Buffer, frame: Frame, claim: ChunkClaim | undefined): void {
    const verdict = filter.judge(buf, frame);
    if (verdict === 'store') {
      this.#take(buf, frame, claim);
    } else if (verdict === 'drop') {
      this.#drop(claim);
    } else if (verdict === 'pass') {
      filter.close();
      this.#filter = undefined;
      this.#take(buf, frame, claim);
    } else {
      this.#host.during(this.#takeLater(verdict, new HeldFrame(buf, frame), claim));
    }
  }

  /** Its commit is not before the one that holds the same event. */
  #drop(claim: ChunkClaim | undefined): void {
    this.#deps.stats.messages_in++;
    if (claim === undefined) return;
    this.#run.flush();
    this.#host.chunks.accept(claim);
  }

  async #takeLater(
    verdict: Promise<() => boolean>,
    { buf, frame }: HeldFrame,
    claim: ChunkClaim | undefined,
  ): Promise<void> {
    try {
      const isNew = await verdict;
      if (isNew()) this.#take(buf, frame, claim);
      else this.#drop(claim);
      this.#run.flush();
      this.#filter?.stored();
    } catch (error) {
      if (claim !== undefined) this.#host.chunks.abandon(claim, asError(error));
      throw error;
    }
  }

  /** Stores a message; with a claim, its ack follows the commit. */
  #take(buf: Buffer, frame: Frame, claim: ChunkClaim | undefined): void {
    if (frame.mode === MODE.message && !frame.irregular && frame.attrs === 0) {
      this.#run.add(buf, frame);
    } else if (signalOf(frame.attrs) !== 0) {
      this.#takeOpaque(buf, frame);
    } else if (frame.codec !== CODEC.none) {
      this.#takeCompressed(buf, frame, undefined);
    } else {
      this.#takeEntries(buf, frame);
    }
    if (claim === undefined) return;
    this.#run.flush();
    this.#host.chunks.accept(claim);
  }

  /** Forward, Packed, and what has to be normalized: entries end to end, one copy. */
  #takeEntries(buf: Buffer, frame: Frame): void {
    const { journal, ledger, limits, stats } = this.#deps;
    this.#run.flush();
    let source = buf;
    let { body_start, body_end } = frame;
    if (frame.irregular || frame.mode === MODE.message) {
      source = normalizeFrame(buf, frame, this.#arrival(), limits);
      body_start = 0;
      body_end = source.length;
    }
    const { tag_start, tag_end, attrs, count } = frame;
    if (body_end > body_start) {
      const builder = journal.builder(buf, tag_start, tag_end, CODEC.none, attrs);
      const at = builder.reserve(body_end - body_start);
      source.copy(builder.buffer, at, body_start, body_end);
      builder.note(count, frame.time_min_s, frame.time_max_s);
    }
    stats.messages_in++;
    stats.events_in += count;
    if (frame.invalid > 0) ledger.count('invalid_event', this.#host.peer, frame.invalid);
  }

  #takeOpaque(buf: Buffer, frame: Frame): void {
    const { journal, stats } = this.#deps;
    this.#run.flush();
    const tag = Buffer.from(buf.subarray(frame.tag_start, frame.tag_end));
    const body = Buffer.from(buf.subarray(frame.body_start, frame.body_end));
    journal.appendBody(tag, frame.codec, frame.attrs, [body], frame.count, 0, 0);
    stats.messages_in++;
    stats.events_in += frame.count;
  }

  #takeCompressed(buf: Buffer, frame: Frame, chunk: Buffer | undefined): void {
    const { mode, codec, body_start, body_end, attrs, count } = frame;
    const tag = Buffer.from(buf.subarray(frame.tag_start, frame.tag_end));
    const large: LargeFrame = { mode, tag, codec, opaque: false };
    const { pool, limits } = this.#deps;
    const message = new LargeMessage(large, pool, limits.record_max_bytes);
    message.run(buf, body_start, body_end, 0, 0, 0, 0, false, this.#arrival, limits);
    this.#gathered(message, { attrs, count, invalid: 0, chunk });
  }

  #gathered(message: LargeMessage, end: LargeFrameEnd): void {
    const { chunks } = this.#host;
    const { attrs, count, invalid, chunk } = end;
    this.#run.flush();
    const named = chunk === undefined ? undefined : chunks.named(chunk, message.body);
    if (named !== undefined) {
      // The body is not at hand any more to be hashed; the shape of the id has to do.
      const derived = (): boolean => hasDigestShape(named.id);
      if (chunks.takeResend(named, count, derived)) {
        message.discard();
        return;
      }
    }
    const claim = named === undefined ? undefined : chunks.claim(named);
    const stored = this.#deps.store.store({ message, attrs, count, invalid, claim }, this.#host);
    this.#host.during(stored);
  }

  readonly #arrival = (): EventTime => eventTimeOf(this.#deps.clock.now_ms());
}

function bodyOf(buf: Buffer, frame: Frame): ChunkBody {
  return {
    tag_crc: crc32(buf.subarray(frame.tag_start, frame.tag_end)),
    body_bytes: frame.body_end - frame.body_start,
    body_crc: crc32(buf.subarray(frame.body_start, frame.body_end)),
  };
}

function isDerived(id: Buffer, buf: Buffer, frame: Frame): boolean {
  return hasDigestShape(id) && isContentDerived(id, messageContent(buf, frame));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
