import type { JournalRecord } from '../../journal/types.ts';

/**
 * A record with other values in some fields. Field by field: those of the journal's records may be
 * getters, which a spread leaves out.
 */
export function changedRecord(
  record: JournalRecord,
  changes: Partial<JournalRecord>,
): JournalRecord {
  return {
    seq: record.seq,
    tag: record.tag,
    codec: record.codec,
    attrs: record.attrs,
    count: record.count,
    time_min_s: record.time_min_s,
    time_max_s: record.time_max_s,
    checksum: record.checksum,
    body: changes.body ?? record.body,
    body_bytes: record.body_bytes,
    events_before: record.events_before,
    bytes_before: record.bytes_before,
    committed_ms: record.committed_ms,
    ...changes,
  };
}
