/** What the journal tells about itself, for status. */

export interface CursorView {
  readonly name: string;
  readonly seq: number;
  /** Events and body bytes that are durable and not done with. */
  readonly events_behind: number;
  readonly bytes_behind: number;
}

export interface JournalTotals {
  /** Since the journal's creation. */
  readonly events: number;
  readonly body_bytes: number;
  /** Segment files now. */
  readonly disk_bytes: number;
  readonly segments: number;
  /**
   * When the oldest record that is still there was committed; for a segment that an earlier
   * process left and that was not replayed at open, when its file was created.
   */
  readonly oldest_ms: number;
  /** Places of damage that this process found. */
  readonly quarantined: number;
  /** Torn commits that this process cut off at open. */
  readonly cut: number;
}
