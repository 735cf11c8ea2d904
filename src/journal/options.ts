import { LIMITS } from '../limits.ts';
import { type Clock, systemClock } from '../sys/clock.ts';
import { type FileSystem, nodeFs } from '../sys/fs.ts';
import { DropLedger } from '../sys/ledger.ts';
import { type Log, silentLog } from '../sys/log.ts';
import type { StateSpace } from './types.ts';

/** Options of `Journal.open`; only the directory must be given. */
export interface JournalOptions {
  readonly directory: string;
  /** State that is kept in the journal, by number. Numbers are stored: never reuse one. */
  readonly spaces?: ReadonlyMap<number, StateSpace>;
  /** disk: a commit is durable when it is reported (fdatasync). os: when the kernel has it; a power cut may lose it. */
  readonly sync?: 'disk' | 'os';
  /** What happens at `max_bytes` or on a full disk. block: nothing is taken. drop_oldest: the oldest segment goes. */
  readonly on_full?: 'block' | 'drop_oldest';
  /** All segments together. One large commit may exceed it. */
  readonly max_bytes?: number;
  /** A segment that is larger is left at the next commit. */
  readonly segment_max_bytes?: number;
  readonly commit_max_bytes?: number;
  readonly record_max_bytes?: number;
  readonly tail_max_bytes?: number;
  readonly read_chunk_bytes?: number;
  /** All copies of damaged bytes together. */
  readonly quarantine_max_bytes?: number;
  /** How long a commit nobody waits for may gather events. */
  readonly linger_ms?: number;
  /** A commit of this size does not linger. */
  readonly commit_start_bytes?: number;
  readonly fs?: FileSystem;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Sees memory before it is used again. A test that fills it finds who looks into it too late. */
  readonly recycled?: (memory: Buffer) => void;
  /** Where lost events are counted: `drop_oldest`, `max_lag`, `not_kept`, `corrupt`, `missing_segment`. */
  readonly ledger?: DropLedger;
}

export type FullOptions = Required<JournalOptions>;

/** A journal that may be small still has several segments, so that space comes free bit by bit. */
const SEGMENTS_MIN = 4;
const SEGMENT_MIN_BYTES = 64 * 1024;
const QUARANTINE_MAX_BYTES = 64 * 1024 * 1024;
const COMMIT_START_BYTES = 1024 * 1024;

export function withDefaults(options: JournalOptions): FullOptions {
  const max_bytes = options.max_bytes ?? LIMITS.journal_max_bytes;
  const commit_max_bytes = options.commit_max_bytes ?? LIMITS.commit_max_bytes;
  const segment_share_bytes = Math.max(SEGMENT_MIN_BYTES, Math.floor(max_bytes / SEGMENTS_MIN));
  return {
    spaces: new Map(),
    sync: 'disk',
    on_full: 'block',
    record_max_bytes: LIMITS.record_max_bytes,
    tail_max_bytes: LIMITS.tail_max_bytes,
    read_chunk_bytes: LIMITS.read_chunk_bytes,
    quarantine_max_bytes: QUARANTINE_MAX_BYTES,
    linger_ms: LIMITS.linger_max_ms,
    commit_start_bytes: Math.min(COMMIT_START_BYTES, commit_max_bytes),
    fs: nodeFs,
    clock: systemClock,
    log: silentLog,
    ledger: new DropLedger(),
    recycled: () => {},
    ...options,
    max_bytes,
    commit_max_bytes,
    segment_max_bytes: Math.min(
      options.segment_max_bytes ?? LIMITS.segment_max_bytes,
      segment_share_bytes,
    ),
  };
}
