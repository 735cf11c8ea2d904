/**
 * The head of a Forward message: everything before its body (formats.md 1.2).
 *
 *     | array of 2-4 | tag str | time ...              Message
 *     | array of 2-3 | tag str | array of n | ...      Forward
 *     | array of 2-3 | tag str | str or bin | ...      PackedForward
 */
import { CODEC, type Codec } from './codec.ts';
import { type FrameLimits, MODE, type Mode } from './frame.ts';
import { headerBytes, isArray, isBytes, lengthAt } from './msgpack.ts';
import { hexByte, limitError, syntaxError } from './protocol-error.ts';

/** Reused between messages. */
export class FrameHead {
  mode: Mode = MODE.message;
  /** Elements of the message's array. */
  items = 0;
  tag_start = 0;
  tag_end = 0;
  /** Message: its time. Forward: its first entry. Packed: its payload's first byte. */
  body_start = 0;
  /** Forward: how many entries. Packed: how many bytes. Message: 0. */
  body_size = 0;

  /**
   * Reads the head of the message at `pos`; false: it goes on behind `end`.
   *
   * @throws LB_PROTOCOL_SYNTAX for another shape, LB_PROTOCOL_LIMIT for a tag or payload that is
   *   too long
   */
  read(buf: Buffer, pos: number, end: number, limits: FrameLimits): boolean {
    const lead = buf[pos] as number;
    if (!isArray(lead)) {
      throw syntaxError(
        'a Forward message, an array',
        `an object that begins with ${hexByte(lead)}`,
      );
    }
    const tag = pos + headerBytes(lead);
    if (tag > end) return false;
    this.items = lengthAt(buf, pos);
    if (this.items < 2 || this.items > 4) {
      throw syntaxError('an array of 2 to 4 elements', `${this.items} elements`);
    }
    if (tag === end) return false;
    return this.#readTag(buf, tag, end, limits) && this.#readMode(buf, pos, end, limits);
  }

  #readTag(buf: Buffer, tag: number, end: number, limits: FrameLimits): boolean {
    const lead = buf[tag] as number;
    if (!isBytes(lead))
      throw syntaxError('a str as tag', `an object that begins with ${hexByte(lead)}`);
    this.tag_start = tag + headerBytes(lead);
    if (this.tag_start > end) return false;
    const bytes = lengthAt(buf, tag);
    if (bytes > limits.tag_max_bytes) {
      throw limitError(
        'the tag is too long',
        `${bytes} > ${limits.tag_max_bytes} bytes`,
        'tag_max_bytes',
      );
    }
    this.tag_end = this.tag_start + bytes;
    return this.tag_end < end;
  }

  /** The second element decides. */
  #readMode(buf: Buffer, pos: number, end: number, limits: FrameLimits): boolean {
    const lead = buf[this.tag_end] as number;
    this.mode = isArray(lead) ? MODE.forward : isBytes(lead) ? MODE.packed : MODE.message;
    const [fewest, most] = this.mode === MODE.message ? [3, 4] : [2, 3];
    if (this.items < fewest || this.items > most) {
      const mode = this.mode === MODE.message ? 'Message' : 'Forward';
      throw syntaxError(
        `an array of ${fewest} or ${most} elements in ${mode} mode`,
        `${this.items}`,
      );
    }
    this.body_size = 0;
    this.body_start = this.tag_end;
    if (this.mode === MODE.message) return true;
    this.body_start += headerBytes(lead);
    if (this.body_start > end) return false;
    this.body_size = lengthAt(buf, this.tag_end);
    const total = this.body_start - pos + this.body_size;
    if (total <= limits.message_max_bytes) return true;
    const arithmetic = `${this.body_start - pos} + ${this.body_size} > ${limits.message_max_bytes} bytes`;
    throw limitError('the message is too large', arithmetic, 'message_max_bytes');
  }
}

/**
 * How a packed payload is compressed by its first bytes. They decide, whatever the
 * option map says: no entry can begin like that.
 */
export function sniffCodec(buf: Buffer, start: number, end: number): Codec {
  if (end - start >= 2 && buf[start] === 0x1f && buf[start + 1] === 0x8b) return CODEC.gzip;
  if (end - start >= 4 && buf.readUInt32LE(start) === 0xfd2fb528) return CODEC.zstd;
  return CODEC.none;
}

/**
 * Does the payload's codec bear out what the option map claims? An empty one has nothing to show.
 */
export function checkCodec(
  claimed: Codec | undefined,
  sniffed: Codec,
  payload_bytes: number,
): void {
  if (claimed === undefined || claimed === CODEC.none || payload_bytes === 0) return;
  if (sniffed !== CODEC.none) return;
  throw syntaxError(
    `a payload compressed with ${claimed === CODEC.gzip ? 'gzip' : 'zstd'}`,
    'other first bytes',
  );
}
