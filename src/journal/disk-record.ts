import type { RecordItem } from './segment-items.ts';
import type { JournalRecord } from './types.ts';

/** A record from a segment file as readers get it; its tag and body lie in the memory that the file was read to. */
export function recordOf(item: RecordItem, tag: Buffer = item.tag): JournalRecord {
  const { header, place } = item;
  return {
    seq: place.seq,
    tag,
    codec: header.codec,
    attrs: header.attrs,
    count: header.count,
    time_min_s: header.time_min_s,
    time_max_s: header.time_max_s,
    checksum: header.body_crc,
    body: [item.body],
    body_bytes: header.body_bytes,
    events_before: place.events_before,
    bytes_before: place.bytes_before,
    committed_ms: item.committed_ms,
  };
}
