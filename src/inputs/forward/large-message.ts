import { crc32 } from 'node:zlib';
import { CODEC } from '../../protocol/codec.ts';
import type { EventTime } from '../../protocol/event-time.ts';
import type { FrameLimits, LargeFrame } from '../../protocol/frame.ts';
import { normalizeEntries } from '../../protocol/normalize.ts';
import type { ChunkBody } from './dedup-entry.ts';
import { EntryGather } from './entry-gather.ts';
import { Spool, type SpoolPool } from './spool.ts';

/**
 * A message that is too large for one piece, or compressed, gathered outside of the
 * reader: its entries, cut into records, or the raw bytes of its payload.
 */
export class LargeMessage {
  readonly frame: LargeFrame;
  readonly entries: EntryGather | undefined;
  readonly payload: Spool | undefined;
  #body_bytes = 0;
  #body_crc = 0;

  constructor(frame: LargeFrame, pool: SpoolPool, record_max_bytes: number) {
    this.frame = frame;
    if (frame.codec === CODEC.none && !frame.opaque) {
      this.entries = new EntryGather(frame.tag, pool, record_max_bytes);
    } else {
      this.payload = new Spool(pool);
    }
  }

  /** Identifies the body as it came, whatever is made of it. */
  get body(): ChunkBody {
    return {
      tag_crc: crc32(this.frame.tag),
      body_bytes: this.#body_bytes,
      body_crc: this.#body_crc,
    };
  }

  get spool(): Spool | undefined {
    return this.entries?.spool ?? this.payload;
  }

  /** As `FrameSink.largeRun`; `arrival` is for events without a time. */
  run(
    buf: Buffer,
    start: number,
    end: number,
    count: number,
    time_min_s: number,
    time_max_s: number,
    attrs: number,
    irregular: boolean,
    arrival: () => EventTime,
    limits: FrameLimits,
  ): void {
    this.#body_bytes += end - start;
    this.#body_crc = crc32(buf.subarray(start, end), this.#body_crc);
    if (this.entries === undefined) {
      this.payload?.append(buf, start, end);
    } else if (irregular) {
      const kept = normalizeEntries(buf, start, end, arrival(), limits);
      this.entries.add(kept, 0, kept.length, count, time_min_s, time_max_s, attrs);
    } else {
      this.entries.add(buf, start, end, count, time_min_s, time_max_s, attrs);
    }
  }

  discard(): void {
    this.entries?.discard();
    this.payload?.discard();
  }
}
