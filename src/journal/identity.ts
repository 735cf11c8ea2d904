import { hostname } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { LogboomError } from '../errors.ts';
import { lockExclusively } from '../sys/flock.ts';
import { type File, type FileSystem, readFully, withFile, writeFully } from '../sys/fs.ts';

const LOCK_NAME = 'LOCK';
/** One sector, written as a whole: the note is the old one or the new one. */
const NOTE_BYTES = 512;
const MACHINE_ID_PATH = '/etc/machine-id';

/** What the LOCK file says, as JSON padded with spaces: for people too. */
export interface LockNote {
  readonly pid: number;
  /** Host name and machine id. */
  readonly machine: string;
  /** Of the LOCK file itself: a copied directory has another. */
  readonly device: number;
  readonly inode: number;
  readonly journal_id: string;
  readonly epoch: number;
  /** First seq of the segment that was created last. */
  readonly newest_segment: number;
  /** See `JournalOptions.sync`. */
  readonly sync: 'disk' | 'os';
  /** Its owner closed it. */
  readonly closed: boolean;
}

type Here = Pick<LockNote, 'machine' | 'device' | 'inode'>;

/**
 * Owns a journal directory: one process at a time, by a kernel lock on its LOCK
 * file, which is freed when the process ends, however it ends.
 */
export class DirectoryLock {
  readonly #file: File;
  /** What the last owner wrote; undefined if nothing can be read of it. */
  readonly found: LockNote | undefined;
  readonly here: Here;

  private constructor(file: File, found: LockNote | undefined, here: Here) {
    this.#file = file;
    this.found = found;
    this.here = here;
  }

  /** Rejects with LB_JOURNAL_LOCKED if another process has the lock, or none can be had here. */
  static async acquire(fs: FileSystem, directory: string): Promise<DirectoryLock> {
    const path = join(directory, LOCK_NAME);
    const file = await fs.open(path, 'edit_or_create');
    try {
      const found = await readNote(file);
      assertLocked(lockExclusively(file.fd), path, found);
      const { device, inode } = await file.stat();
      if ((await fs.stat(path)).inode !== inode) assertLocked('taken', path, undefined);
      return new DirectoryLock(file, found, { device, inode, machine: await thisMachine(fs) });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async write(note: Omit<LockNote, 'pid' | keyof Here>): Promise<void> {
    const whole: LockNote = { pid, ...this.here, ...note };
    const text = JSON.stringify(whole).padEnd(NOTE_BYTES - 1);
    await writeFully(this.#file, [Buffer.from(`${text}\n`)], 0);
  }

  async release(): Promise<void> {
    await this.#file.close();
  }
}

/**
 * Which journal this is. The **epoch** rises whenever seqs might come to name
 * other records than before: the directory was copied or moved to another
 * machine, or records that once were durable are gone. Whatever is derived from
 * (journal id, epoch, seq) therefore never names two things.
 */
export class Identity {
  readonly journal_id: Buffer;
  readonly epoch: number;
  readonly #lock: DirectoryLock;
  readonly #sync: LockNote['sync'];
  #newest_segment = 0;

  constructor(lock: DirectoryLock, journal_id: Buffer, epoch: number, sync: LockNote['sync']) {
    this.#lock = lock;
    this.journal_id = journal_id;
    this.epoch = epoch;
    this.#sync = sync;
  }

  /** Notes the newest segment, so that its loss is noticed. */
  async noteSegment(first_seq: number): Promise<void> {
    this.#newest_segment = first_seq;
    await this.#note(false);
  }

  /** Notes that everything is written, and gives the directory up. */
  async release(): Promise<void> {
    await this.#note(true);
    await this.#lock.release();
  }

  /** A hint: it is not made durable on its own, and without it the next start begins a new epoch, which is harmless. */
  async #note(closed: boolean): Promise<void> {
    const note = {
      journal_id: this.journal_id.toString('hex'),
      epoch: this.epoch,
      newest_segment: this.#newest_segment,
      sync: this.#sync,
      closed,
    };
    await this.#lock.write(note).catch(() => {});
  }
}

/** What the LOCK file in a directory says, read without locking; undefined if there is none. */
export async function readLockNote(
  fs: FileSystem,
  directory: string,
): Promise<LockNote | undefined> {
  try {
    return await withFile(fs, join(directory, LOCK_NAME), readNote);
  } catch {
    return undefined;
  }
}

async function readNote(file: File): Promise<LockNote | undefined> {
  const content = Buffer.alloc(NOTE_BYTES);
  const got_bytes = await readFully(file, content, 0);
  try {
    return asNote(JSON.parse(content.toString('utf8', 0, got_bytes)));
  } catch {
    return undefined; // never written, or torn
  }
}

function asNote(value: unknown): LockNote | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const note = value as Partial<Record<keyof LockNote, unknown>>;
  const is_note =
    typeof note.pid === 'number' &&
    typeof note.machine === 'string' &&
    typeof note.device === 'number' &&
    typeof note.inode === 'number' &&
    typeof note.journal_id === 'string' &&
    /^[0-9a-f]{32}$/.test(note.journal_id) &&
    typeof note.epoch === 'number' &&
    typeof note.newest_segment === 'number' &&
    (note.sync === 'disk' || note.sync === 'os') &&
    typeof note.closed === 'boolean';
  return is_note ? (note as LockNote) : undefined;
}

function assertLocked(
  result: ReturnType<typeof lockExclusively>,
  path: string,
  found: LockNote | undefined,
): void {
  if (result === 'locked') return;
  if (result === 'taken') {
    const owner =
      found === undefined ? 'another process' : `process ${found.pid} (${found.machine})`;
    throw new LogboomError(
      'LB_JOURNAL_LOCKED',
      `the journal belongs to ${owner}, which is running`,
      {
        where: path,
        hint: 'Stop that process first. A new relay can also take over from it (run --takeover), or use another directory.',
      },
    );
  }
  throw new LogboomError('LB_JOURNAL_LOCKED', 'the journal cannot be locked: flock(1) is missing', {
    where: path,
    hint: 'Install flock (util-linux or busybox), perl or python3, so that two processes cannot write one journal.',
  });
}

async function thisMachine(fs: FileSystem): Promise<string> {
  return `${hostname()}/${await readMachineId(fs)}`;
}

async function readMachineId(fs: FileSystem): Promise<string> {
  try {
    return await withFile(fs, MACHINE_ID_PATH, async (file) => {
      const content = Buffer.alloc(64);
      const got_bytes = await readFully(file, content, 0);
      return content.toString('latin1', 0, got_bytes).trim();
    });
  } catch {
    return 'unknown'; // as in most containers
  }
}
