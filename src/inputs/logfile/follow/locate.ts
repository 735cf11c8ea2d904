import { systemCode } from '../../../errors.ts';
import type { FileSystem } from '../../../sys/fs.ts';
import type { LogFiles, LogPlace, LogStart, LogTrouble } from '../types.ts';
import { type Chain, type ChainFile, readChain, sameChain } from './chain.ts';
import type { FileBytes } from './file-bytes.ts';
import { findPlace, lastPlace } from './find-place.ts';
import { readFingerprint } from './fingerprint.ts';
import { openBytes } from './open-bytes.ts';

/** An open file of the log, and where to go on in it. */
export interface Located {
  readonly file: ChainFile;
  readonly bytes: FileBytes;
  readonly place: LogPlace;
}

export interface LocateOptions {
  readonly fs: FileSystem;
  readonly files: LogFiles;
  readonly onTrouble: (trouble: LogTrouble) => void;
}

/** Of a log that never had an entry. */
export const NO_PLACE: LogPlace = { fingerprint: 0, offset: 0, check: 0 };

const MOMENTARY: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN']);

/** Searches of a directory whose files are being renamed, before the last is taken as it is. */
const SEARCHES_MAX = 8;

/**
 * Opens the file that `from` lies in. A place that is in none of the files becomes the
 * beginning of the oldest, told as `place_lost`. Undefined: the log has no files now, or
 * they are being renamed all the time; try again.
 */
export async function locate(from: LogStart, options: LocateOptions): Promise<Located | undefined> {
  for (let search = 1; search <= SEARCHES_MAX; search++) {
    const chain = await readChain(options.fs, options.files);
    if (chain.length === 0) return undefined;
    try {
      const located = await locateOnce(from, chain, options);
      if (located !== undefined) return located;
    } catch (error) {
      // Renamed or compressed since.
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

/**
 * Searches the files for the place, the youngest first: renaming moves a file towards
 * where is still searched. Several files may begin alike (a copy): the one that holds
 * the place counts, else the youngest. Undefined: none begins as the place says.
 */
export async function findInChain(
  place: LogPlace,
  chain: Chain,
  options: LocateOptions,
): Promise<Located | undefined> {
  if (place.fingerprint === 0) return undefined;
  let moved: Located | undefined;
  for (const file of chain.toReversed()) {
    const found = await findInFile(place, file, options);
    if (found === undefined) continue;
    if (found.place === place) {
      await moved?.bytes.close();
      return found;
    }
    if (moved === undefined) moved = found;
    else await found.bytes.close();
  }
  return moved;
}

/** Undefined: the files were renamed meanwhile. */
async function locateOnce(
  from: LogStart,
  chain: Chain,
  options: LocateOptions,
): Promise<Located | undefined> {
  const { fs, files, onTrouble } = options;
  const place = typeof from === 'object' && from.fingerprint !== 0 ? from : undefined;
  if (place !== undefined) {
    const found = await findInChain(place, chain, options);
    if (found !== undefined) {
      if (found.place !== place) onTrouble(rewound(place, found));
      return found;
    }
  }
  const first = from === 'newest' ? await openNewest(chain, options) : await openOldest(chain, fs);
  if (!sameChain(chain, await readChain(fs, files))) {
    await first.bytes.close();
    return undefined;
  }
  if (place !== undefined) {
    onTrouble({ kind: 'place_lost', file: first.file.path, offset: 0, bytes: 0 });
  }
  return first;
}

function rewound(place: LogPlace, found: Located): LogTrouble {
  const { offset } = found.place;
  const bytes = Math.max(0, place.offset - offset);
  return { kind: 'rewound', file: found.file.path, offset, bytes };
}

async function findInFile(
  place: LogPlace,
  file: ChainFile,
  { fs, files }: LocateOptions,
): Promise<Located | undefined> {
  const bytes = await openBytes(fs, file);
  try {
    if ((await readFingerprint(files.format, bytes)) === place.fingerprint) {
      return { file, bytes, place: await findPlace(bytes, files.format, place) };
    }
  } catch (error) {
    if (isOfTheMoment(error)) {
      await bytes.close();
      throw error;
    }
    // A file that can not be read is not the one, as far as anybody can tell.
  }
  await bytes.close();
  return undefined;
}

async function openNewest(chain: Chain, { fs, files }: LocateOptions): Promise<Located> {
  for (const file of chain.toReversed()) {
    const bytes = await openBytes(fs, file);
    const place = await lastPlace(bytes, files.format, file.compressed ? 0 : file.stat.bytes);
    if (place !== undefined) return { file, bytes, place };
    await bytes.close();
  }
  return openOldest(chain.slice(-1), fs);
}

async function openOldest(chain: Chain, fs: FileSystem): Promise<Located> {
  const [file] = chain;
  if (file === undefined) throw new RangeError('a chain without files');
  return { file, bytes: await openBytes(fs, file), place: NO_PLACE };
}

/** Errors that say nothing about the file: the machine lacks something for now. */
export function isOfTheMoment(error: unknown): boolean {
  return MOMENTARY.has(systemCode(error) ?? '');
}
