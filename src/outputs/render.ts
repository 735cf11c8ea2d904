import type { EntryParts } from '../protocol/entries.ts';
import { TIME_FORM, type TimeReading } from '../protocol/event-time.ts';
import { JsonText } from './msgpack-json.ts';

/** What the user's configuration adds to every event. */
export interface Additions {
  /** Put before every tag. */
  readonly tag_prefix: string;
  /** Static fields; a record's own field of the same name stays as it is. */
  readonly add: Readonly<Record<string, string | number | boolean>>;
}

export const NO_ADDITIONS: Additions = { tag_prefix: '', add: {} };

/** Bytes of a record that are no events which could be shown. */
export interface Opaque {
  /** Why: a signal other than logs, an entry that is no event, a payload that cannot be read. */
  readonly why: { signal: string } | { invalid: 'entry' } | { unreadable: string };
  /** Name of the payload's compression, if any. */
  readonly codec: 'gzip' | 'zstd' | undefined;
  readonly payload: Buffer;
}

/** Makes one line of text, newline included, of one event. */
export interface EventFormat {
  /** `parts` tells where the entry's parts are in `buf`; it is valid. */
  event(tag: Buffer, buf: Buffer, parts: EntryParts): string;
  opaque(tag: Buffer, opaque: Opaque): string;
}

/**
 * NDJSON. An event is
 *
 *     {"time":"2026-11-23T10:00:00.123456789Z","tag":"app","record":{"log":"hello"}}
 *
 * with `"metadata":{...}` at the end if the entry has some, values as msgpack-json.ts
 * says. `time` is a number of seconds for years that RFC 3339 cannot write, and null
 * where an event has none. A group marker of Fluent Bit is `"time":null,"group":"start"`
 * or `"end"`. What is no event becomes one line too, so that nothing is lost:
 *
 *     {"time":null,"tag":"app","signal":"metrics","codec":"gzip","payload":"<base64>"}
 *     {"time":null,"tag":"app","invalid":"entry","payload":"<base64>"}
 *     {"time":null,"tag":"app","unreadable":"<why>","codec":"gzip","payload":"<base64>"}
 */
export class NdjsonFormat implements EventFormat {
  readonly #tag_prefix: string;
  /** The static fields by name, each as a JSON member. */
  readonly #fields: ReadonlyMap<string, string>;
  readonly #json = new JsonText();
  readonly #times = new TimeText();

  constructor({ tag_prefix, add }: Additions) {
    this.#tag_prefix = tag_prefix;
    const members = Object.entries(add).map(
      ([name, value]) => [name, `${JSON.stringify(name)}:${JSON.stringify(value)}`] as const,
    );
    this.#fields = new Map(members);
  }

  event(tag: Buffer, buf: Buffer, parts: EntryParts): string {
    const json = this.#json;
    json.add(`{"time":${this.#time(parts.time)},"tag":${this.#tag(tag)},"record":{`);
    if (this.#fields.size === 0) json.members(buf, parts.record_start);
    else this.#membersAndFields(buf, parts.record_start);
    json.add('}');
    if (parts.metadata_start >= 0) {
      json.add(',"metadata":');
      json.value(buf, parts.metadata_start);
    }
    json.add('}\n');
    return json.take();
  }

  #membersAndFields(buf: Buffer, pos: number): void {
    const missing = new Map(this.#fields);
    let separator = '';
    if (this.#json.members(buf, pos, (key) => missing.delete(key)) > 0) separator = ',';
    for (const member of missing.values()) {
      this.#json.add(separator + member);
      separator = ',';
    }
  }

  opaque(tag: Buffer, { why, codec, payload }: Opaque): string {
    const members = { ...why, codec, payload: payload.toString('base64') };
    return `{"time":null,"tag":${this.#tag(tag)},${JSON.stringify(members).slice(1)}\n`;
  }

  #tag(tag: Buffer): string {
    return JSON.stringify(this.#tag_prefix + tag.toString('utf8'));
  }

  #time(time: TimeReading): string {
    if (time.form === TIME_FORM.marker) {
      return `null,"group":"${time.seconds === GROUP_START_SECONDS ? 'start' : 'end'}"`;
    }
    if (time.form === TIME_FORM.missing) return 'null';
    const text = this.#times.text(time.seconds, time.nanoseconds);
    return text === undefined ? String(time.seconds) : `"${text}"`;
  }
}

const GROUP_START_SECONDS = 0xffffffff;
/** RFC 3339 knows years from 0000 to 9999. */
const SECONDS_MIN = Date.parse('0000-01-01T00:00:00Z') / 1000;
const SECONDS_MAX = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** Instants as RFC 3339 with nanoseconds, in UTC. Events of one second come together: its text is kept. */
export class TimeText {
  #seconds = Number.NaN;
  /** `2026-11-23T10:00:00.` */
  #text = '';

  /** Undefined for a year that has no such text. */
  text(seconds: number, nanoseconds: number): string | undefined {
    // A peer can send more nanoseconds than a second has.
    const whole_seconds = seconds + Math.floor(nanoseconds / 1e9);
    if (!(whole_seconds >= SECONDS_MIN && whole_seconds <= SECONDS_MAX)) return undefined;
    if (whole_seconds !== this.#seconds) {
      this.#text = new Date(whole_seconds * 1000).toISOString().slice(0, -4);
      this.#seconds = whole_seconds;
    }
    return `${this.#text}${String(nanoseconds % 1e9).padStart(9, '0')}Z`;
  }
}
