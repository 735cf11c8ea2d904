import { dirname } from 'node:path';
import { LogboomError, systemCode } from '../errors.ts';
import {
  type File,
  type FileSystem,
  isDiskFull,
  readFully,
  withFile,
  writeFully,
} from '../sys/fs.ts';
import {
  CURSOR_SLOT_HEADER_BYTES,
  type CursorSlot,
  decodeCursorSlot,
  encodeCursorSlot,
} from './cursor-slot.ts';
import { isUnreadable } from './salvaged-file.ts';

/** Takes a window of 256 KiB less the header: more than a window of 4 MiB of small records needs. */
const SLOT_BYTES = 256 * 1024;
/** Where the disk has no room for that. It grows when it must. */
const SLOT_MIN_BYTES = 4096;
const EXTENSION = '.cursor';
const UNFINISHED_SUFFIX = '.cursor.new';

/** A file name for any cursor name; the same for no two. */
export function cursorFileName(name: string): string {
  return `${encodeURIComponent(name)}${EXTENSION}`;
}

/** Undefined if the file is not a cursor's. */
export function nameOfCursorFile(file_name: string): string | undefined {
  if (!file_name.endsWith(EXTENSION)) return undefined;
  try {
    return decodeURIComponent(file_name.slice(0, -EXTENSION.length));
  } catch {
    return undefined; // a stray % that no cursor name makes
  }
}

/**
 * The file behind one cursor: two slots that are overwritten in turn.
 *
 * Invariants:
 * - the slot that counts is never written to, so a torn write loses nothing;
 * - the file is written out in full when it is created: saving overwrites bytes
 *   that the file has already, and so works on a full disk (on file systems that
 *   overwrite in place). A window that is too large makes the file grow once,
 *   which needs room;
 * - only the file that has the name is written to.
 */
export class CursorFile {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #syncs: boolean;
  /** Undefined: there was no room for it yet. */
  #file: File | undefined;
  #slot_bytes: number;
  /** The slot that counts, 0 or 1. */
  #current: number;
  #generation: number;
  /** Nothing can be saved in the file: there is none, none with this name, or no slot of it is whole. */
  #must_renew: boolean;

  private constructor(
    fs: FileSystem,
    path: string,
    syncs: boolean,
    file: File | undefined,
    slot_bytes: number,
    current: number,
    generation: number,
  ) {
    this.#fs = fs;
    this.path = path;
    this.#syncs = syncs;
    this.#file = file;
    this.#slot_bytes = slot_bytes;
    this.#current = current;
    this.#generation = generation;
    this.#must_renew = generation === 0;
  }

  /**
   * Creates the file with `slot` in it; durable, its name too, when it resolves, but on a
   * full disk: there the first save that finds room creates it.
   */
  static async create(
    fs: FileSystem,
    path: string,
    syncs: boolean,
    slot: Omit<CursorSlot, 'generation'>,
  ): Promise<CursorFile> {
    const created = new CursorFile(fs, path, syncs, undefined, SLOT_BYTES, 0, 0);
    try {
      await created.#renew({ ...slot, generation: 1 });
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    return created;
  }

  /** Opens a cursor file. `slot` is undefined if neither slot is whole. */
  static async open(
    fs: FileSystem,
    path: string,
    syncs: boolean,
  ): Promise<{ file: CursorFile; slot: CursorSlot | undefined }> {
    const file = await fs.open(path, 'edit');
    const slots = await readSlots(file);
    const current = newest(slots.found);
    const slot = slots.found[current];
    const generation = slot?.generation ?? 0;
    const opened = new CursorFile(fs, path, syncs, file, slots.slot_bytes, current, generation);
    return { file: opened, slot };
  }

  /** False: there was no room to create the file. */
  get exists(): boolean {
    return this.#file !== undefined;
  }

  /**
   * Durable when it resolves. After a rejection either counts, this slot or the one before,
   * until the next save.
   */
  async save(slot: Omit<CursorSlot, 'generation'>): Promise<void> {
    const generation = this.#generation + 1;
    const bytes = encodeCursorSlot({ ...slot, generation });
    try {
      const file = this.#file;
      if (file === undefined || this.#must_renew || bytes.length > this.#slot_bytes) {
        await this.#renew({ ...slot, generation });
        return;
      }
      const target = 1 - this.#current;
      await writeFully(file, [bytes], target * this.#slot_bytes);
      if (this.#syncs) await file.datasync();
      this.#current = target;
      this.#generation = generation;
    } catch (error) {
      throw new LogboomError(
        'LB_JOURNAL_IO',
        `a cursor of ${bytes.length} B cannot be saved: ${systemCode(error) ?? String(error)}`,
        { where: this.path, cause: error, hint: 'Check the disk.' },
      );
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** Puts another file in place; a smaller one if there is no room for one as it should be. */
  async #renew(slot: CursorSlot): Promise<void> {
    const bytes = CURSOR_SLOT_HEADER_BYTES + slot.window.length;
    const slot_bytes = sizeFor(bytes, this.#slot_bytes);
    const small_bytes = sizeFor(bytes, SLOT_MIN_BYTES);
    try {
      await this.#replace(slot, slot_bytes);
    } catch (error) {
      if (!isDiskFull(error) || small_bytes === slot_bytes) throw error;
      await this.#replace(slot, small_bytes);
    }
  }

  async #replace(slot: CursorSlot, slot_bytes: number): Promise<void> {
    let file: File;
    try {
      file = await writeNew(this.#fs, this.path, slot_bytes, slot);
    } catch (error) {
      this.#must_renew ||= !(await this.#hasName());
      throw error;
    }
    const old = this.#file;
    this.#file = file;
    this.#slot_bytes = slot_bytes;
    this.#current = 0;
    this.#generation = slot.generation;
    this.#must_renew = false;
    // It has no name any more: what becomes of it does not matter.
    await old?.close().catch(() => {});
  }

  /** False when replacing it failed behind the rename. */
  async #hasName(): Promise<boolean> {
    try {
      return (await this.#fs.stat(this.path)).inode === (await this.#file?.stat())?.inode;
    } catch {
      return false;
    }
  }
}

function sizeFor(bytes: number, slot_min_bytes: number): number {
  let slot_bytes = slot_min_bytes;
  while (slot_bytes < bytes) slot_bytes *= 2;
  return slot_bytes;
}

/** What a cursor file says, read without touching it; undefined if neither slot is whole. */
export async function readCursor(fs: FileSystem, path: string): Promise<CursorSlot | undefined> {
  const { found } = await withFile(fs, path, readSlots);
  return found[newest(found)];
}

type Slots = readonly [CursorSlot | undefined, CursorSlot | undefined];

async function readSlots(file: File): Promise<{ slot_bytes: number; found: Slots }> {
  const { bytes } = await file.stat();
  // A file whose creation was interrupted has no cursor's name, so its size is right or it is damaged.
  const slot_bytes = Math.max(Math.floor(bytes / 2), CURSOR_SLOT_HEADER_BYTES);
  const found: Slots = [
    await readSlot(file, 0, slot_bytes),
    await readSlot(file, slot_bytes, slot_bytes),
  ];
  return { slot_bytes, found };
}

/** One that the disk cannot read is as good as torn. */
async function readSlot(file: File, at: number, bytes: number): Promise<CursorSlot | undefined> {
  const content = Buffer.alloc(bytes);
  try {
    await readFully(file, content, at);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
  return decodeCursorSlot(content);
}

const newest = ([a, b]: Slots): 0 | 1 => ((b?.generation ?? 0) > (a?.generation ?? 0) ? 1 : 0);

/** Writes a whole file aside and puts it in place, durably. */
async function writeNew(
  fs: FileSystem,
  path: string,
  slot_bytes: number,
  slot: CursorSlot,
): Promise<File> {
  const directory = dirname(path);
  await fs.mkdir(directory);
  const unfinished = path.replace(/\.cursor$/, UNFINISHED_SUFFIX);
  const content = Buffer.alloc(slot_bytes * 2);
  encodeCursorSlot(slot).copy(content);
  const file = await fs.open(unfinished, 'create');
  try {
    await writeFully(file, [content], 0);
    await file.datasync();
    await fs.rename(unfinished, path);
    await fs.syncDirectory(directory);
    return file;
  } catch (error) {
    await file.close().catch(() => {});
    await fs.remove(unfinished).catch(() => {});
    throw error;
  }
}
