import { Decoder } from './decode.ts';
import { EntryParts, readEntry } from './entries.ts';
import { TIME_FORM } from './event-time.ts';
import { INCOMPLETE } from './msgpack.ts';

const LEVELS_MAX = 512;

/** An event for people: decoded, not for the hot path. */
export interface Event {
  /** Seconds since 1970; 0 when the event has no time. */
  readonly time_s: number;
  readonly time_ns: number;
  /** Fluent Bit's metadata, where the entry has any. */
  readonly metadata?: Record<string, unknown>;
  /** As decode.ts describes; keys in the order in which they were sent. */
  readonly record: Record<string, unknown>;
}

/**
 * The events of an uncompressed body, in order. What is no event is passed over,
 * and so are group markers unless asked for.
 */
export function* decodeEvents(
  body: readonly Buffer[],
  { markers = false }: { markers?: boolean } = {},
): Generator<Event, void, undefined> {
  const [first = Buffer.alloc(0)] = body;
  const buf = body.length <= 1 ? first : Buffer.concat(body);
  const parts = new EntryParts();
  let at = 0;
  while (at < buf.length) {
    at = readEntry(buf, at, buf.length, LEVELS_MAX, parts);
    if (at === INCOMPLETE) return;
    if (parts.valid && (markers || parts.time.form !== TIME_FORM.marker)) {
      yield toEvent(buf, parts);
    }
  }
}

function toEvent(buf: Buffer, parts: EntryParts): Event {
  const event = {
    time_s: parts.time.seconds,
    time_ns: parts.time.nanoseconds,
    record: mapAt(buf, parts.record_start, parts.record_end),
  };
  if (parts.metadata_start < 0) return event;
  return { ...event, metadata: mapAt(buf, parts.metadata_start, parts.metadata_end) };
}

/** What `readEntry` found to be a map is decoded as one. */
function mapAt(buf: Buffer, start: number, end: number): Record<string, unknown> {
  return new Decoder(buf, start, end).next(LEVELS_MAX) as Record<string, unknown>;
}
