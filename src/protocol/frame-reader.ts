import { ByteIntake, located } from './byte-intake.ts';
import { type FrameLimits, type FrameSink, MODE } from './frame.ts';
import { FrameHead } from './frame-head.ts';
import { FrameWalk } from './frame-walk.ts';
import { LargeReader, PAYLOAD_PROOF_BYTES } from './large-reader.ts';
import type { MessageReader } from './message-reader.ts';
import { INCOMPLETE, NIL } from './msgpack.ts';
import { ObjectGatherer } from './object-gatherer.ts';
import type { ScratchPool } from './scratch-pool.ts';

/**
 * More than any head without its tag takes: two array headers, a tag's, a payload's and its first
 * bytes.
 */
const HEAD_WITHOUT_TAG_BYTES = 32;

/**
 * Reads Fluent Forward from a connection's bytes, cut anywhere (formats.md 1.2).
 *
 *                 whole in the chunk: frame()
 *     between ──────────────────────────────► between
 *        │ goes on behind it                     ▲
 *        ▼               whole: frame()          │
 *     gathering ─────────────────────────────────┤
 *        │ too large, and not one event          │
 *        ▼               largeEnd()              │
 *     large ─────────────────────────────────────┘
 *
 * Guarantees:
 * - what is delivered does not depend on where the chunks are cut; a faulty
 *   message is refused at its last byte at the latest, never delivered
 * - a byte is looked at no more than three times, however small the chunks are
 * - a message of up to `frame_inline_max_bytes`, and a single event of up to
 *   `event_max_bytes`, is delivered by `frame()`; others stream
 * - memory is bounded by `event_max_bytes` and what a pause keeps back, and
 *   checked against it before it is allocated
 */
export class FrameReader implements MessageReader {
  readonly format = 'msgpack';
  readonly #sink: FrameSink;
  readonly #limits: FrameLimits;
  readonly #intake: ByteIntake;
  readonly #walk: FrameWalk;
  readonly #head = new FrameHead();
  readonly #gatherer: ObjectGatherer;
  #gathering = false;
  #large: LargeReader | undefined;
  /** Gathered bytes up to here have been handed to `#large`. */
  #replayed_bytes = 0;
  /** Where in the stream the message that is being read begins. */
  #message_offset = 0;
  #walked_bytes = 0;

  /** `pool`: memory for what is gathered, shared by many readers. */
  constructor(sink: FrameSink, limits: FrameLimits, pool?: ScratchPool) {
    if (limits.frame_inline_max_bytes < limits.tag_max_bytes + HEAD_WITHOUT_TAG_BYTES) {
      throw new RangeError('frame_inline_max_bytes must have room for the head of a message');
    }
    this.#sink = sink;
    this.#limits = limits;
    this.#walk = new FrameWalk(limits);
    this.#gatherer = new ObjectGatherer(limits.nesting_max_levels, pool);
    this.#intake = new ByteIntake((buf, pos, end) => this.#advance(buf, pos, end));
  }

  get paused(): boolean {
    return this.#intake.paused;
  }

  get held_bytes(): number {
    return this.#intake.held_bytes + this.#gatherer.held_bytes + (this.#large?.held_bytes ?? 0);
  }

  /** Bytes looked at so far to find frames, each time counted. */
  get walked_bytes(): number {
    return this.#walked_bytes;
  }

  feed(chunk: Buffer): void {
    this.#intake.feed(chunk);
  }

  pause(): void {
    this.#intake.paused = true;
  }

  resume(): void {
    this.#intake.resume();
  }

  get unfinished(): boolean {
    if (this.#intake.closed) return false;
    return this.#gathering || this.#large !== undefined || this.#intake.held_bytes > 0;
  }

  end(): boolean {
    if (this.#intake.closed) return false;
    const left = this.unfinished;
    this.#intake.close();
    this.#abortLarge();
    this.#gatherer.clear();
    return left;
  }

  #advance(buf: Buffer, start: number, end: number): number {
    let pos = start;
    try {
      while (!this.#intake.paused) {
        if (this.#large?.finish()) {
          this.#large = undefined;
          this.#gatherer.clear();
        } else if (this.#large !== undefined && this.#replayed_bytes < this.#gatherer.bytes) {
          const { buffer, bytes } = this.#gatherer;
          this.#replayed_bytes = this.#large.take(buffer, this.#replayed_bytes, bytes);
        } else if (pos === end) {
          break;
        } else if (this.#large !== undefined) {
          pos = this.#large.take(buf, pos, end);
        } else {
          pos = this.#gathering ? this.#gather(buf, pos, end) : this.#deliver(buf, pos, end);
        }
      }
      return pos;
    } catch (error) {
      this.#abortLarge();
      throw located(error, this.#message_offset);
    }
  }

  /** Delivers the frames that lie whole in the chunk: the hot path. */
  #deliver(buf: Buffer, start: number, end: number): number {
    const walk = this.#walk;
    const sink = this.#sink;
    const intake = this.#intake;
    const inline_max_bytes = this.#limits.frame_inline_max_bytes;
    let pos = start;
    try {
      while (pos < end && !intake.paused) {
        if (buf[pos] === NIL) {
          pos += 1;
          sink.heartbeat();
          continue;
        }
        const next = walk.walk(buf, pos, end);
        if (next === INCOMPLETE) break;
        if (next - pos > inline_max_bytes && walk.frame.mode !== MODE.message) {
          return this.#beginLarge(buf, pos, next);
        }
        sink.frame(buf, walk.frame);
        pos = next;
      }
    } finally {
      this.#message_offset = intake.taken_bytes + pos;
      this.#walked_bytes += end - start;
    }
    return pos === end || intake.paused ? pos : this.#beginGathering(buf, pos, end);
  }

  #beginGathering(buf: Buffer, pos: number, end: number): number {
    this.#gathering = true;
    // Until its head is there, `#gather` bounds the message; then `#judge` says what it may
    // announce.
    this.#gatherer.restart(Number.POSITIVE_INFINITY, 'none');
    return this.#gather(buf, pos, end);
  }

  /** Copies on until the message is whole, or too large to go on so. */
  #gather(buf: Buffer, pos: number, end: number): number {
    const gatherer = this.#gatherer;
    const inline_max_bytes = this.#limits.frame_inline_max_bytes;
    const known_event = gatherer.bytes > inline_max_bytes;
    const room = known_event ? end : pos + inline_max_bytes + 1 - gatherer.bytes;
    const stop = gatherer.take(buf, pos, Math.min(end, room));
    this.#walked_bytes += stop - pos;
    const { buffer, bytes } = gatherer;
    if (!known_event && this.#judge(buffer, bytes)) {
      this.#gathering = false;
      this.#replayed_bytes = this.#beginLarge(buffer, 0, bytes);
    } else if (gatherer.whole) {
      this.#gathering = false;
      this.#walk.walk(buffer, 0, bytes);
      this.#walked_bytes += bytes;
      this.#sink.frame(buffer, this.#walk.frame);
      gatherer.clear();
    }
    return stop;
  }

  /**
   * Applies the limits of the message's mode as soon as its head is there. Returns whether it must
   * stream.
   */
  #judge(buf: Buffer, bytes: number): boolean {
    const { frame_inline_max_bytes, event_max_bytes, message_max_bytes } = this.#limits;
    const head = this.#head;
    if (!head.read(buf, 0, bytes, this.#limits)) return false;
    if (head.mode === MODE.message) {
      this.#gatherer.restrict(event_max_bytes, 'event_max_bytes');
      return false;
    }
    this.#gatherer.restrict(message_max_bytes, 'message_max_bytes');
    if (bytes > frame_inline_max_bytes) return true;
    const payload_end = head.mode === MODE.packed ? head.body_start + head.body_size : 0;
    return payload_end > frame_inline_max_bytes && bytes >= head.body_start + PAYLOAD_PROOF_BYTES;
  }

  #beginLarge(buf: Buffer, pos: number, end: number): number {
    this.#head.read(buf, pos, end, this.#limits);
    this.#replayed_bytes = this.#gatherer.bytes;
    this.#large = new LargeReader(this.#limits, this.#sink, this.#head, buf, pos);
    return this.#head.body_start;
  }

  #abortLarge(): void {
    if (this.#large === undefined) return;
    this.#large = undefined;
    this.#sink.largeAbort();
  }
}
