import { ATTR, CODEC } from './codec.ts';
import { clearTally, EntryWalk, noteReading } from './entries.ts';
import { readTime, TIME_FORM, TimeReading } from './event-time.ts';
import { type Frame, type FrameLimits, MODE } from './frame.ts';
import { checkCodec, FrameHead, sniffCodec } from './frame-head.ts';
import { INCOMPLETE, isMap, NIL, skipItems, u32 } from './msgpack.ts';
import { Options } from './options.ts';
import { limitError } from './protocol-error.ts';

const emptyFrame = (): Frame => ({
  mode: MODE.message,
  tag_start: 0,
  tag_end: 0,
  body_start: 0,
  body_end: 0,
  codec: CODEC.none,
  attrs: 0,
  count: 0,
  time_min_s: 0,
  time_max_s: 0,
  irregular: false,
  invalid: 0,
  chunk_start: -1,
  chunk_end: -1,
  metadata_start: -1,
  metadata_end: -1,
});

/**
 * Walks whole Forward messages and tells where their parts are. Nothing is
 * decoded, and nothing is allocated: `frame` is the same object each time.
 */
export class FrameWalk {
  readonly frame: Frame = emptyFrame();
  readonly #limits: FrameLimits;
  readonly #entries: EntryWalk;
  readonly #head = new FrameHead();
  readonly #options = new Options();
  readonly #time = new TimeReading();

  constructor(limits: FrameLimits) {
    this.#limits = limits;
    this.#entries = new EntryWalk(limits);
  }

  /**
   * Walks the message at `pos` and describes it in `frame`. Returns the offset
   * behind it, or INCOMPLETE when it does not end before `end`.
   *
   * @throws LB_PROTOCOL_SYNTAX, LB_PROTOCOL_LIMIT
   */
  walk(buf: Buffer, pos: number, end: number): number {
    const next = this.#walkUsual(buf, pos, end);
    return next === INCOMPLETE ? this.#walkAny(buf, pos, end) : next;
  }

  /**
   * Message mode as Docker and nearly every other client sends it: a tag of up to
   * 255 bytes, whole seconds of 31 bits or EventTime, a map of up to 15 pairs, no
   * metadata. INCOMPLETE stands for everything else here.
   */
  #walkUsual(buf: Buffer, pos: number, end: number): number {
    const items = buf[pos] as number;
    if ((items !== 0x94 && items !== 0x93) || pos + 3 > end) return INCOMPLETE;
    const tag_lead = buf[pos + 1] as number;
    const short = (tag_lead & 0xe0) === 0xa0;
    if (!short && tag_lead !== 0xd9) return INCOMPLETE;
    const tag_start = short ? pos + 2 : pos + 3;
    const time = tag_start + (short ? tag_lead & 0x1f : (buf[pos + 2] as number));
    if (time + 11 >= end || time - tag_start > this.#limits.tag_max_bytes) return INCOMPLETE;

    const time_lead = buf[time] as number;
    const precise = time_lead === 0xd7 && buf[time + 1] === 0;
    if (!precise && time_lead !== 0xd2 && time_lead !== 0xce) return INCOMPLETE;
    const seconds = u32(buf, precise ? time + 2 : time + 1);
    const record = precise ? time + 10 : time + 5;
    const record_lead = buf[record] as number;
    if (seconds === 0 || seconds >= 0x80000000 || (record_lead & 0xf0) !== 0x80) return INCOMPLETE;
    const levels = this.#limits.nesting_max_levels - 2;
    const body_end = skipItems(buf, record + 1, end, (record_lead & 0x0f) * 2, levels);
    if (body_end === INCOMPLETE) return INCOMPLETE;

    this.#describeUsual(tag_start, time, body_end, seconds);
    let next = body_end;
    if (items === 0x94) next = this.#usualOption(buf, body_end, end);
    return next - pos > this.#limits.event_max_bytes ? INCOMPLETE : next;
  }

  #describeUsual(tag_start: number, time: number, body_end: number, seconds: number): void {
    const frame = this.frame;
    frame.mode = MODE.message;
    frame.tag_start = tag_start;
    frame.tag_end = time;
    frame.body_start = time;
    frame.body_end = body_end;
    frame.codec = CODEC.none;
    frame.attrs = 0;
    frame.count = 1;
    frame.time_min_s = seconds;
    frame.time_max_s = seconds;
    frame.irregular = false;
    frame.invalid = 0;
    frame.chunk_start = -1;
    frame.chunk_end = -1;
    frame.metadata_start = -1;
    frame.metadata_end = -1;
  }

  /** An empty map, nil, a short chunk id alone, or any map without metadata. */
  #usualOption(buf: Buffer, pos: number, end: number): number {
    if (pos >= end) return INCOMPLETE;
    const lead = buf[pos] as number;
    if (lead === 0x80 || lead === NIL) return pos + 1;
    if (lead === 0x81 && pos + 8 <= end && isChunkKey(buf, pos + 1)) {
      const value = buf[pos + 7] as number;
      const chunk_end = pos + 8 + (value & 0x1f);
      if ((value & 0xe0) === 0xa0 && chunk_end <= end) {
        this.frame.chunk_start = pos + 8;
        this.frame.chunk_end = chunk_end;
        return value > 0xa0 + this.#limits.chunk_id_max_bytes ? INCOMPLETE : chunk_end;
      }
    }
    const next = this.#readOptions(buf, pos, end, true);
    return this.frame.metadata_start >= 0 ? INCOMPLETE : next;
  }

  #walkAny(buf: Buffer, pos: number, end: number): number {
    const head = this.#head;
    if (!head.read(buf, pos, end, this.#limits)) return INCOMPLETE;
    const frame = this.frame;
    clearTally(frame);
    frame.mode = head.mode;
    frame.tag_start = head.tag_start;
    frame.tag_end = head.tag_end;
    frame.body_start = head.body_start;
    frame.codec = CODEC.none;
    if (head.mode === MODE.message) return this.#walkMessage(buf, pos, end);
    return head.mode === MODE.forward ? this.#walkForward(buf, end) : this.#walkPacked(buf, end);
  }

  /**
   * An event that is none counts as invalid; the frame still goes on, so that it is acked and
   * counted.
   */
  #walkMessage(buf: Buffer, pos: number, end: number): number {
    const { frame } = this;
    const levels = this.#limits.nesting_max_levels - 1;
    const record = readTime(buf, frame.body_start, end, levels, this.#time);
    if (record === INCOMPLETE || record >= end) return INCOMPLETE;
    frame.body_end = skipItems(buf, record, end, 1, levels);
    if (frame.body_end === INCOMPLETE) return INCOMPLETE;
    const next = this.#readOptions(buf, frame.body_end, end, this.#head.items === 4);
    if (next === INCOMPLETE) return INCOMPLETE;
    const max = this.#limits.event_max_bytes;
    if (next - pos > max) {
      throw limitError('an event is too large', `${next - pos} > ${max} bytes`, 'event_max_bytes');
    }
    if (this.#time.form === TIME_FORM.invalid || !isMap(buf[record] as number)) {
      frame.invalid = 1;
      frame.irregular = true;
      return next;
    }
    frame.count = 1;
    noteReading(frame, this.#time);
    if (frame.metadata_start >= 0) {
      frame.attrs |= ATTR.metadata;
      frame.irregular = true;
    }
    return next;
  }

  #walkForward(buf: Buffer, end: number): number {
    const { frame } = this;
    const entries = this.#head.body_size;
    frame.body_end = this.#entries.walk(buf, frame.body_start, end, entries, frame);
    if (frame.count + frame.invalid < entries) return INCOMPLETE;
    return this.#readOptions(buf, frame.body_end, end, this.#head.items === 3);
  }

  /** The options come behind the payload but say how to read it. */
  #walkPacked(buf: Buffer, end: number): number {
    const { frame } = this;
    const payload_bytes = this.#head.body_size;
    frame.body_end = frame.body_start + payload_bytes;
    if (frame.body_end > end) return INCOMPLETE;
    const next = this.#readOptions(buf, frame.body_end, end, this.#head.items === 3);
    if (next === INCOMPLETE) return INCOMPLETE;
    frame.codec = sniffCodec(buf, frame.body_start, frame.body_end);
    checkCodec(this.#options.codec, frame.codec, payload_bytes);
    if (this.#options.signal !== 0) frame.count = Math.max(1, this.#options.size);
    else if (frame.codec !== CODEC.none) frame.count = this.#options.size;
    else this.#entries.walkAll(buf, frame.body_start, frame.body_end, frame);
    return next;
  }

  #readOptions(buf: Buffer, pos: number, end: number, present: boolean): number {
    const options = this.#options;
    options.clear();
    let next = pos;
    if (present) next = options.read(buf, pos, end, this.#limits);
    const frame = this.frame;
    frame.attrs |= options.signal << ATTR.signal_shift;
    frame.chunk_start = options.chunk_start;
    frame.chunk_end = options.chunk_end;
    const carries_metadata = frame.mode === MODE.message;
    frame.metadata_start = carries_metadata ? options.metadata_start : -1;
    frame.metadata_end = carries_metadata ? options.metadata_end : -1;
    return next;
  }
}

/** `a5 c h u n k` */
function isChunkKey(buf: Buffer, at: number): boolean {
  return buf[at] === 0xa5 && u32(buf, at + 1) === 0x6368756e && buf[at + 5] === 0x6b;
}
