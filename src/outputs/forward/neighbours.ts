import type { JournalRecord } from '../../journal/types.ts';

/**
 * Of what was read together, the records that are an output's own, in their places.
 *
 * A record lies in one piece of memory with those that it was committed with or read with, and
 * holds all of it for as long as its chunk is not acked. Where less than half is the output's own,
 * its records are copied out, so that what waits takes no more than twice what it weighs.
 */
export function withoutNeighbours(
  records: readonly JournalRecord[],
  isOwn: (record: JournalRecord) => boolean,
): readonly (JournalRecord | undefined)[] {
  const own = records.map((record) => (isOwn(record) ? record : undefined));
  const bytes = records.reduce((sum, { body_bytes }) => sum + body_bytes, 0);
  const own_bytes = own.reduce((sum, record) => sum + (record?.body_bytes ?? 0), 0);
  if (own_bytes * 2 >= bytes) return own;
  return own.map((record) => (record === undefined ? undefined : copyOf(record)));
}

function copyOf(record: JournalRecord): JournalRecord {
  const { seq, tag, codec, attrs, count, time_min_s, time_max_s, checksum } = record;
  const { body, body_bytes, events_before, bytes_before, committed_ms } = record;
  const whole = Buffer.allocUnsafeSlow(body_bytes);
  let at = 0;
  for (const piece of body) at += piece.copy(whole, at);
  return {
    seq,
    tag,
    codec,
    attrs,
    count,
    time_min_s,
    time_max_s,
    checksum,
    body: [whole],
    body_bytes,
    events_before,
    bytes_before,
    committed_ms,
  };
}
