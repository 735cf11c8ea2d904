import type { Frame } from '../../protocol/frame.ts';

/**
 * - `store`: the message is new
 * - `drop`: the journal has it already; an ack that it asks for is given all the same
 * - `pass`: store it, and do not ask again on this connection
 * - a promise: nothing more is delivered until the function that it gives has said whether
 *   to store the message. What that function notes belongs into the message's commit.
 */
export type Verdict = 'store' | 'drop' | 'pass' | Promise<() => boolean>;

/**
 * Looks at the messages of one connection before they are stored: the seam at which
 * the Docker input compares a stream with Docker's own files. Re-sends that are known
 * by their chunk id do not come here.
 */
export interface MessageFilter {
  /** Asked once for each message that is not compressed, in order. `buf` is valid during the call. */
  judge(buf: Buffer, frame: Frame): Verdict;
  /** What was judged is in the commit that is filling: what belongs to it goes there too. Called before anything is awaited. */
  stored(): void;
  /** The connection is over. A promise that is open still decides its message. */
  close(): void;
}

/** Makes the filter of a new connection. */
export type FilterSource = () => MessageFilter;
