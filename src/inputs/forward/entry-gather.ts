import type { LargeRecord } from '../../journal/types.ts';
import { CODEC } from '../../protocol/codec.ts';
import { Spool, type SpoolPool } from './spool.ts';

/** A record that is cut out of the gathered entries. */
interface Cut {
  bytes: number;
  attrs: number;
  count: number;
  time_min_s: number;
  time_max_s: number;
}

/**
 * Gathers the walked entries of one large message, in memory or in a file, and
 * cuts them into records of at most `record_max_bytes` (a longer event has one of its own).
 *
 *     | run | run | run | run | run |      as they come, each whole entries
 *     | record          | record    |      as they go
 */
export class EntryGather {
  readonly #tag: Buffer;
  readonly #record_max_bytes: number;
  readonly #spool: Spool;
  readonly #cuts: Cut[] = [];
  #events = 0;

  constructor(tag: Buffer, pool: SpoolPool, record_max_bytes: number) {
    this.#tag = tag;
    this.#record_max_bytes = record_max_bytes;
    this.#spool = new Spool(pool);
  }

  get events(): number {
    return this.#events;
  }

  get spool(): Spool {
    return this.#spool;
  }

  /** Takes whole entries. */
  add(
    buf: Buffer,
    start: number,
    end: number,
    count: number,
    time_min_s: number,
    time_max_s: number,
    attrs: number,
  ): void {
    if (end === start) return;
    this.#spool.append(buf, start, end);
    this.#events += count;
    const cut = this.#cutFor(end - start);
    cut.bytes += end - start;
    cut.attrs |= attrs;
    cut.count += count;
    if (time_max_s === 0) return;
    cut.time_min_s = cut.time_max_s === 0 ? time_min_s : Math.min(cut.time_min_s, time_min_s);
    cut.time_max_s = Math.max(cut.time_max_s, time_max_s);
  }

  /** The only record, if there is just one and it is in memory. Its body stays valid after `discard()`. */
  single(): LargeRecord | undefined {
    const [cut] = this.#cuts;
    if (cut === undefined || this.#cuts.length > 1 || this.#spool.in_file) return undefined;
    return this.#record(cut, this.#spool.pages());
  }

  async *records(): AsyncGenerator<LargeRecord, void, undefined> {
    const pieces = this.#spool.read();
    let rest: Buffer = Buffer.alloc(0);
    for (const cut of this.#cuts) {
      const body: Buffer[] = [];
      let missing = cut.bytes;
      while (missing > 0) {
        if (rest.length === 0) {
          const next = await pieces.next();
          if (next.done === true) throw new RangeError('the spool is shorter than its records');
          rest = next.value;
        }
        const piece = rest.subarray(0, missing);
        rest = rest.subarray(piece.length);
        missing -= piece.length;
        body.push(piece);
      }
      yield this.#record(cut, body);
    }
  }

  discard(): void {
    this.#spool.discard();
  }

  #cutFor(bytes: number): Cut {
    const open = this.#cuts.at(-1);
    if (open !== undefined && open.bytes + bytes <= this.#record_max_bytes) return open;
    const cut: Cut = { bytes: 0, attrs: 0, count: 0, time_min_s: 0, time_max_s: 0 };
    this.#cuts.push(cut);
    return cut;
  }

  #record(cut: Cut, body: readonly Buffer[]): LargeRecord {
    const { attrs, count, time_min_s, time_max_s } = cut;
    return { tag: this.#tag, codec: CODEC.none, attrs, body, count, time_min_s, time_max_s };
  }
}
