import { LIMITS } from '../limits.ts';
import type { EntryParts } from '../protocol/entries.ts';
import { TIME_FORM } from '../protocol/event-time.ts';
import { equalsAscii, headerBytes, lengthAt, skipItems } from '../protocol/msgpack.ts';
import { JsonText } from './msgpack-json.ts';
import { type Additions, type EventFormat, type Opaque, TimeText } from './render.ts';

/**
 * Lines for a person at a terminal:
 *
 *     2026-11-23T10:00:00.123Z app hello
 *
 * The text is the record's `log`, `message` or `msg`; a record without one is shown as
 * JSON. Whatever could drive the terminal is escaped, so a log line cannot move the
 * cursor, colour what follows or pass for another line. Added fields are not shown.
 */
export class PrettyFormat implements EventFormat {
  readonly #tag_prefix: string;
  readonly #json = new JsonText();
  readonly #times = new TimeText();

  constructor(additions: Additions) {
    this.#tag_prefix = additions.tag_prefix;
  }

  event(tag: Buffer, buf: Buffer, parts: EntryParts): string {
    const { form, seconds, nanoseconds } = parts.time;
    const has_time = form !== TIME_FORM.marker && form !== TIME_FORM.missing;
    const time = has_time ? this.#times.text(seconds, nanoseconds) : undefined;
    const text = logText(buf, parts.record_start) ?? this.#recordText(buf, parts.record_start);
    return this.#line(time === undefined ? '-' : `${time.slice(0, 23)}Z`, tag, text);
  }

  opaque(tag: Buffer, { why, payload }: Opaque): string {
    const [reason] = Object.entries(why);
    return this.#line('-', tag, `(${reason?.join(': ')}, ${payload.length} bytes)`);
  }

  #recordText(buf: Buffer, pos: number): string {
    this.#json.value(buf, pos);
    return this.#json.take();
  }

  #line(time: string, tag: Buffer, text: string): string {
    return `${escapeControls(`${time} ${this.#tag_prefix}${tag.toString('utf8')} ${text}`)}\n`;
  }
}

const TEXT_KEYS = ['log', 'message', 'msg'];

/** The str under one of TEXT_KEYS in the map at `pos`, without the line end. */
function logText(buf: Buffer, pos: number): string | undefined {
  let at = pos + headerBytes(buf[pos] as number); // walked before: a map is here
  for (let left = lengthAt(buf, pos); left > 0; left -= 1) {
    const key_at = at;
    const value_at = skipItems(buf, key_at, buf.length, 1, LIMITS.nesting_max_levels);
    if (isTextKey(buf, key_at) && isString(buf[value_at] as number)) {
      const start = value_at + headerBytes(buf[value_at] as number);
      return buf.toString('utf8', start, start + lengthAt(buf, value_at)).replace(/\r?\n$/, '');
    }
    at = skipItems(buf, value_at, buf.length, 1, LIMITS.nesting_max_levels);
  }
  return undefined;
}

function isTextKey(buf: Buffer, pos: number): boolean {
  const lead = buf[pos] as number;
  return TEXT_KEYS.some((key) => lead === 0xa0 + key.length && equalsAscii(buf, pos + 1, key));
}

const isString = (lead: number): boolean =>
  (lead & 0xe0) === 0xa0 || (lead >= 0xd9 && lead <= 0xdb);

/**
 * C0 but the tab, DEL and C1 (`Cc`), line and paragraph separators, and what turns
 * the direction of writing around.
 */
const CONTROLS = /(?!\t)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Another format's lines, fit for a terminal. */
export function terminalSafe(format: EventFormat): EventFormat {
  return {
    event: (tag, buf, parts) => escapeLine(format.event(tag, buf, parts)),
    opaque: (tag, opaque) => escapeLine(format.opaque(tag, opaque)),
  };
}

const escapeLine = (line: string): string => `${escapeControls(line.slice(0, -1))}\n`;

/** Writes characters that drive a terminal as `\u001b`: inside JSON they mean the same as before. */
function escapeControls(text: string): string {
  return text.replace(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
