import type { FileSystem } from '../../../sys/fs.ts';
import type { LogFiles } from '../types.ts';
import { type Chain, type FoundFile, ifThere, readChain, sameFile } from './chain.ts';
import type { FileBytes } from './file-bytes.ts';
import { readFingerprint } from './fingerprint.ts';
import { openBytes } from './open-bytes.ts';

/** The file that follows one that was read, open. */
export interface Successor {
  readonly file: FoundFile;
  readonly bytes: FileBytes;
  /** Files between the two may have come and gone unseen. */
  readonly gap: boolean;
}

/** Docker deletes a file and creates the next within moments. */
const DELETED_TO_BORN_MAX_MS = 100;

/**
 * The file right behind the one that is held open, which need not be in the directory any
 * more. Undefined: there is none yet. `fingerprint` finds it when it was compressed meanwhile.
 */
export async function openSuccessor(
  fs: FileSystem,
  files: LogFiles,
  held: FileBytes,
  fingerprint: number,
): Promise<Successor | undefined> {
  const chain = await readChain(fs, files);
  const index = await indexIn(chain, fs, files, held, fingerprint);
  // Rotation takes the oldest: if the held file was deleted, all that are left are younger.
  const file = chain[index + 1];
  if (file === undefined) return undefined;
  const bytes = await ifThere(openBytes(fs, file));
  if (bytes === undefined) return undefined;
  if (!sameFile(await bytes.stat(), file.stat)) {
    await bytes.close();
    return undefined;
  }
  return { file, bytes, gap: index === -1 && (await mayBeGap(held, chain)) };
}

async function indexIn(
  chain: Chain,
  fs: FileSystem,
  files: LogFiles,
  held: FileBytes,
  fingerprint: number,
): Promise<number> {
  const stat = await held.stat();
  const index = chain.findIndex((file) => sameFile(file.stat, stat));
  if (index !== -1 || fingerprint === 0) return index;
  for (const [at, file] of chain.entries()) {
    if (!file.compressed) continue;
    if ((await fingerprintOfFile(fs, files, file)) === fingerprint) return at;
  }
  return -1;
}

async function fingerprintOfFile(
  fs: FileSystem,
  files: LogFiles,
  file: FoundFile,
): Promise<number> {
  const bytes = await ifThere(openBytes(fs, file));
  try {
    return bytes === undefined ? 0 : await readFingerprint(files.format, bytes);
  } catch {
    // Cut short, so not the one that was compressed whole.
    return 0;
  } finally {
    await bytes?.close();
  }
}

/**
 * Whether other files may have stood between the held one, which was deleted, and the
 * oldest that is left. With one file only, Docker deletes and creates in one go, so a
 * file that was born much later had a predecessor; with more, the held one became the
 * oldest and went without having been looked at in between.
 */
async function mayBeGap(held: FileBytes, chain: Chain): Promise<boolean> {
  const [oldest] = chain;
  if (oldest === undefined || !oldest.is_live) return true;
  const { born_ms, changed_ms } = oldest.stat;
  const is_known = born_ms !== 0 && born_ms !== changed_ms;
  return is_known && born_ms - (await held.stat()).changed_ms > DELETED_TO_BORN_MAX_MS;
}
