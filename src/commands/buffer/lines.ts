import type { Writable } from 'node:stream';
import { systemCode } from '../../errors.ts';

/** The reader of a pipe has all that it wants: no failure. */
export class ReaderGone extends Error {}

/** What is gathered before it is written, so that small records do not cost a write each. */
const GATHERED_MAX_BYTES = 64 * 1024;

/**
 * Writes text to a stream as fast as the stream takes it, and not faster. Call `flush`
 * at the end.
 *
 * @throws ReaderGone when nobody reads it any more (`| head`)
 */
export class TextWriter {
  readonly #stream: Writable;
  #gathered: Buffer[] = [];
  #bytes = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  async write(text: Buffer): Promise<void> {
    this.#gathered.push(text);
    this.#bytes += text.length;
    if (this.#bytes >= GATHERED_MAX_BYTES) await this.flush();
  }

  /** Resolves when all that was written has been taken. */
  async flush(): Promise<void> {
    if (this.#bytes === 0) return;
    const text = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#bytes = 0;
    await new Promise<void>((resolve, reject) => {
      if (this.#stream.destroyed) reject(new ReaderGone());
      else this.#stream.write(text, (error) => (error ? reject(reasonOf(error)) : resolve()));
    });
  }
}

function reasonOf(error: Error): Error {
  return systemCode(error) === 'EPIPE' ? new ReaderGone() : error;
}
