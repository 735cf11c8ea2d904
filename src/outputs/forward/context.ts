import type { JournalReader } from '../../journal/types.ts';
import type { Clock } from '../../sys/clock.ts';
import type { FileSystem } from '../../sys/fs.ts';
import type { DropLedger } from '../../sys/ledger.ts';
import type { Log } from '../../sys/log.ts';
import type { RateLimitedLog } from '../../sys/rate-limited-log.ts';
import type { ChunkIds } from './chunk-id.ts';
import type { ForwardCounters } from './counters.ts';
import type { DeadLetters } from './dead-letter.ts';
import type { Lookup } from './dial.ts';
import type { ForwardOutputOptions, KindProfile } from './options.ts';
import type { PlanSaver } from './plan-saver.ts';
import type { Retrier } from './retrier.ts';
import type { AckWindow } from './window.ts';

/** The edges of the world that a forward output needs. */
export interface ForwardWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly fs: FileSystem;
  readonly ledger: DropLedger;
  /** Undefined: the system's. */
  readonly lookup?: Lookup;
}

/** What the parts of one forward output share. */
export interface ForwardContext {
  readonly options: ForwardOutputOptions;
  readonly profile: KindProfile;
  readonly reader: JournalReader;
  readonly window: AckWindow;
  readonly saver: PlanSaver;
  readonly ids: ChunkIds;
  readonly dead_letters: DeadLetters;
  readonly counters: ForwardCounters;
  readonly retrier: Retrier;
  readonly ledger: DropLedger;
  readonly clock: Clock;
  readonly log: RateLimitedLog;
  /** Aborts when the output is told to stop: nothing new is begun. */
  readonly stopping: AbortSignal;
}
