/**
 * Partial ids and ordinals for formats that store none: json-file, CRI, and what the
 * Engine API sends.
 *
 * No look ahead is needed. A piece without its newline is known for a piece; an entry
 * with a newline is the last piece if its source has a line open that it goes on with,
 * and a whole line otherwise:
 *
 *     open line   entry                   becomes            the line is then
 *     none        ends with a newline     whole              none
 *     none        does not                piece 1            open
 *     open        goes on, with newline   last piece, n      none
 *     open        goes on, without        piece n            open
 *     open        does not go on          as if none were open
 *
 * In Docker's formats an entry goes on if it has the time of the first piece: what has
 * another follows an unterminated tail (formats.md 4.1), which stays a piece without a last
 * one, as the driver sends it. In CRI the next entry of the source always goes on (7.1).
 */
import { createHash } from 'node:crypto';
import { type LogLine, PIECE, SOURCE, type Source } from '../../logfile/types.ts';

const ID_BYTES = 64;
const VERSION = 1;
/** version u8, then for each source: open u8, ordinal u32, seconds u32, nanoseconds u32, id. */
const SOURCE_STATE_BYTES = 1 + 4 + 4 + 4 + ID_BYTES;
const STATE_BYTES = 1 + 2 * SOURCE_STATE_BYTES;

/** The line of one source whose last piece has not come. */
interface OpenLine {
  readonly id: Buffer;
  readonly time_s: number;
  readonly time_ns: number;
  /** Of the last piece that came. */
  ordinal: number;
}

/** How an entry shows that it goes on with the line before it. */
export type JoinRule = 'same_time' | 'same_source';

/**
 * Completes one log's lines to what the driver would have sent. Pure: equal entries at equal
 * offsets give equal ids, after a restart too, if the state is kept with the log's position.
 */
export class PartialTracker {
  readonly #container_id: string;
  readonly #rule: JoinRule;
  /** By source. */
  readonly #open: [OpenLine | undefined, OpenLine | undefined] = [undefined, undefined];

  constructor(container_id: string, rule: JoinRule) {
    this.#container_id = container_id;
    this.#rule = rule;
  }

  /** Whether a line is open: what `encode` says then is not what it says of a new tracker. */
  get has_open_line(): boolean {
    return this.#open.some((line) => line !== undefined);
  }

  /**
   * Sets `piece`, `partial_id` and `partial_ordinal` of an entry as it was parsed.
   *
   * @param offset where the entry begins, in uncompressed bytes of its file
   */
  complete(line: LogLine, offset: number): void {
    // The format knows better: Docker's `local` stores ids.
    if (line.partial_id !== undefined) return;
    const { source } = line;
    let open = this.#open[source];
    if (open !== undefined && !this.#goesOn(open, line)) open = undefined;
    if (line.piece === PIECE.whole && open === undefined) {
      this.#open[source] = undefined;
      return;
    }
    open ??= this.#begin(line, offset);
    open.ordinal += 1;
    line.partial_id = open.id;
    line.partial_ordinal = open.ordinal;
    if (line.piece === PIECE.whole) line.piece = PIECE.last;
    this.#open[source] = line.piece === PIECE.last ? undefined : open;
  }

  /** Small, and of one size. */
  encode(): Buffer {
    const out = Buffer.alloc(STATE_BYTES);
    out[0] = VERSION;
    for (const source of [SOURCE.stdout, SOURCE.stderr]) {
      const open = this.#open[source];
      if (open === undefined) continue;
      let at = stateOffset(source);
      at = out.writeUInt8(1, at);
      at = out.writeUInt32BE(open.ordinal, at);
      at = out.writeUInt32BE(open.time_s, at);
      at = out.writeUInt32BE(open.time_ns, at);
      open.id.copy(out, at);
    }
    return out;
  }

  /** Takes the state that `encode` wrote; one of another version, or cut, leaves nothing open. */
  decode(state: Buffer): void {
    const readable = state.length === STATE_BYTES && state[0] === VERSION;
    for (const source of [SOURCE.stdout, SOURCE.stderr]) {
      const at = stateOffset(source);
      this.#open[source] = readable && state[at] === 1 ? decodeOpen(state, at + 1) : undefined;
    }
  }

  #goesOn(open: OpenLine, line: LogLine): boolean {
    if (this.#rule === 'same_source') return true;
    return open.time_s === line.time_s && open.time_ns === line.time_ns;
  }

  #begin({ source, time_s, time_ns }: LogLine, offset: number): OpenLine {
    const first = `${this.#container_id} ${source} ${time_s}.${time_ns} ${offset}`;
    const id = Buffer.from(createHash('sha256').update(first).digest('hex'), 'latin1');
    return { id, time_s, time_ns, ordinal: 0 };
  }
}

const stateOffset = (source: Source): number => 1 + source * SOURCE_STATE_BYTES;

function decodeOpen(state: Buffer, at: number): OpenLine {
  return {
    ordinal: state.readUInt32BE(at),
    time_s: state.readUInt32BE(at + 4),
    time_ns: state.readUInt32BE(at + 8),
    id: Buffer.from(state.subarray(at + 12, at + 12 + ID_BYTES)),
  };
}
