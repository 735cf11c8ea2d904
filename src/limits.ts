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
  tail_max_bytes: 8 * MiB,
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
  LIMITS.commit_max_bytes < LIMITS.tail_max_bytes,
  'a commit that was just made durable is still in memory when readers look',
);
