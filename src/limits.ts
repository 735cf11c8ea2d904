/**
 * Every built-in limit, named in one place, unit last in the name. A limit that
 * users may change has its default here and its option in `config/schema.ts`.
 */
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

export const LIMITS = {
  // Forward protocol
  /** A tag longer than this closes the connection. */
  tag_max_bytes: 4 * KiB,
  /** The value of `option.chunk`: real clients send 24 to 32 bytes. */
  chunk_id_max_bytes: 256,
  /** The whole option map of a message. */
  option_max_bytes: 64 * KiB,
  /** One event; it is held in memory in one piece. */
  event_max_bytes: 16 * MiB,
  /** One message on the wire; fluentd's file buffer sends chunks of 256 MiB. */
  message_max_bytes: 512 * MiB,
  /** What one compressed payload may inflate to. */
  inflated_max_bytes: 1 * GiB,
  /** Arrays and maps inside each other, the message's own array included. */
  nesting_max_levels: 64,
  /** Up to here a message is gathered in memory before it is handed on; beyond, it streams. */
  frame_inline_max_bytes: 256 * KiB,
  handshake_max_bytes: 8 * KiB,
  handshake_timeout_ms: 10_000,
  connections_max: 4096,
  /** Bytes of unfinished streamed messages held in memory before they go to a spool file. */
  spool_memory_max_bytes: 16 * MiB,
  /** What all clients together have begun and not finished; beyond it the one that holds the most is closed. */
  unfinished_max_bytes: 64 * MiB,
  /** One zstd frame is inflated in one piece. */
  zstd_frame_max_bytes: 32 * MiB,
  /** Messages of one client that wait for their ack; then it is no longer read. */
  acks_max: 4096,
  /** Acks written to one client that it has not taken from its socket yet. */
  ack_buffer_max_bytes: 256 * KiB,
  /** Chunk ids remembered for one sender, and as many whose ack it may not have seen. */
  dedup_sender_max_ids: 8192,
  /** Chunk ids of all senders together; each takes about 650 bytes of memory. */
  dedup_max_ids: 65_536,
  dedup_max_senders: 1024,

  // Docker
  /** Journaled stream lines of one source that Docker's cache has not shown; each takes 8 bytes. */
  merge_ahead_max_lines: 16_384,
  /** Lines from Docker's cache that the stream may still bring, in memory; the others are read from the cache again. */
  merge_owed_max_lines: 65_536,
  /** A line that only one side has shown is given up once the other is so many lines past it. */
  merge_passed_max_lines: 4096,
  /** Containers that are gone and whose streams are still compared; beyond it the one that went first is forgotten. */
  merge_gone_max: 1024,
  /** Lines of theirs that are kept for that, in memory; each takes 8 bytes. */
  merge_gone_max_lines: 262_144,
  /** A connection's first line waits no longer for the cache to show what came before it. */
  merge_hold_max_ms: 3000,
  /** A container's connection waits no longer for the end of the one before it. */
  merge_turn_max_ms: 5000,

  // Journal
  segment_max_bytes: 64 * MiB,
  journal_max_bytes: 8 * GiB,
  /** A commit that is filling takes no more than about this before inputs are paused. */
  commit_max_bytes: 4 * MiB,
  /** One record's body; a builder that is fuller is sealed and another begun. */
  record_max_bytes: 1 * MiB,
  /** Without a waiting ack, a commit gathers events for this long. */
  linger_max_ms: 20,
  /** Recent commits kept in memory for readers. */
  tail_max_bytes: 16 * MiB,
  /** One read from a segment file. */
  read_chunk_bytes: 1 * MiB,

  // Outputs
  /** A chunk to an upstream, compressed or not; Fluent Bit refuses above 6,144,000 bytes. */
  chunk_max_bytes: 4 * MiB,
  /** What one window may cover. */
  window_max_bytes: 4 * MiB,
  windows_in_flight_max: 4,
  connect_timeout_ms: 10_000,
  /** An upstream that has not acked a chunk by then is taken for dead. */
  ack_timeout_ms: 60_000,
  retry_min_ms: 500,
  retry_max_ms: 30_000,
  /** A chunk of unknown outcome stays with its server for so long before it moves to another. */
  failover_after_ms: 30_000,
  dead_letter_max_bytes: 1 * GiB,
  /** A file of the file output is closed and the next begun at this size. */
  rotate_max_bytes: 64 * MiB,
  rotate_keep_max: 10,
  /** A line joined of fragments. */
  join_max_bytes: 1 * MiB,
  /** A line whose last fragment has not come so long after its first goes out as far as it came. */
  join_timeout_ms: 5_000,

  // Log files
  /** An entry longer than this is passed over as torn; Docker caps a frame at 1e6 bytes. */
  log_entry_max_bytes: 1 * MiB + 64 * KiB,
  /** Docker cuts lines at this length (formats.md 3.4). */
  log_piece_max_bytes: 16 * KiB,
  /** One read from a log file. */
  log_read_max_bytes: 256 * KiB,
  /** A log that kubelet rotated may be written on for so long after its successor appeared. */
  log_settle_ms: 1000,
  /** A file whose reading fails so often at one place is passed over. */
  log_failures_max: 3,
  /** How often a log that grows is looked at. */
  poll_active_ms: 100,
  /** How often a log that stands still is looked at. */
  poll_idle_ms: 1000,
  /** Logs that are looked at in the same moment. */
  poll_concurrent_max: 16,
  /** Durable positions of sources; beyond it the one that was moved least recently is forgotten. */
  positions_max: 65_536,
  /** How often it is written down that logboom is alive, and positions expire. */
  positions_upkeep_ms: 10_000,

  // Docker Engine API
  /** One call that is no stream; the Engine hangs on a container whose log driver does (formats.md 3.6). */
  engine_call_timeout_ms: 10_000,
  /** One answer that is no stream. */
  engine_answer_max_bytes: 64 * MiB,
  /** One event; it carries all labels of its container. */
  engine_event_max_bytes: 1 * MiB,
  /** Calls at the same time when many containers are looked at. */
  engine_calls_max: 4,

  // Containers
  /** Between two looks at all containers' files; what is new is seen at once. */
  containers_rescan_ms: 3_000,
  /** A container's configuration; Docker's own are a few KiB. */
  container_config_max_bytes: 16 * MiB,
  /** How long the place in the log of a container that is gone is kept. */
  container_forget_after_ms: 24 * 3_600_000,

  // Configuration
  config_file_max_bytes: 4 * MiB,
  /** Values in a configuration, each alias counted as what it stands for. */
  config_nodes_max: 20_000,
  /** An output's name, which is also the name of its cursor file. */
  output_name_max_bytes: 64,

  // Process
  /** Below the 10 s after which `docker stop` kills. */
  shutdown_timeout_ms: 8_000,
} as const;

function assertRelation(holds: boolean, relation: string): void {
  if (!holds) throw new RangeError(`limits.ts contradicts itself: ${relation}`);
}

assertRelation(LIMITS.record_max_bytes <= LIMITS.chunk_max_bytes, 'a record fits into a chunk');
assertRelation(LIMITS.chunk_max_bytes <= LIMITS.window_max_bytes, 'a chunk fits into a window');
assertRelation(LIMITS.record_max_bytes <= LIMITS.commit_max_bytes, 'a record fits into a commit');
assertRelation(LIMITS.commit_max_bytes < LIMITS.segment_max_bytes, 'a commit fits into a segment');
assertRelation(LIMITS.event_max_bytes <= LIMITS.message_max_bytes, 'an event fits into a message');
assertRelation(
  LIMITS.tag_max_bytes + 32 <= LIMITS.frame_inline_max_bytes,
  'the head of a message is gathered before it streams',
);
assertRelation(LIMITS.retry_min_ms <= LIMITS.retry_max_ms, 'back-off grows');
assertRelation(
  LIMITS.log_read_max_bytes <= LIMITS.log_entry_max_bytes,
  'what one read brings fits beside the longest entry',
);
assertRelation(LIMITS.poll_active_ms <= LIMITS.poll_idle_ms, 'a log that grows is looked at more');
assertRelation(
  LIMITS.commit_max_bytes < LIMITS.tail_max_bytes,
  'a commit that was just made durable is still in memory when readers look',
);
