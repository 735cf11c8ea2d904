import type { Cursor, JournalReader, JournalRecord } from '../../journal/types.ts';
import type { Clock } from '../../sys/clock.ts';
import type { OutputSource } from '../output.ts';
import { decodeJoined, encodeJoined, type JoinState } from './join-state.ts';
import { JoinedStream } from './joined-stream.ts';
import type { JoinLimits } from './joiner.ts';

export interface JoinOptions {
  /** Undefined: off. */
  readonly limits: JoinLimits | undefined;
  readonly clock: Clock;
  /**
   * Up to which seq an output has planned that has not joined so far, from its window; those
   * records stay as they are. Default: the cursor's.
   */
  readonly plannedEnd?: (window: Buffer) => number | undefined;
}

/**
 * The source with long lines joined. To the output it is a source like any other: its cursor is
 * exact, counts in numbers of the joined stream and keeps the output's window. The journal's cursor
 * beneath stays at the oldest fragment that is held, so acks and positions wait for none of them.
 *
 * The source itself where nothing is to be joined and never was. An output that has joined keeps
 * the numbers of its joined stream when joining is turned off.
 *
 * @throws LB_JOURNAL_VERSION if a newer logboom has joined here
 */
export function joinedSource(source: OutputSource, options: JoinOptions): OutputSource {
  const { cursor, epoch } = source;
  const recorded = decodeJoined(cursor.window);
  if (recorded === undefined && options.limits === undefined) return source;
  const window = recorded?.window ?? cursor.window;
  // In another epoch only the journal's own place holds: what was done behind it comes again.
  const is_valid = recorded !== undefined && recorded.state.epoch === epoch;
  const begun = is_valid ? recorded.state : beginning(source, options, window);
  const stream = new JoinedStream(begun, options.limits);
  return {
    ...source,
    matches: (tag) => source.matches(tag),
    reader: new JoinedReader(source.reader, stream, options.clock),
    cursor: new JoinedCursor(cursor, stream, begun.boundary, window),
    beneath: {
      get cursor_seq() {
        return cursor.seq;
      },
      details: () => detailsOf(stream),
    },
  };
}

function beginning(
  { cursor, epoch }: OutputSource,
  { limits, plannedEnd }: JoinOptions,
  window: Buffer,
): JoinState {
  const from_seq = Math.max(cursor.seq, plannedEnd?.(window) ?? 0);
  return {
    epoch,
    from_seq,
    boundary: cursor.seq,
    end_seq: from_seq,
    limits: limits ?? null,
    decisions: [],
    held: [],
  };
}

function detailsOf({ counts, held_count }: JoinedStream): Record<string, number> {
  return {
    lines_held: held_count,
    lines_joined: counts.joined,
    lines_timed_out: counts.timed_out,
    lines_too_large: counts.too_large,
    lines_with_gaps: counts.gaps,
    lines_crowded_out: counts.crowded,
  };
}

class JoinedReader implements JournalReader {
  readonly #reader: JournalReader;
  readonly #stream: JoinedStream;
  readonly #clock: Clock;

  constructor(reader: JournalReader, stream: JoinedStream, clock: Clock) {
    this.#reader = reader;
    this.#stream = stream;
    this.#clock = clock;
  }

  get next_seq(): number {
    return this.#stream.boundary;
  }

  /** What is left may be fragments, which nothing comes of for now. */
  get has_more(): boolean {
    return false;
  }

  get at_end(): boolean {
    return this.#reader.at_end;
  }

  async read(max_bytes: number, signal: AbortSignal): Promise<JournalRecord[]> {
    for (;;) {
      const out = this.#stream.reach(this.#reader.next_seq);
      if (out.length > 0) return out;
      const records = await this.#readOrExpire(max_bytes, signal);
      if (records.length > 0) return records;
    }
  }

  /** Nothing is given back: held lines, and those made of them, lie in what was read. */
  release(): void {}

  keep(): void {}

  close(): void {
    this.#reader.close();
  }

  async #readOrExpire(max_bytes: number, signal: AbortSignal): Promise<JournalRecord[]> {
    const wait_ms = this.#stream.wait_ms(this.#clock.now_ms());
    const records =
      wait_ms === undefined
        ? await this.#reader.read(max_bytes, signal)
        : await this.#readWithin(wait_ms, max_bytes, signal);
    if (records === undefined) return this.#stream.expire();
    return records.flatMap((record) => this.#stream.take(record));
  }

  /** Undefined when the time is over. */
  async #readWithin(
    wait_ms: number,
    max_bytes: number,
    signal: AbortSignal,
  ): Promise<JournalRecord[] | undefined> {
    signal.throwIfAborted();
    const patience = new AbortController();
    const onAbort = (): void => patience.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    const cancel = this.#clock.after(wait_ms, () => patience.abort());
    try {
      return await this.#reader.read(max_bytes, patience.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (patience.signal.aborted) return undefined;
      throw error;
    } finally {
      cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }
}

class JoinedCursor implements Cursor {
  readonly #cursor: Cursor;
  readonly #stream: JoinedStream;
  #boundary: number;
  #window: Buffer;

  constructor(cursor: Cursor, stream: JoinedStream, boundary: number, window: Buffer) {
    this.#cursor = cursor;
    this.#stream = stream;
    this.#boundary = boundary;
    this.#window = window;
  }

  get name(): string {
    return this.#cursor.name;
  }

  get seq(): number {
    return Math.max(this.#boundary, this.#stream.numbering.boundaryAt(this.#cursor.seq));
  }

  /** Empty when the journal has moved the cursor and taken it away. */
  get window(): Buffer {
    return this.#cursor.window.length === 0 ? this.#cursor.window : this.#window;
  }

  async save(seq: number, window: Buffer): Promise<void> {
    const floor_seq = this.#cursor.seq;
    const state = this.#stream.stateAt(seq, floor_seq);
    const done_seq = this.#stream.numbering.lastBefore(seq).seq + 1;
    const held_seq = state.held.reduce(
      (oldest, [first]) => Math.min(oldest, first?.seq ?? done_seq),
      done_seq,
    );
    await this.#cursor.save(Math.max(held_seq, floor_seq), encodeJoined(state, window));
    this.#boundary = Math.max(this.#boundary, seq);
    this.#window = window;
    this.#stream.forget(seq);
  }

  onMoved(moved: (seq: number) => void): void {
    this.#cursor.onMoved((seq) => moved(this.#stream.numbering.boundaryAt(seq)));
  }
}
