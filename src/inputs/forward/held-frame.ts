import type { Frame } from '../../protocol/frame.ts';

/** A copy of one message, for when it has to wait: the reader's memory is used again. */
export class HeldFrame {
  readonly buf: Buffer;
  readonly frame: Frame;

  constructor(buf: Buffer, frame: Frame) {
    const end = Math.max(frame.body_end, frame.chunk_end, frame.metadata_end);
    // The byte before the body may be overwritten: with an empty tag that is the tag's header.
    const start = frame.tag_start - 1;
    const moved = (offset: number): number => (offset < 0 ? offset : offset - start);
    this.buf = Buffer.from(buf.subarray(start, end));
    this.frame = {
      ...frame,
      tag_start: 1,
      tag_end: moved(frame.tag_end),
      body_start: moved(frame.body_start),
      body_end: moved(frame.body_end),
      chunk_start: moved(frame.chunk_start),
      chunk_end: moved(frame.chunk_end),
      metadata_start: moved(frame.metadata_start),
      metadata_end: moved(frame.metadata_end),
    };
  }
}
