import { ATTR, CODEC } from './codec.ts';
import { type EntryTally, emptyTally } from './entries.ts';
import { EntryWalker } from './entry-walker.ts';
import { type FrameLimits, type FrameSink, type LargeFrame, MODE } from './frame.ts';
import { checkCodec, type FrameHead, sniffCodec } from './frame-head.ts';
import { isArray } from './msgpack.ts';
import { ObjectGatherer } from './object-gatherer.ts';
import { Options } from './options.ts';
import { limitError, syntaxError } from './protocol-error.ts';

/** How many of a payload's bytes must be there to tell what it is. */
export const PAYLOAD_PROOF_BYTES = 4;

/**
 * Reads one message in Forward or PackedForward mode that is too large to be
 * gathered, from behind its head to its end.
 *
 *     largeBegin   largeRun  largeRun ... largeRun           largeEnd
 *     head       | body: whole entries, or raw bytes       | option |
 *
 * Holds one entry that a cut goes through, and the option map; nothing else.
 */
export class LargeReader {
  readonly #limits: FrameLimits;
  readonly #sink: FrameSink;
  readonly #large: LargeFrame;
  readonly #walker: EntryWalker;
  readonly #option: ObjectGatherer;
  readonly #has_option: boolean;
  readonly #total = emptyTally();
  /** Entries (Forward) or bytes (Packed) of the body that are still to come. */
  #left: number;
  readonly #body_size: number;
  #bytes: number;

  /**
   * @param start where the message begins in `buf`; PAYLOAD_PROOF_BYTES of a payload must be there
   */
  constructor(limits: FrameLimits, sink: FrameSink, head: FrameHead, buf: Buffer, start: number) {
    this.#limits = limits;
    this.#sink = sink;
    this.#walker = new EntryWalker(limits, (run, from, to, tally) => {
      this.#takeRun(run, from, to, tally);
    });
    this.#option = new ObjectGatherer(limits.nesting_max_levels - 1);
    this.#option.restart(limits.option_max_bytes, 'option_max_bytes');
    this.#has_option = head.items === 3;
    this.#left = head.body_size;
    this.#body_size = head.body_size;
    this.#bytes = head.body_start - start;
    const packed = head.mode === MODE.packed;
    const codec = packed ? sniffCodec(buf, head.body_start, buf.length) : CODEC.none;
    this.#large = {
      mode: head.mode,
      tag: Buffer.from(buf.subarray(head.tag_start, head.tag_end)),
      codec,
      opaque: packed && codec === CODEC.none && !isArray(buf[head.body_start] as number),
    };
    sink.largeBegin(this.#large);
  }

  get held_bytes(): number {
    return this.#walker.held_bytes + this.#option.held_bytes;
  }

  /** Takes some of `buf[pos..end)`, delivers at most one run, and returns where it stopped. */
  take(buf: Buffer, pos: number, end: number): number {
    const stop = this.#left > 0 ? this.#takeBody(buf, pos, end) : this.#option.take(buf, pos, end);
    this.#bytes += stop - pos;
    const max = this.#limits.message_max_bytes;
    if (this.#bytes <= max) return stop;
    throw limitError(
      'the message is too large',
      `${this.#bytes} > ${max} bytes`,
      'message_max_bytes',
    );
  }

  /** Delivers `largeEnd` if everything is there; false: there is more to come. */
  finish(): boolean {
    if (this.#left > 0 || (this.#has_option && !this.#option.whole)) return false;
    this.#sink.largeEnd(this.#large, this.#conclude());
    return true;
  }

  #takeBody(buf: Buffer, pos: number, end: number): number {
    if (this.#large.mode === MODE.forward) return this.#walker.take(buf, pos, end, this.#left);
    const body_end = Math.min(end, pos + this.#left);
    if (this.#large.codec === CODEC.none && !this.#large.opaque) {
      const stop = this.#walker.take(buf, pos, body_end, Number.POSITIVE_INFINITY);
      this.#left -= stop - pos;
      return stop;
    }
    this.#left -= body_end - pos;
    this.#sink.largeRun(buf, pos, body_end, 0, 0, 0, 0, false);
    return body_end;
  }

  #takeRun(buf: Buffer, start: number, end: number, run: EntryTally): void {
    const total = this.#total;
    total.count += run.count;
    total.invalid += run.invalid;
    total.attrs |= run.attrs;
    total.irregular ||= run.irregular;
    if (this.#large.mode === MODE.forward) this.#left -= run.count + run.invalid;
    const { count, time_min_s, time_max_s, attrs, irregular } = run;
    this.#sink.largeRun(buf, start, end, count, time_min_s, time_max_s, attrs, irregular);
  }

  #conclude(): Parameters<FrameSink['largeEnd']>[1] {
    const { codec, opaque, mode } = this.#large;
    const options = new Options();
    const option = this.#option.buffer;
    if (this.#has_option) options.read(option, 0, this.#option.bytes, this.#limits);
    if (mode === MODE.packed) checkCodec(options.codec, codec, this.#body_size);
    const raw = opaque || codec !== CODEC.none;
    this.#checkSignal(options.signal, raw);
    const { signal, size, chunk_start, chunk_end } = options;
    return {
      attrs: this.#total.attrs | (signal << ATTR.signal_shift),
      count: raw ? Math.max(signal === 0 ? 0 : 1, size) : this.#total.count,
      invalid: this.#total.invalid + this.#walker.end(),
      chunk: chunk_start < 0 ? undefined : Buffer.from(option.subarray(chunk_start, chunk_end)),
    };
  }

  /**
   * The runs were delivered before the option map said what they are: it must not contradict them.
   */
  #checkSignal(signal: number, raw: boolean): void {
    if (this.#large.opaque && signal === 0) {
      throw syntaxError('entries as payload', 'an object that is no array, and no other signal');
    }
    if (this.#large.mode === MODE.packed && !raw && signal !== 0) {
      throw syntaxError(`a payload of signal ${signal}`, 'entries');
    }
  }
}
