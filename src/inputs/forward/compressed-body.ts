import { setImmediate } from 'node:timers/promises';
import type { Codec } from '../../protocol/codec.ts';
import { type EntryTally, emptyTally, noteTime } from '../../protocol/entries.ts';
import { EntryWalker, type TakeRun } from '../../protocol/entry-walker.ts';
import type { FrameLimits } from '../../protocol/frame.ts';
import { type InflateLimits, inflate } from '../../protocol/inflate.ts';
import type { Spool } from './spool.ts';

/** Runs are no longer than this, so that records can be cut between them. */
const RUN_MAX_BYTES = 64 * 1024;

/** What a compressed payload turned out to be. */
export interface Examined extends EntryTally {
  readonly inflated_bytes: number;
}

/**
 * Inflates a payload and walks its entries, holding neither: whether it is whole, how
 * many events are in it, of what time.
 *
 * @throws LB_PROTOCOL_SYNTAX, LB_PROTOCOL_LIMIT; the signal's reason when it aborts
 */
export async function examine(
  payload: Spool,
  codec: Codec,
  limits: FrameLimits & InflateLimits,
  signal: AbortSignal,
): Promise<Examined> {
  const total = emptyTally();
  const { inflated_bytes, cut_off } = await walkInflated(
    payload,
    codec,
    limits,
    signal,
    (_buf, _start, _end, run) => addTally(total, run),
  );
  // Bytes behind the last whole entry are an entry that was cut off.
  total.invalid += cut_off;
  total.irregular ||= cut_off > 0;
  return { ...total, inflated_bytes };
}

/** Inflates a payload and hands on the runs of its entries. Returns how much it was. */
export async function walkInflated(
  payload: Spool,
  codec: Codec,
  limits: FrameLimits & InflateLimits,
  signal: AbortSignal,
  takeRun: TakeRun,
): Promise<{ inflated_bytes: number; cut_off: number }> {
  const walker = new EntryWalker(limits, takeRun);
  let inflated_bytes = 0;
  for await (const piece of inflate(codec, payload.read(), limits)) {
    inflated_bytes += piece.length;
    for (let at = 0; at < piece.length; at += RUN_MAX_BYTES) {
      signal.throwIfAborted();
      walker.feed(piece.subarray(at, at + RUN_MAX_BYTES));
      // A zstd frame comes in one piece, which others must not have to wait for.
      if (piece.length > RUN_MAX_BYTES) await setImmediate();
    }
  }
  return { inflated_bytes, cut_off: walker.end() };
}

function addTally(total: EntryTally, run: EntryTally): void {
  total.count += run.count;
  total.invalid += run.invalid;
  total.attrs |= run.attrs;
  total.irregular ||= run.irregular;
  if (run.time_max_s === 0) return;
  noteTime(total, run.time_min_s);
  noteTime(total, run.time_max_s);
}
