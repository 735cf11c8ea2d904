import type { JournalState } from '../journal/types.ts';
import type { OutputState } from '../outputs/output.ts';

/**
 * The relay at one moment: what the `status` command, `/status.json`, `/events`, `/metrics`
 * and the page show. Plain JSON; `null` where something is not known or does not apply.
 *
 * Names end in their unit. `_ms` without `age` or `for` is a wall clock time since 1970.
 * Counters run since the relay started unless they say otherwise; `_per_s` is an average over
 * `rates.over_ms`.
 */
export interface RelayStatus {
  readonly version: string;
  readonly pid: number;
  /** Of Node.js, such as `v22.14.0`. */
  readonly node: string;
  readonly started_ms: number;
  readonly now_ms: number;
  readonly state: 'running' | 'stopping';
  /** Memory of the process. */
  readonly resident_bytes: number;
  /** What a person should look at, in plain words, the worst first. Empty: all is well. */
  readonly problems: readonly Problem[];
  readonly rates: Rates;
  readonly inputs: InputsStatus;
  readonly journal: JournalStatus;
  /** In the order in which they began: that of the configuration, but for those that changed. */
  readonly outputs: readonly OutputStatus[];
  /** Empty where no log files are read. */
  readonly containers: readonly ContainerStatus[];
  /** `{reason: {place: events}}`: everything that came and will not arrive. */
  readonly dropped: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What may be missing of containers; how many lines each took is not known. */
  readonly gaps: readonly GapStatus[];
}

export interface Problem {
  /** `error`: events do not move, or are lost. `warning`: they may be before long. */
  readonly level: 'error' | 'warning';
  /** What it is about: `journal`, `output aggregator`, `container web`. */
  readonly where: string;
  /** A sentence without its full stop. */
  readonly text: string;
}

/** Everything that came in, from listeners and log files, and everything that arrived. */
export interface Rates {
  /** Over how long they are averaged; 0 in the first second, and all rates with it. */
  readonly over_ms: number;
  /** Events that the journal took, and the bytes of their bodies. */
  readonly events_in_per_s: number;
  readonly bytes_in_per_s: number;
  /** Of all outputs together. */
  readonly events_out_per_s: number;
  readonly bytes_out_per_s: number;
}

/** The Forward listeners. */
export interface InputsStatus {
  /** With the ports that the system chose. Empty once the relay is stopping. */
  readonly listeners: readonly { readonly url: string }[];
  readonly connections_open: number;
  readonly connections_total: number;
  /** Beyond the most that are taken. */
  readonly connections_refused: number;
  /** Closed because of what the client sent. */
  readonly connections_broken: number;
  /** Closed because their events could not be stored. */
  readonly connections_failed: number;
  /** Came and went without a byte: health checks. */
  readonly connections_empty: number;
  readonly tls_failures: number;
  readonly handshake_failures: number;
  readonly messages: number;
  readonly events: number;
  readonly bytes: number;
  /** Ended in the middle of a message. */
  readonly messages_cut_off: number;
  readonly acks: number;
  /** Chunks that a client sent again and the journal had already. */
  readonly resends_dropped: number;
}

export interface JournalStatus {
  /** Absolute. */
  readonly dir: string;
  readonly state: JournalState;
  /** False: inputs are held until `state` changes. A commit that is full for a moment does not count. */
  readonly writable: boolean;
  readonly on_full: 'block' | 'drop_oldest';
  /** Of its segment files. */
  readonly bytes: number;
  readonly max_bytes: number;
  /** Until `max_bytes`, or until the disk is full, whichever comes first. */
  readonly room_left_bytes: number;
  /** Free on its file system. */
  readonly disk_free_bytes: number | null;
  readonly segments: number;
  /** About when the oldest event that is still there came; null: there is none. */
  readonly oldest_ms: number | null;
  /** The oldest record that is still there; beyond `durable_seq` when there is none. */
  readonly first_seq: number;
  readonly durable_seq: number;
  /** Since the journal's creation. */
  readonly events: number;
  readonly event_bytes: number;
  /** Places of damage that this process found; what they held is kept aside. */
  readonly quarantined: number;
  /** Torn commits that this process cut off at its start. */
  readonly cut: number;
}

export interface OutputStatus {
  readonly name: string;
  /** `forward`, `file`, `stdout`. */
  readonly type: string;
  readonly state: OutputState;
  /** Events in the journal that this output is not done with. */
  readonly lag_events: number | null;
  readonly lag_bytes: number | null;
  /** How long the oldest of them has waited; null: nothing waits, or it is not known. */
  readonly oldest_age_ms: number | null;
  readonly chunks_in_flight: number;
  readonly retries: number;
  readonly last_error: string | null;
  readonly last_error_ms: number | null;
  /** It works again since `last_error`, which is history. */
  readonly has_recovered: boolean;
  /** Acked, or written where there are no acks. */
  readonly events_out: number;
  readonly bytes_out: number;
  readonly events_per_s: number;
  readonly bytes_per_s: number;
  /** What only this type of output knows, by name. */
  readonly details: Readonly<Record<string, number | string>>;
}

/**
 * How a container's lines come:
 * - `json-file`, `local`, `cri`: log files of this format are followed
 * - `merged`: its stream is compared with Docker's cache of it
 * - `api`: over the Engine API
 */
export type ContainerHow = 'json-file' | 'local' | 'cri' | 'merged' | 'api';

export interface ContainerStatus {
  /** Of a log file that no container is known for: its path, as `name` is then. */
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly how: ContainerHow;
  /** Its folder is gone, and what is left is read. */
  readonly is_removed: boolean;
  /** Journaled; of `merged` ones, from the stream and the cache together. */
  readonly lines: number;
  readonly lines_per_s: number;
  /** When its last line was taken, in seconds since 1970; null: none since the start. */
  readonly last_line_s: number | null;
  /** Entries of its log that could not be read. */
  readonly torn: number;
  /** From Docker's cache: the stream had not brought them. Of these and the rest, 0 where nothing is merged. */
  readonly recovered: number;
  /** Brought by the stream when the journal had them from the cache. */
  readonly dropped_doubled: number;
  /** Journaled behind lines that were written after them. */
  readonly late: number;
  /** Left out although another line of the same key might have been meant. */
  readonly ambiguous: number;
  /** Went on without their place in the cache being found. */
  readonly unanchored: number;
  /** Journaled stream lines that the cache never showed. */
  readonly uncached: number;
}

export interface GapStatus {
  readonly container: string;
  /** A short word such as `place_lost`, or a sentence. */
  readonly reason: string;
  readonly times: number;
}
