import type { File } from '../../../sys/fs.ts';

/** The uncompressed bytes of an open file. */
export interface FileBytes extends Pick<File, 'stat' | 'close'> {
  /** Reads at `position` as far as the file goes; may read less. Returns the bytes read, 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>;
}

/** Fills `buffer` from `position` on; what is returned ends sooner only where the file does. */
export async function readStretch(
  bytes: FileBytes,
  buffer: Buffer,
  position: number,
): Promise<Buffer> {
  let filled_bytes = 0;
  while (filled_bytes < buffer.length) {
    const got = await bytes.read(buffer.subarray(filled_bytes), position + filled_bytes);
    if (got === 0) break;
    filled_bytes += got;
  }
  return buffer.subarray(0, filled_bytes);
}
