import { LogboomError } from '../errors.ts';

/**
 * Delivers from `buf[pos..end)` until it is used up or the intake is paused; returns where it
 * stopped.
 */
export type Advance = (buf: Buffer, pos: number, end: number) => number;

const NOTHING = Buffer.alloc(0);

/**
 * The part that all readers share: keeping bytes back while paused, and doing
 * nothing any more after an error or the end.
 *
 * Invariants:
 * - bytes reach `advance` once, in order, and never while paused
 * - `advance` never runs inside itself
 */
export class ByteIntake {
  readonly #advance: Advance;
  readonly #held: Buffer[] = [];
  #held_bytes = 0;
  #taken_bytes = 0;
  #running = false;
  #closed = false;
  paused = false;

  constructor(advance: Advance) {
    this.#advance = advance;
  }

  /** Bytes kept back by a pause. */
  get held_bytes(): number {
    return this.#held_bytes;
  }

  /** Bytes of the stream before the chunk that `advance` is working on. */
  get taken_bytes(): number {
    return this.#taken_bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  feed(chunk: Buffer): void {
    if (this.#closed) return;
    if (this.paused || this.#held.length > 0) {
      this.hold(Buffer.from(chunk));
      return;
    }
    const stop = this.#run(chunk);
    if (stop < chunk.length) this.hold(Buffer.from(chunk.subarray(stop)));
  }

  /** Keeps bytes that nobody else will touch behind those kept already. */
  hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#held_bytes += bytes.length;
  }

  resume(): void {
    this.paused = false;
    if (this.#running || this.#closed) return;
    // Runs once even with nothing held: the end of a large frame may be waiting.
    do {
      const bytes = this.#held.shift() ?? NOTHING;
      this.#held_bytes -= bytes.length;
      const stop = this.#run(bytes);
      if (stop < bytes.length) this.#unshift(bytes.subarray(stop));
    } while (!this.paused && this.#held.length > 0);
  }

  /** Lets go of everything; nothing runs any more. */
  close(): void {
    this.#closed = true;
    this.#held.length = 0;
    this.#held_bytes = 0;
  }

  #unshift(bytes: Buffer): void {
    this.#held.unshift(bytes);
    this.#held_bytes += bytes.length;
  }

  #run(bytes: Buffer): number {
    this.#running = true;
    try {
      const stop = this.#advance(bytes, 0, bytes.length);
      this.#taken_bytes += stop;
      return stop;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      this.#running = false;
    }
  }
}

/**
 * The same protocol error, saying where in the stream its message begins. Other errors as they
 * are.
 */
export function located(error: unknown, message_offset: number): unknown {
  if (!(error instanceof LogboomError) || !error.code.startsWith('LB_PROTOCOL_')) return error;
  const message = `${error.message}, in the message that begins at byte ${message_offset} of the stream`;
  return new LogboomError(error.code, message, { cause: error });
}
