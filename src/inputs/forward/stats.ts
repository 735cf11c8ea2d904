/** What the Forward input has seen since it started; plain fields, raised where it happens. */
export class ForwardStats {
  connections_open = 0;
  connections_total = 0;
  /** Beyond `connections_max`. */
  connections_refused = 0;
  /** Came and went without a byte: heartbeats and health checks. */
  connections_empty = 0;
  /** Closed by us because of what the client sent. */
  connections_broken = 0;
  /** Closed by us because their events could not be stored. */
  connections_failed = 0;
  tls_failures = 0;
  handshake_failures = 0;
  /** Ended in the middle of a message. */
  messages_cut_off = 0;
  bytes_in = 0;
  messages_in = 0;
  events_in = 0;
  /** nil between messages. */
  heartbeats = 0;
  acks_sent = 0;
  /** Chunks that the journal held already. */
  resends_dropped = 0;
  /** Chunks equal to an earlier one, under an id made from their content, that were no re-sends. */
  equal_chunks_kept = 0;
  /** Messages that were gathered outside of the reader. */
  large_messages = 0;
  /** Of those, the ones that needed a file. */
  spooled_messages = 0;
}
