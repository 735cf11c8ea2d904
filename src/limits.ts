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

  // Journal
  segment_max_bytes: 64 * MiB,
  journal_max_bytes: 8 * GiB,
  /** A commit that is filling takes no more than about this before inputs are paused. */
  commit_max_bytes: 4 * MiB,
  /** One record's body; a builder that is fuller is sealed and another begun. */
  record_max_bytes: 1 * MiB,
  /** Recent commits kept in memory for readers. */
  tail_max_bytes: 24 * MiB,
  /** One read from a segment file. */
  read_chunk_bytes: 1 * MiB,

  // Outputs
  /** A chunk to an upstream, compressed or not; Fluent Bit refuses above 6,144,000 bytes. */
  chunk_max_bytes: 4 * MiB,
  /** What one window may cover. */
  window_max_bytes: 4 * MiB,
  windows_in_flight_max: 4,
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
  LIMITS.commit_max_bytes < LIMITS.tail_max_bytes,
  'a commit that was just made durable is still in memory when readers look',
);
