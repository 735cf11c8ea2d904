import { messageOf } from '../errors.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import type { CursorFile } from './cursor-file.ts';
import type { Place } from './format.ts';
import type { Cursor } from './types.ts';

export interface CursorContext {
  readonly journal_id: Buffer;
  readonly ledger: DropLedger;
  readonly log: Log;
  /** What comes before `seq`. */
  locate(seq: number): Promise<Place>;
  /** The place behind the last durable record. */
  end(): Place;
  /** A cursor has moved: segments may be behind all of them now. */
  moved(): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * One output's durable place, with the journal's own ways to move it.
 *
 * Invariants: `at` never moves backwards; writes to the file are one at a time,
 * in the order of the calls.
 */
export class DurableCursor implements Cursor {
  readonly name: string;
  readonly #file: CursorFile;
  readonly #context: CursorContext;
  #at: Place;
  #window: Buffer;
  #moved: ((seq: number) => void) | undefined;
  #max_lag_bytes: number | undefined;
  #last_write: Promise<void> = Promise.resolve();
  /** Where the moves lead that `skipTo` has begun and not ended. */
  #skip_seq: number | undefined;

  constructor(name: string, file: CursorFile, at: Place, window: Buffer, context: CursorContext) {
    this.name = name;
    this.#file = file;
    this.#at = at;
    this.#window = window;
    this.#context = context;
  }

  get seq(): number {
    return this.#at.seq;
  }

  /** The place itself: how many events and bytes are done with. */
  get at(): Place {
    return this.#at;
  }

  get window(): Buffer {
    return this.#window;
  }

  get max_lag_bytes(): number | undefined {
    return this.#max_lag_bytes;
  }

  /** A save behind the place that the journal has moved the cursor to is not written. */
  save(seq: number, window: Buffer): Promise<void> {
    const end_seq = this.#context.end().seq;
    if (seq > end_seq) {
      return Promise.reject(
        new RangeError(
          `cursor ${this.name} at ${seq} is beyond the end of the journal, ${end_seq}`,
        ),
      );
    }
    return this.#inOrder(async () => {
      if (seq < this.#at.seq) return;
      const at = seq === this.#at.seq ? this.#at : await this.#context.locate(seq);
      await this.#file.save({ at: { ...at, seq }, journal_id: this.#context.journal_id, window });
      this.#at = { ...at, seq };
      this.#window = window;
      this.#context.moved();
    });
  }

  onMoved(moved: (seq: number) => void): void {
    this.#moved = moved;
    if (this.#skip_seq !== undefined) moved(this.#skip_seq);
  }

  /**
   * When the cursor falls farther behind the end than this many body bytes, the
   * journal moves it forward and counts the events between as `max_lag`.
   */
  limitLag(max_lag_bytes: number | undefined): void {
    this.#max_lag_bytes = max_lag_bytes;
  }

  /** True while a move that `skipTo` began is being written. */
  get is_skipping(): boolean {
    return this.#skip_seq !== undefined;
  }

  /**
   * Moves the cursor forward past records that its output did not finish, and
   * counts them. The output hears of it first, so it stops sending them. Never
   * rejects: a place that can't be written is a place that is found again at the
   * next start, where the records are gone.
   */
  async skipTo(target: Place, reason: string): Promise<void> {
    if (target.seq <= this.#at.seq) return;
    const skip_seq = Math.max(target.seq, this.#skip_seq ?? 0);
    this.#skip_seq = skip_seq;
    this.#moved?.(target.seq);
    await this.#inOrder(async () => {
      if (target.seq <= this.#at.seq) return;
      const lost = target.events_before - this.#at.events_before;
      const { journal_id, ledger, log } = this.#context;
      ledger.count(reason, this.name, lost);
      log.warn({ output: this.name, events: lost, reason, seq: target.seq }, 'events dropped');
      this.#at = target;
      this.#window = NOTHING;
      try {
        await this.#file.save({ at: target, journal_id, window: NOTHING });
      } catch (error) {
        log.error({ output: this.name, error: messageOf(error) }, 'a cursor could not be moved');
      }
      this.#context.moved();
    });
    if (this.#skip_seq === skip_seq) this.#skip_seq = undefined;
  }

  async close(): Promise<void> {
    await this.#last_write;
    await this.#file.close();
  }

  async #inOrder(write: () => Promise<void>): Promise<void> {
    const before = this.#last_write;
    const done = before.then(write);
    // Who called hears of the failure; the next write does not.
    this.#last_write = done.catch(() => {});
    await done;
  }
}
