import { crc32 } from 'node:zlib';
import type { Cursor, JournalReader, JournalRecord } from '../../src/journal/types.ts';
import type { OutputSource } from '../../src/outputs/output.ts';

export interface RecordParts {
  readonly tag?: string | Buffer;
  readonly body: Buffer | readonly Buffer[];
  readonly count?: number;
  readonly codec?: number;
  readonly attrs?: number;
}

/** What a cursor kept: outlives the output, as its file would outlive the process. */
export interface SavedCursor {
  seq: number;
  window: Buffer;
  saves: number;
}

/**
 * A journal in memory: records that are appended can be read by any number of
 * `source()`s, each from where the cursor was saved last, as after a restart.
 */
export class RecordSource {
  readonly records: JournalRecord[] = [];
  readonly saved: SavedCursor = { seq: 1, window: Buffer.alloc(0), saves: 0 };
  /** Called before each save; throws to make it fail. */
  beforeSave: (seq: number, window: Buffer) => void = () => {};
  /** Called before each read, with the seq that it begins with; may wait or throw. */
  beforeRead: (seq: number, signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** One read brings no more. */
  read_max_records = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];
  #moved: ((seq: number) => void) | undefined;

  append(...parts: readonly RecordParts[]): void {
    for (const { tag = 'app', body, count = 1, codec = 0, attrs = 0 } of parts) {
      const pieces = Buffer.isBuffer(body) ? [body] : body;
      const last = this.records.at(-1);
      this.records.push({
        seq: this.records.length + 1,
        tag: Buffer.from(tag as string),
        codec,
        attrs,
        count,
        time_min_s: 0,
        time_max_s: 0,
        checksum: crc32(Buffer.concat(pieces)),
        body: pieces,
        body_bytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
        events_before: last === undefined ? 0 : last.events_before + last.count,
        bytes_before: last === undefined ? 0 : last.bytes_before + last.body_bytes,
        committed_ms: 1_700_000_000_000 + this.records.length,
      });
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** As the journal's `drop_oldest` does. */
  moveCursor(seq: number): void {
    this.saved.seq = seq;
    this.saved.window = Buffer.alloc(0);
    this.#moved?.(seq);
  }

  /** Every record was delivered and the cursor says so. */
  get drained(): boolean {
    return this.saved.seq === this.records.length + 1;
  }

  source(matches: (tag: Buffer) => boolean = () => true): OutputSource {
    return {
      reader: this.#reader(),
      cursor: this.#cursor(),
      journal_id: Buffer.alloc(16, 7),
      epoch: 1,
      matches,
    };
  }

  #cursor(): Cursor {
    const { saved } = this;
    const save = async (seq: number, window: Buffer): Promise<void> => {
      this.beforeSave(seq, window);
      if (seq < saved.seq)
        throw new RangeError(`the cursor moves back from ${saved.seq} to ${seq}`);
      saved.seq = seq;
      saved.window = Buffer.from(window);
      saved.saves += 1;
    };
    return {
      name: 'test',
      get seq() {
        return saved.seq;
      },
      get window() {
        return saved.window;
      },
      save,
      onMoved: (moved) => {
        this.#moved = moved;
      },
    };
  }

  #reader(): JournalReader {
    let next_seq = this.saved.seq;
    const { records } = this;
    return {
      get next_seq() {
        return next_seq;
      },
      get has_more() {
        return next_seq <= records.length;
      },
      get at_end() {
        return next_seq > records.length;
      },
      read: async (max_bytes, signal) => {
        await this.beforeRead(next_seq, signal);
        while (next_seq > records.length) await this.#appended(signal);
        const taken: JournalRecord[] = [];
        let bytes = 0;
        const hasRoom = (): boolean => bytes < max_bytes && taken.length < this.read_max_records;
        while (next_seq <= records.length && (hasRoom() || taken.length === 0)) {
          const record = records[next_seq - 1] as JournalRecord; // checked by the loop
          taken.push(record);
          bytes += record.body_bytes;
          next_seq += 1;
        }
        return taken;
      },
      release() {},
      keep() {},
      close() {},
    };
  }

  #appended(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      this.#waiting.push(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
