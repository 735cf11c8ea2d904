import { join } from 'node:path';
import { type FileSystem, isDiskFull } from '../sys/fs.ts';
import { type CursorContext, DurableCursor } from './cursor.ts';
import { CursorFile, cursorFileName, nameOfCursorFile } from './cursor-file.ts';
import type { CursorSlot } from './cursor-slot.ts';
import type { Place } from './format.ts';

/** A cursor file as it was found at open. */
export interface FoundCursor {
  readonly name: string;
  readonly file: CursorFile;
  /** Undefined if neither slot is whole. */
  readonly slot: CursorSlot | undefined;
}

/** Opens every cursor file in the directory, and removes what an interrupted creation left. */
export async function openCursorFiles(
  fs: FileSystem,
  directory: string,
  syncs: boolean,
): Promise<FoundCursor[]> {
  if (!(await isMade(fs, directory))) return [];
  const found: FoundCursor[] = [];
  for (const file_name of (await fs.readdir(directory)).toSorted()) {
    const path = join(directory, file_name);
    const name = nameOfCursorFile(file_name);
    if (name === undefined) {
      if (file_name.endsWith('.cursor.new')) await fs.remove(path);
      continue;
    }
    found.push({ name, ...(await CursorFile.open(fs, path, syncs)) });
  }
  return found;
}

/** False: the disk is full, and cursors make it when there is room. */
async function isMade(fs: FileSystem, directory: string): Promise<boolean> {
  try {
    await fs.mkdir(directory);
    return true;
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
}

/** All cursors of a journal, whether an output has asked for them or not: each holds back deletion. */
export class CursorSet {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #syncs: boolean;
  readonly #context: CursorContext;
  readonly #cursors = new Map<string, DurableCursor>();

  constructor(fs: FileSystem, directory: string, syncs: boolean, context: CursorContext) {
    this.#fs = fs;
    this.#directory = directory;
    this.#syncs = syncs;
    this.#context = context;
  }

  get count(): number {
    return this.#cursors.size;
  }

  /** Every record before this seq is done with by all outputs. */
  get min_seq(): number {
    let min = Number.POSITIVE_INFINITY;
    for (const cursor of this.#cursors.values()) min = Math.min(min, cursor.seq);
    return min;
  }

  all(): DurableCursor[] {
    return [...this.#cursors.values()];
  }

  get(name: string): DurableCursor | undefined {
    return this.#cursors.get(name);
  }

  /** Takes in a cursor that was found at open. */
  adopt(found: FoundCursor, at: Place, window: Buffer): void {
    const cursor = new DurableCursor(found.name, found.file, at, window, this.#context);
    this.#cursors.set(found.name, cursor);
  }

  async create(name: string, at: Place): Promise<DurableCursor> {
    if (name === '') throw new RangeError('a cursor has a name');
    const path = join(this.#directory, cursorFileName(name));
    const window = Buffer.alloc(0);
    const slot = { at, journal_id: this.#context.journal_id, window };
    const file = await CursorFile.create(this.#fs, path, this.#syncs, slot);
    if (!file.exists) {
      const message =
        'the disk is full: the place of this output is written down when there is room';
      this.#context.log.warn({ output: name }, message);
    }
    const cursor = new DurableCursor(name, file, at, window, this.#context);
    this.#cursors.set(name, cursor);
    return cursor;
  }

  /** Forgets a cursor for good; what only it held back can be deleted. */
  async drop(name: string): Promise<void> {
    const cursor = this.#cursors.get(name);
    if (cursor === undefined) return;
    this.#cursors.delete(name);
    await cursor.close();
    await this.#fs.remove(join(this.#directory, cursorFileName(name)));
    await this.#fs.syncDirectory(this.#directory);
  }

  /** Closes all, also behind one that fails. */
  async close(): Promise<void> {
    const ends = await Promise.allSettled(this.all().map((cursor) => cursor.close()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}
