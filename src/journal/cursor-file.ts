import { dirname } from 'node:path';
import { LogboomError, systemCode } from '../errors.ts';
import { type File, type FileSystem, readFully, withFile, writeFully } from '../sys/fs.ts';
import {
  CURSOR_SLOT_HEADER_BYTES,
  type CursorSlot,
  decodeCursorSlot,
  encodeCursorSlot,
} from './cursor-slot.ts';

/** Takes a window of 256 KiB less the header: more than a window of 4 MiB of small records needs. */
const SLOT_BYTES = 256 * 1024;
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
 *   which needs room.
 */
export class CursorFile {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #syncs: boolean;
  #file: File;
  #slot_bytes: number;
  /** The slot that counts, 0 or 1. */
  #current: number;
  #generation: number;

  private constructor(
    fs: FileSystem,
    path: string,
    syncs: boolean,
    file: File,
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
  }

  /** Creates the file with `slot` in it; durable, its name too, when it resolves. */
  static async create(
    fs: FileSystem,
    path: string,
    syncs: boolean,
    slot: Omit<CursorSlot, 'generation'>,
  ): Promise<CursorFile> {
    const file = await writeNew(fs, path, SLOT_BYTES, { ...slot, generation: 1 });
    return new CursorFile(fs, path, syncs, file, SLOT_BYTES, 0, 1);
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

  /** Durable when it resolves. After a rejection the slot that counted before still does. */
  async save(slot: Omit<CursorSlot, 'generation'>): Promise<void> {
    const generation = this.#generation + 1;
    const bytes = encodeCursorSlot({ ...slot, generation });
    try {
      if (bytes.length > this.#slot_bytes) {
        await this.#grow({ ...slot, generation }, bytes.length);
        return;
      }
      const target = 1 - this.#current;
      await writeFully(this.#file, [bytes], target * this.#slot_bytes);
      if (this.#syncs) await this.#file.datasync();
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

  close(): Promise<void> {
    return this.#file.close();
  }

  async #grow(slot: CursorSlot, bytes: number): Promise<void> {
    let slot_bytes = this.#slot_bytes;
    while (slot_bytes < bytes) slot_bytes *= 2;
    const file = await writeNew(this.#fs, this.path, slot_bytes, slot);
    await this.#file.close();
    this.#file = file;
    this.#slot_bytes = slot_bytes;
    this.#current = 0;
    this.#generation = slot.generation;
  }
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
  const content = Buffer.alloc(slot_bytes * 2);
  await readFully(file, content, 0);
  const found: Slots = [
    decodeCursorSlot(content.subarray(0, slot_bytes)),
    decodeCursorSlot(content.subarray(slot_bytes)),
  ];
  return { slot_bytes, found };
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
