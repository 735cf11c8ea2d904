import type { Cursor, JournalReader, JournalRecord } from '../journal/types.ts';

/**
 * What every output is to the rest of logboom: something with a stable name that
 * takes the journal's records in order, and moves its own cursor over those that
 * arrived. A dead output never holds back another; it only keeps journal space.
 */
export interface Output {
  /** Stable across restarts: it names the cursor, and takes part in chunk ids. */
  readonly name: string;
  readonly type: string;
  /** Begins to read and send; resolves once it runs, not once it is connected. Called once. */
  start(): Promise<void>;
  /**
   * Takes nothing new, waits up to `deadline_ms` for what is under way, saves the
   * cursor, lets go of every file and socket. What was not finished stays in the
   * journal. Another output may then begin at the same cursor.
   */
  stop(deadline_ms: number): Promise<void>;
  /** A snapshot; cheap. */
  stats(): OutputStats;
}

/** What an output reads: its own reader and cursor over the one journal, and its route. */
export interface OutputSource {
  /** Begins at `cursor.seq`. The output closes it. */
  readonly reader: JournalReader;
  readonly cursor: Cursor;
  /** 16 bytes that name the journal directory for good. */
  readonly journal_id: Buffer;
  /** Changes when the journal is found cloned or has lost durable records. */
  readonly epoch: number;
  /** For a joined source (joining/), whose cursor counts in its own numbers: what lies beneath it. */
  readonly beneath?: {
    readonly cursor_seq: number;
    /** For `OutputStats.details`. */
    details(): Readonly<Record<string, number>>;
  };
  /** Whether events with this tag go to this output; records of other tags are passed over. */
  matches(tag: Buffer): boolean;
  /** Told of every record that was read and is passed over: its route may have been another when it came. */
  readonly passedOver?: (record: JournalRecord) => void;
}

/**
 * - `starting`: not connected or opened yet
 * - `running`: the last attempt worked
 * - `retrying`: the last attempt failed, another one follows by itself
 * - `stopped`
 */
export type OutputState = 'starting' | 'running' | 'retrying' | 'stopped';

/** Counters since `start()`, and where the output stands. */
export interface OutputStats {
  readonly state: OutputState;
  /** Events and bytes that arrived: acked, or written where there are no acks. */
  readonly events_out: number;
  readonly bytes_out: number;
  readonly chunks_in_flight: number;
  /** Attempts that failed and were made again. */
  readonly retries: number;
  readonly last_error: string | undefined;
  readonly last_error_ms: number | undefined;
  /** Every record before it is done with. */
  readonly cursor_seq: number;
  /**
   * Events in the journal before the cursor (`JournalRecord.events_before`); undefined until
   * a record was read. The journal's total less this is what the output is behind.
   */
  readonly cursor_events: number | undefined;
  /** Wall clock when the record at the cursor was committed: how old the oldest waiting event is. */
  readonly cursor_committed_ms: number | undefined;
  /** What only this type of output knows, by name, for status and metrics. */
  readonly details: Readonly<Record<string, number | string>>;
}
