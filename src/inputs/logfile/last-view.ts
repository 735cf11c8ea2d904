const NOTHING = Buffer.alloc(0);

/**
 * A view of the buffer that was asked for last. Its words of four bytes make short texts cheap
 * to compare and to copy: a call into the machine's own `copy` costs as much as 100 bytes of a
 * loop over bytes, and leaves garbage. Making a view costs more than a line does, so it is
 * made for a stretch of lines.
 */
export class LastView {
  #buf: Buffer = NOTHING;
  #view = viewOf(NOTHING);

  of(buf: Buffer): DataView {
    if (buf !== this.#buf) {
      this.#buf = buf;
      this.#view = viewOf(buf);
    }
    return this.#view;
  }

  /** Lets go of the buffer's memory. */
  release(): void {
    this.of(NOTHING);
  }
}

function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.length);
}
