import type { Codec } from './codec.ts';

export const MODE = { message: 0, forward: 1, packed: 2 } as const;
export type Mode = (typeof MODE)[keyof typeof MODE];

/**
 * One whole Forward message inside a buffer (formats.md 1.2). All `..._start` and
 * `..._end` are offsets into that buffer, -1 where the message has no such part.
 * One object per reader is reused for every frame: read it before returning.
 */
export interface Frame {
  mode: Mode;
  tag_start: number;
  tag_end: number;
  /**
   * message: `time record`, contiguous, to be prefixed with 0x92 to become an entry.
   * forward, packed: the entries end to end (or the compressed payload).
   */
  body_start: number;
  body_end: number;
  codec: Codec;
  /** `ATTR` bits. */
  attrs: number;
  /**
   * Valid events found by walking, group markers among them. For compressed payloads and other
   * signals the unverified `size` option; without one 0 and 1.
   */
  count: number;
  /** Over the event times from 1 to 2^32 - 1 s; 0 and 0 without one. */
  time_min_s: number;
  time_max_s: number;
  /**
   * True when the body can't be kept byte for byte: an invalid event to leave out, a time of nil or 0
   * to replace by the arrival time, a time that fluentd can't read, elements behind a record, metadata
   * in the option map. `normalizeFrame()` makes the entries.
   */
  irregular: boolean;
  /** Events that are no `[time, map]`; left out by `normalizeFrame()`. */
  invalid: number;
  /** Content of the `chunk` option's str (without its msgpack header). */
  chunk_start: number;
  chunk_end: number;
  /** The `metadata` option of Message mode, as msgpack. */
  metadata_start: number;
  metadata_end: number;
}

/** A message too large to be gathered in one piece; its entries come in runs. */
export interface LargeFrame {
  readonly mode: Mode;
  readonly tag: Buffer;
  /** Known from the payload's first bytes; checked against the option map at the end. */
  readonly codec: Codec;
  /**
   * Not compressed, and by its first byte no entries, so another signal: its runs are raw bytes.
   */
  readonly opaque: boolean;
}

/** What `largeEnd` learns from the option map, which comes last on the wire. */
export interface LargeFrameEnd {
  readonly attrs: number;
  readonly count: number;
  readonly invalid: number;
  readonly chunk: Buffer | undefined;
}

/**
 * Where a FrameReader delivers. Called synchronously, in wire order. `buf` and
 * offsets are valid only during the call. A sink may call `reader.pause()`
 * inside any of these; nothing more is delivered until `reader.resume()`.
 */
export interface FrameSink {
  frame(buf: Buffer, frame: Frame): void;
  largeBegin(large: LargeFrame): void;
  /**
   * The next bytes of the large frame's body. Entries: whole ones, walked; `irregular` as in
   * Frame, for `normalizeEntries()`. Compressed or opaque: raw payload bytes, cut anywhere, `count` 0.
   */
  largeRun(
    buf: Buffer,
    start: number,
    end: number,
    count: number,
    time_min_s: number,
    time_max_s: number,
    attrs: number,
    irregular: boolean,
  ): void;
  largeEnd(large: LargeFrame, end: LargeFrameEnd): void;
  /** The stream broke off, or the frame turned out to be invalid: forget the large frame. */
  largeAbort(): void;
  /** A nil heartbeat between messages. */
  heartbeat(): void;
}

/** Limits that a reader enforces; a breach throws LB_PROTOCOL_LIMIT out of `feed()`. */
export interface FrameLimits {
  readonly tag_max_bytes: number;
  readonly chunk_id_max_bytes: number;
  readonly option_max_bytes: number;
  readonly event_max_bytes: number;
  readonly message_max_bytes: number;
  readonly nesting_max_levels: number;
  readonly frame_inline_max_bytes: number;
}
