import type { Journal } from '../../src/journal/journal.ts';
import type { JournalRecord, JournalWriter, LargeRecord } from '../../src/journal/types.ts';

/** Events that tests append: an id, and filler so that sizes vary. Layout: u32 id, u32 filler bytes, filler. */
export interface TestEvent {
  readonly id: number;
  readonly filler_bytes: number;
}

const HEAD_BYTES = 8;

export function encodeEvent({ id, filler_bytes }: TestEvent): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + filler_bytes, id % 251);
  bytes.writeUInt32LE(id, 0);
  bytes.writeUInt32LE(filler_bytes, 4);
  return bytes;
}

/** The ids of the events in a record's body. */
export function idsOf(record: Pick<JournalRecord, 'body'>): number[] {
  const body = Buffer.concat(record.body);
  const ids: number[] = [];
  for (let at = 0; at < body.length; at += HEAD_BYTES + body.readUInt32LE(at + 4)) {
    ids.push(body.readUInt32LE(at));
  }
  return ids;
}

/** Adds events, end to end in `body`, to the record of this tag that is filling. */
export function addEvents(
  journal: JournalWriter,
  tag: string,
  body: Buffer,
  { count = 1, codec = 0, attrs = 0, time_s = 1 } = {},
): void {
  const tag_bytes = Buffer.from(tag);
  const builder = journal.builder(tag_bytes, 0, tag_bytes.length, codec, attrs);
  const at = builder.reserve(body.length);
  body.copy(builder.buffer, at);
  builder.note(count, time_s, time_s);
}

export function appendEvents(
  journal: JournalWriter,
  tag: string,
  ids: readonly number[],
  { filler_bytes = 0, codec = 0, attrs = 0 } = {},
): void {
  for (const id of ids) {
    addEvents(journal, tag, encodeEvent({ id, filler_bytes }), { codec, attrs, time_s: 1000 + id });
  }
}

/** Resolves once everything appended so far is durable. */
export function committed(journal: JournalWriter): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.onCommit((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
    journal.hurry();
  });
}

export function largeRecord(tag: string, ids: readonly number[], filler_bytes = 0): LargeRecord {
  return {
    tag: Buffer.from(tag),
    codec: 0,
    attrs: 0,
    body: [Buffer.concat(ids.map((id) => encodeEvent({ id, filler_bytes })))],
    count: ids.length,
    time_min_s: 0,
    time_max_s: 0,
  };
}

const END_TAG = '(end)';

/**
 * Everything readable from `from_seq` on: appends a last record to know where
 * to stop, so losses anywhere before it are passed.
 */
export async function readAll(
  journal: Journal,
  { from_seq = 1, max_bytes = 64 * 1024, name = 'reader' } = {},
): Promise<JournalRecord[]> {
  appendEvents(journal, END_TAG, [0]);
  await committed(journal);
  const reader = journal.reader(from_seq, name);
  const records: JournalRecord[] = [];
  try {
    for (;;) {
      for (const record of await reader.read(max_bytes, AbortSignal.timeout(10_000))) {
        if (record.tag.toString() !== END_TAG) records.push(record);
        else if (record.seq === journal.durable_seq) return records;
      }
    }
  } finally {
    reader.close();
  }
}

/** Event ids by tag, in the order in which they were read. */
export function idsByTag(records: readonly JournalRecord[]): Record<string, number[]> {
  const by_tag: Record<string, number[]> = {};
  for (const record of records) {
    const tag = record.tag.toString();
    by_tag[tag] = [...(by_tag[tag] ?? []), ...idsOf(record)];
  }
  return by_tag;
}
