/**
 * Reads the messages of one connection and delivers them to its FrameSink.
 * `createReader` makes one for the format that the client speaks.
 */
export interface MessageReader {
  readonly format: MessageFormat;
  /** While true nothing is delivered. */
  readonly paused: boolean;
  /** Memory held for what has not been delivered. */
  readonly held_bytes: number;
  /** Bytes are here that are no whole message, or that a pause keeps back. */
  readonly unfinished: boolean;
  /**
   * Takes the next bytes and delivers what they complete, synchronously. `chunk` is
   * only looked at during the call. While paused it is copied and kept, so stop
   * reading then. After an error it does nothing.
   *
   * @throws LB_PROTOCOL_SYNTAX, LB_PROTOCOL_LIMIT: close the connection; what was delivered stands
   */
  feed(chunk: Buffer): void;
  /** Nothing more is delivered until `resume()`. A sink may call it inside a delivery. */
  pause(): void;
  /**
   * Delivers what was kept back, before it returns; throws like `feed`. Inside a delivery it only
   * lifts the pause.
   */
  resume(): void;
  /**
   * The stream has ended: a large frame under way is aborted, and later calls do
   * nothing. Returns whether it was `unfinished`.
   */
  end(): boolean;
}

export type MessageFormat = 'msgpack' | 'json';
