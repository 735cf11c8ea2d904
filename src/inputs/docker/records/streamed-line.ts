/**
 * The fields of a line as Docker's fluentd driver streams it, found in the bytes of its
 * message without decoding them (formats.md 3.2).
 *
 *     time | map { container_id, source, log, partial_id, partial_ordinal, partial_last, ... }
 *
 * Keys come in any order; all values are str.
 *
 * `buf[i] as number` stands for reads inside an event whose bounds were walked before.
 */
import { LIMITS } from '../../../limits.ts';
import { readTime, TIME_FORM, TimeReading } from '../../../protocol/event-time.ts';
import {
  headerBytes,
  INCOMPLETE,
  isBytes,
  isMap,
  LEAF_BYTES,
  lengthAt,
  skipItems,
} from '../../../protocol/msgpack.ts';
import { readSource, SOURCE_NAME_BYTES } from '../../logfile/formats/source-name.ts';
import { hashBytes, partialIdKey } from '../../logfile/line-key.ts';
import { SOURCE, type Source } from '../../logfile/types.ts';

const CONTAINER_ID_BYTES = 64;
/** No such field. */
const ABSENT = -1;
/** More digits make no ordinal: a line of 10^9 pieces would have 16 TB. */
const ORDINAL_MAX_DIGITS = 9;

const STR8 = 0xd9;
const TRUE = Buffer.from('true');

/** The keys that count; two of a length share no last byte. */
const KEY = {
  log: Buffer.from('log'),
  source: Buffer.from('source'),
  partial_id: Buffer.from('partial_id'),
  container_id: Buffer.from('container_id'),
  partial_last: Buffer.from('partial_last'),
  partial_ordinal: Buffer.from('partial_ordinal'),
} as const;

/**
 * One object is reused for every message. Offsets are into `buf`; those of the partial id are
 * -1 without one, and the ordinal is 0.
 */
export class StreamedLine {
  buf: Buffer = Buffer.alloc(0);
  container_id_start = ABSENT;
  container_id_end = ABSENT;
  source: Source = SOURCE.stdout;
  log_start = ABSENT;
  log_end = ABSENT;
  time_s = 0;
  time_ns = 0;
  partial_id_start = ABSENT;
  partial_id_end = ABSENT;
  partial_ordinal = 0;
  partial_last = false;
  readonly #time = new TimeReading();
  #has_source = false;

  /**
   * Reads the event `time record` at `start`: `body_start` and `body_end` of a Frame in Message
   * mode, or an entry behind its lead byte. False when it is no line of the driver's.
   */
  read(buf: Buffer, start: number, end: number): boolean {
    const map = readTime(buf, start, end, LIMITS.nesting_max_levels, this.#time);
    if (map === INCOMPLETE || map >= end || !isMap(buf[map] as number)) return false;
    if (this.#time.form !== TIME_FORM.kept) return false;
    this.#clear(buf);
    let at = map + headerBytes(buf[map] as number);
    for (let pairs = lengthAt(buf, map); pairs > 0; pairs -= 1) {
      at = this.#readPair(at, end);
      if (at === INCOMPLETE) return false;
    }
    return this.#has_source && this.log_start !== ABSENT && this.container_id_start !== ABSENT;
  }

  #clear(buf: Buffer): void {
    this.buf = buf;
    this.time_s = this.#time.seconds;
    this.time_ns = this.#time.nanoseconds;
    this.container_id_start = ABSENT;
    this.container_id_end = ABSENT;
    this.#has_source = false;
    this.log_start = ABSENT;
    this.log_end = ABSENT;
    this.partial_id_start = ABSENT;
    this.partial_id_end = ABSENT;
    this.partial_ordinal = 0;
    this.partial_last = false;
  }

  /** Reads a key and its value; returns the offset behind both or INCOMPLETE. */
  #readPair(key: number, end: number): number {
    const { buf } = this;
    if (key >= end) return INCOMPLETE;
    const key_lead = buf[key] as number;
    // Every key that counts is a fixstr.
    const key_bytes = (key_lead & 0xe0) === 0xa0 ? key_lead & 0x1f : 0;
    const value = skipOne(buf, key, end);
    if (value === INCOMPLETE || value >= end) return INCOMPLETE;
    const next = skipOne(buf, value, end);
    if (next === INCOMPLETE || key_bytes === 0) return next;
    const lead = buf[value] as number;
    if (isBytes(lead)) this.#readField(key + 1, key_bytes, value + headerBytes(lead), next);
    return next;
  }

  /** Takes a value if its key is one that counts. */
  #readField(key: number, key_bytes: number, start: number, end: number): void {
    const { buf } = this;
    switch (key_bytes) {
      case KEY.log.length:
        if (isAt(buf, key, KEY.log)) this.#setLog(start, end);
        break;
      case KEY.source.length:
        if (isAt(buf, key, KEY.source)) this.#readSource(start, end);
        break;
      case KEY.partial_id.length:
        if (isAt(buf, key, KEY.partial_id)) this.#setPartialId(start, end);
        break;
      case KEY.container_id.length:
        if (isAt(buf, key, KEY.container_id)) this.#setContainerId(start, end);
        else if (isAt(buf, key, KEY.partial_last)) this.partial_last = isTrue(buf, start, end);
        break;
      case KEY.partial_ordinal.length:
        if (isAt(buf, key, KEY.partial_ordinal)) this.partial_ordinal = digits(buf, start, end);
        break;
      default:
    }
  }

  #setLog(start: number, end: number): void {
    this.log_start = start;
    this.log_end = end;
  }

  #readSource(start: number, end: number): void {
    this.#has_source = end - start === SOURCE_NAME_BYTES && readSource(this.buf, start, this);
  }

  #setPartialId(start: number, end: number): void {
    this.partial_id_start = start;
    this.partial_id_end = end;
  }

  #setContainerId(start: number, end: number): void {
    if (end - start !== CONTAINER_ID_BYTES) return;
    this.container_id_start = start;
    this.container_id_end = end;
  }
}

/** The key of the line as `lineKey` makes it from the same line in Docker's cache. */
export function streamKey(line: StreamedLine): number {
  const { buf, log_start, log_end, time_s, time_ns, partial_id_start, partial_id_end } = line;
  if (partial_id_start === ABSENT) return hashBytes(buf, log_start, log_end, time_s, time_ns, 0, 0);
  const id = partialIdKey(buf, partial_id_start, partial_id_end);
  return hashBytes(buf, log_start, log_end, time_s, time_ns, id, line.partial_ordinal);
}

/** Compared from the end, where keys of one length differ first. */
function isAt(buf: Buffer, at: number, bytes: Buffer): boolean {
  for (let i = bytes.length - 1; i >= 0; i -= 1) {
    if (buf[at + i] !== bytes[i]) return false;
  }
  return true;
}

const isTrue = (buf: Buffer, start: number, end: number): boolean =>
  end - start === TRUE.length && isAt(buf, start, TRUE);

/** The number that decimal digits make; 0 if they make none. */
function digits(buf: Buffer, start: number, end: number): number {
  if (end - start > ORDINAL_MAX_DIGITS) return 0;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (buf[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/** The offset behind the object at `at`, or INCOMPLETE. */
function skipOne(buf: Buffer, at: number, end: number): number {
  const lead = buf[at] as number;
  const leaf = LEAF_BYTES[lead] as number;
  if (leaf !== 0) return at + leaf <= end ? at + leaf : INCOMPLETE;
  if (lead === STR8 && at + 1 < end) {
    const next = at + 2 + (buf[at + 1] as number);
    return next <= end ? next : INCOMPLETE;
  }
  return skipItems(buf, at, end, 1, LIMITS.nesting_max_levels);
}
