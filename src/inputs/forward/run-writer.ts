import type { JournalWriter, RecordBuilder } from '../../journal/types.ts';
import { CODEC } from '../../protocol/codec.ts';
import type { Frame } from '../../protocol/frame.ts';
import type { ForwardStats } from './stats.ts';

/** The array header that makes `time record` an entry. */
const ENTRY_LEAD = 0x92;
const NO_TIME = 0xffffffff;
const NO_CHUNK = Buffer.alloc(0);

/**
 * The hot path: events of Message mode on their way into the journal's open record.
 *
 * Messages of one tag that lie behind each other in a chunk from the socket become a
 * run of entries, moved together in the chunk itself, which nobody needs any more, and
 * copied into the record with one call when the tag changes or the chunk ends:
 *
 *     chunk    | 94 tag | time record | 80 | 94 tag | time record | 80 |
 *                     ┌────────────────────┘◄───────┘
 *              ... 92 | time record | 92 | time record | ...
 *                  └── start                           └── end
 *
 * Moving within one buffer (`copyWithin`) costs 25 ns for 200 bytes where any copy
 * into another one costs 50 to 70 (measured on Node 20), and it leaves no garbage.
 *
 * Invariant: between `add()` and `flush()` nobody else uses the journal.
 */
export class RunWriter {
  readonly #journal: JournalWriter;
  readonly #stats: ForwardStats;
  /** What may be overwritten: the chunk that is being fed. */
  #chunk: Buffer = NO_CHUNK;
  /** Of the run's tag; undefined: no run. */
  #builder: RecordBuilder | undefined;
  #start = 0;
  #end = 0;
  #count = 0;
  #time_min_s = NO_TIME;
  #time_max_s = 0;

  constructor(journal: JournalWriter, stats: ForwardStats) {
    this.#journal = journal;
    this.#stats = stats;
  }

  /** Frames may lie in `chunk` from now on. Its bytes are ours up to the end of the frame at hand. */
  begin(chunk: Buffer): void {
    this.#chunk = chunk;
  }

  /** Nothing is delivered from the chunk any more. */
  end(): void {
    this.flush();
    this.#chunk = NO_CHUNK;
  }

  /** Takes one regular event of Message mode. */
  add(buf: Buffer, frame: Frame): void {
    const { tag_start, tag_end, body_start, body_end, time_min_s } = frame;
    if (
      this.#builder === undefined ||
      buf !== this.#chunk ||
      !this.#isOf(buf, tag_start, tag_end)
    ) {
      this.#begin(buf, tag_start, tag_end, body_start);
    } else {
      const at = this.#end;
      buf[at] = ENTRY_LEAD;
      buf.copyWithin(at + 1, body_start, body_end);
    }
    this.#end += 1 + body_end - body_start;
    this.#count++;
    if (time_min_s > this.#time_max_s) this.#time_max_s = time_min_s;
    if (time_min_s !== 0 && time_min_s < this.#time_min_s) this.#time_min_s = time_min_s;
    // Only the chunk stays as it is when the reader goes on.
    if (buf !== this.#chunk) this.#flushFrom(buf);
  }

  /** Writes the run, if there is one, into its record. */
  flush(): void {
    if (this.#builder !== undefined) this.#flushFrom(this.#chunk);
  }

  /** The lead goes where the tag ends: its bytes are not needed once the record is found. */
  #begin(buf: Buffer, tag_start: number, tag_end: number, body_start: number): void {
    this.flush();
    this.#builder = this.#journal.builder(buf, tag_start, tag_end, CODEC.none, 0);
    buf[body_start - 1] = ENTRY_LEAD;
    this.#start = body_start - 1;
    this.#end = body_start - 1;
    this.#count = 0;
    this.#time_min_s = NO_TIME;
    this.#time_max_s = 0;
  }

  #isOf(buf: Buffer, tag_start: number, tag_end: number): boolean {
    const tag = this.#builder?.tag;
    if (tag === undefined || tag.length !== tag_end - tag_start) return false;
    // From the end: tags tend to differ there.
    for (let i = tag.length - 1, at = tag_end - 1; i >= 0; i--, at--) {
      if (tag[i] !== buf[at]) return false;
    }
    return true;
  }

  #flushFrom(buf: Buffer): void {
    const builder = this.#builder;
    if (builder === undefined) return;
    this.#builder = undefined;
    const at = builder.reserve(this.#end - this.#start);
    builder.buffer.set(buf.subarray(this.#start, this.#end), at);
    const time_min_s = this.#time_max_s === 0 ? 0 : this.#time_min_s;
    builder.note(this.#count, time_min_s, this.#time_max_s);
    this.#stats.messages_in += this.#count;
    this.#stats.events_in += this.#count;
  }
}
