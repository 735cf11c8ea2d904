import { pipeline, Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import type { File, FileStat } from '../../../sys/fs.ts';
import type { FileBytes } from './file-bytes.ts';

const READ_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * A gzip file, read as what it inflates to, in bounded memory. Going forward is cheap;
 * going back begins anew. A file that breaks off before its trailer, or whose checksum
 * differs, rejects behind the last bytes that inflate.
 */
export class InflatedFile implements FileBytes {
  readonly #file: File;
  #inflating: Gunzip | undefined;
  #pieces: AsyncIterator<Buffer> | undefined;
  #piece: Buffer = NOTHING;
  /** Where `#piece` begins. */
  #position = 0;

  constructor(file: File) {
    this.#file = file;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    if (position < this.#position) this.#stop();
    const pieces = this.#pieces ?? this.#begin();
    while (position >= this.#position + this.#piece.length) {
      const next = await pieces.next();
      if (next.done === true) return 0;
      this.#position += this.#piece.length;
      this.#piece = next.value;
    }
    return this.#piece.copy(buffer, 0, position - this.#position);
  }

  stat(): Promise<FileStat> {
    return this.#file.stat();
  }

  close(): Promise<void> {
    this.#stop();
    return this.#file.close();
  }

  #begin(): AsyncIterator<Buffer> {
    const inflating = createGunzip({ chunkSize: READ_BYTES });
    // An error reaches whoever iterates; here it needs no second handling.
    pipeline(Readable.from(contentOf(this.#file), { objectMode: false }), inflating, () => {});
    this.#inflating = inflating;
    this.#pieces = inflating[Symbol.asyncIterator]();
    this.#piece = NOTHING;
    this.#position = 0;
    return this.#pieces;
  }

  #stop(): void {
    this.#inflating?.destroy();
    this.#inflating = undefined;
    this.#pieces = undefined;
    this.#piece = NOTHING;
    this.#position = 0;
  }
}

async function* contentOf(file: File): AsyncGenerator<Buffer> {
  let position = 0;
  for (;;) {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const got = await file.read(buffer, position);
    if (got === 0) return;
    position += got;
    yield buffer.subarray(0, got);
  }
}
