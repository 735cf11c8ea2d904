/** Counters of one forward output since it began. */
export interface ForwardCounters {
  events_out: number;
  bytes_out: number;
  /** Chunks that were sent and had to be sent again. */
  resent_chunks: number;
  /** Events of chunks that moved to another server, or another address of its name, though the first may have them. */
  possibly_doubled: number;
  unknown_acks: number;
  split_chunks: number;
  metadata_dropped: number;
  markers_dropped: number;
  last_error: string | undefined;
  last_error_ms: number | undefined;
}

export function newCounters(): ForwardCounters {
  return {
    events_out: 0,
    bytes_out: 0,
    resent_chunks: 0,
    possibly_doubled: 0,
    unknown_acks: 0,
    split_chunks: 0,
    metadata_dropped: 0,
    markers_dropped: 0,
    last_error: undefined,
    last_error_ms: undefined,
  };
}
