import { LIMITS } from '../../src/limits.ts';
import { CODEC } from '../../src/protocol/codec.ts';
import type {
  Frame,
  FrameSink,
  LargeFrame,
  LargeFrameEnd,
  Mode,
} from '../../src/protocol/frame.ts';
import { normalizeEntries, normalizeFrame } from '../../src/protocol/normalize.ts';

/** What becomes of a message, however it was delivered: bytes as hex. */
export interface Delivery {
  readonly mode: Mode;
  readonly tag: string;
  readonly codec: number;
  readonly attrs: number;
  readonly count: number;
  readonly invalid: number;
  readonly time_min_s: number;
  readonly time_max_s: number;
  readonly irregular: boolean;
  readonly chunk: string | undefined;
  /** Entries as they would be stored, or the raw payload. */
  readonly body: string;
}

export const ARRIVAL = { seconds: 0x11223344, nanoseconds: 0x0a0b0c0d };

/** A sink that writes down what it gets, in one form for inline and large frames. */
export class RecordingSink implements FrameSink {
  readonly deliveries: Delivery[] = [];
  heartbeats = 0;
  large_frames = 0;
  large_aborts = 0;
  /** Called at the end of every delivery. */
  onDelivery: () => void = () => {};
  #runs: Buffer[] = [];
  #large = { time_min_s: 0, time_max_s: 0, irregular: false };

  frame(buf: Buffer, frame: Frame): void {
    const { mode, codec, attrs, count, invalid, time_min_s, time_max_s, irregular } = frame;
    const chunk =
      frame.chunk_start < 0
        ? undefined
        : buf.toString('latin1', frame.chunk_start, frame.chunk_end);
    this.deliveries.push({
      ...{ mode, codec, attrs, count, invalid, time_min_s, time_max_s, irregular, chunk },
      tag: buf.toString('latin1', frame.tag_start, frame.tag_end),
      body: storedBody(buf, frame),
    });
    this.onDelivery();
  }

  largeBegin(): void {
    this.large_frames += 1;
    this.#runs = [];
    this.#large = { time_min_s: 0, time_max_s: 0, irregular: false };
    this.onDelivery();
  }

  largeRun(...run: Parameters<FrameSink['largeRun']>): void {
    const [buf, start, end, , time_min_s, time_max_s, , irregular] = run;
    const body = irregular
      ? normalizeEntries(buf, start, end, ARRIVAL, LIMITS)
      : Buffer.from(buf.subarray(start, end));
    this.#runs.push(body);
    const large = this.#large;
    if (time_max_s > 0) {
      const lowest = large.time_max_s === 0 ? time_min_s : Math.min(large.time_min_s, time_min_s);
      large.time_min_s = lowest;
      large.time_max_s = Math.max(large.time_max_s, time_max_s);
    }
    large.irregular ||= irregular;
    this.onDelivery();
  }

  largeEnd(large: LargeFrame, end: LargeFrameEnd): void {
    this.deliveries.push({
      ...{ mode: large.mode, codec: large.codec, attrs: end.attrs },
      ...{ count: end.count, invalid: end.invalid, ...this.#large },
      irregular: this.#large.irregular || end.invalid > 0,
      tag: large.tag.toString('latin1'),
      chunk: end.chunk?.toString('latin1'),
      body: Buffer.concat(this.#runs).toString('hex'),
    });
    this.onDelivery();
  }

  largeAbort(): void {
    this.large_aborts += 1;
  }

  heartbeat(): void {
    this.heartbeats += 1;
    this.onDelivery();
  }
}

function storedBody(buf: Buffer, frame: Frame): string {
  if (frame.irregular) return normalizeFrame(buf, frame, ARRIVAL, LIMITS).toString('hex');
  const body = buf.toString('hex', frame.body_start, frame.body_end);
  return frame.mode === 0 && frame.codec === CODEC.none ? `92${body}` : body;
}
