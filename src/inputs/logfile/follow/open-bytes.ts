import type { FileSystem } from '../../../sys/fs.ts';
import type { ChainFile } from './chain.ts';
import type { FileBytes } from './file-bytes.ts';
import { InflatedFile } from './inflated-file.ts';

/** Opens a file for its uncompressed bytes. */
export async function openBytes(fs: FileSystem, file: ChainFile): Promise<FileBytes> {
  const opened = await fs.open(file.path, 'read');
  return file.compressed ? new InflatedFile(opened) : opened;
}
