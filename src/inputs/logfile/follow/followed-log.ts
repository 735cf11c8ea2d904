import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { FileStat, FileSystem } from '../../../sys/fs.ts';
import type {
  LogBatch,
  LogFiles,
  LogPlace,
  LogReader,
  LogStart,
  LogTrouble,
  OpenLogOptions,
} from '../types.ts';
import { type ChainFile, readChain, sameFile } from './chain.ts';
import type { FileBytes } from './file-bytes.ts';
import { FileEntries } from './file-entries.ts';
import {
  findInChain,
  isOfTheMoment,
  type Located,
  type LocateOptions,
  locate,
  NO_PLACE,
} from './locate.ts';
import type { ReadMemory } from './read-memory.ts';
import { openSuccessor } from './successor.ts';

export interface OpenLogDeps {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly memory: ReadMemory;
}

/** The file that is read now. */
interface Current {
  /** As it was called when it was opened. */
  readonly file: ChainFile;
  readonly stat: FileStat;
  readonly bytes: FileBytes;
  readonly entries: FileEntries;
}

/** After a batch the next read may be so much larger: a log that was caught up with brings little at a time. */
const READ_GROWTH = 4;

/**
 * One log, from a place on through its rotations (formats.md 4.2, 7.2).
 *
 *     name.2.gz ──► name.1 ──► name        the file that is held open is read to its end,
 *        oldest               live         then the one behind it, whatever both are called
 *
 * What comes next is found from the file that is held open: an open file's inode number is
 * not used again. When the one behind it has appeared, the held one is read to its end once
 * more, and with kubelet's rotation for as long as its writer may still have it open.
 *
 * A look at a log that stands still is one `stat` of the live name.
 */
export class FollowedLog implements LogReader {
  readonly #clock: Clock;
  readonly #memory: ReadMemory;
  readonly #files: LogFiles;
  readonly #locating: LocateOptions;
  /** Where to go on while no file is open. */
  #from: LogStart;
  #place: LogPlace;
  #current: Current | undefined;
  /** The live file as it was when it had nothing new. */
  #resting: FileStat | undefined;
  /** What is expected of the next read. */
  #expected_bytes = Number.POSITIVE_INFINITY;
  /** When a file behind the current one was first seen. */
  #succeeded_ms: number | undefined;
  /** The current file was the live one when that was looked at last. */
  #was_live = false;
  /** Reads that failed since the last entries. */
  #failures = 0;
  #is_finishing = false;
  #is_ended = false;

  constructor(options: OpenLogOptions, deps: OpenLogDeps) {
    const { files, from, onTrouble } = options;
    this.#clock = deps.clock;
    this.#memory = deps.memory;
    this.#files = files;
    this.#locating = { fs: deps.fs, files, onTrouble };
    this.#from = from;
    this.#place = typeof from === 'object' ? from : NO_PLACE;
  }

  get place(): LogPlace {
    return this.#place;
  }

  get ended(): boolean {
    return this.#is_ended;
  }

  finish(): void {
    this.#is_finishing = true;
  }

  /** Opens the file that the place lies in, if there is one yet; `read` does it too. */
  async begin(): Promise<void> {
    const found = await locate(this.#from, this.#locating);
    if (found === undefined) {
      // Whatever comes to a log without files is new.
      if (this.#from === 'newest') this.#from = 'oldest';
      return;
    }
    this.#place = found.place;
    await this.#open(found);
  }

  standsStill(): boolean {
    const before = this.#resting;
    const entries = this.#current?.entries;
    if (before === undefined || entries === undefined || this.#is_finishing) return false;
    const live = this.#statLive();
    if (live !== undefined && sameFile(live, before)) {
      if (live.bytes === entries.end && live.changed_ms === before.changed_ms) return true;
      this.#expected_bytes = newBytes(live, entries.scan);
    }
    this.#resting = undefined;
    return false;
  }

  async read(max_bytes: number): Promise<LogBatch | undefined> {
    while (!this.#is_ended) {
      if (this.#current === undefined) await this.begin();
      const current = this.#current;
      if (current === undefined) {
        this.#is_ended = this.#is_finishing;
        return undefined;
      }
      if (this.standsStill()) return undefined;
      const got = await this.#next(current, max_bytes);
      if (typeof got === 'object') {
        this.#place = got.placeAfter(got.count - 1);
        return got;
      }
      if (!(await this.#goesOn(current, got))) return undefined;
    }
    return undefined;
  }

  rest(): void {
    this.#current?.entries.rest();
  }

  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    this.#from = this.#place;
    await current?.bytes.close();
  }

  /** A file that can not be read is looked for again, as it may be compressed at this moment; then passed over. */
  async #next(current: Current, max_bytes: number): Promise<LogBatch | FileEnd> {
    try {
      const got = await current.entries.next(Math.min(max_bytes, this.#expected_bytes));
      if (typeof got === 'string') return got;
      this.#failures = 0;
      this.#expected_bytes *= READ_GROWTH;
      return got;
    } catch (error) {
      if (isOfTheMoment(error)) throw error;
      this.#failures++;
      if (this.#failures < LIMITS.log_failures_max) {
        await this.close();
        return 'failed';
      }
      if (this.#failures === LIMITS.log_failures_max) {
        this.#tell('unreadable', current, current.entries.end, 0);
      }
      return 'end';
    }
  }

  /** False: nothing more for now. */
  async #goesOn(current: Current, why: FileEnd): Promise<boolean> {
    if (why === 'failed') return false;
    if (why === 'changed') return this.#beginAgain(current);
    const live = this.#statLive();
    if (live !== undefined && sameFile(live, current.stat)) return this.#goesOnLive(current, live);
    if (live !== undefined) this.#was_live = false;
    return this.#goesOnBehind(current);
  }

  async #goesOnLive(current: Current, live: FileStat): Promise<boolean> {
    const { entries } = current;
    this.#was_live = true;
    this.#succeeded_ms = undefined;
    if (live.bytes < entries.end && !entries.shrinkTo(live.bytes)) return this.#beginAgain(current);
    if (live.bytes > entries.end) {
      this.#expected_bytes = newBytes(live, entries.scan);
      return true;
    }
    if (this.#is_finishing) return this.#end(current);
    this.#resting = live;
    entries.rest();
    return false;
  }

  /** The current file was rotated, or deleted. */
  async #goesOnBehind(current: Current): Promise<boolean> {
    const { fs } = this.#locating;
    const { bytes, entries } = current;
    const next = await openSuccessor(fs, this.#files, bytes, entries.fingerprint);
    if (next === undefined) {
      if (this.#is_finishing) {
        // Others may have come behind one that was rotated away when it was looked at last.
        if (!this.#was_live) this.#tell('place_lost', current, entries.end, 0);
        return this.#end(current);
      }
      entries.rest();
      return false;
    }
    if (!this.#isSettled(next.file)) {
      await next.bytes.close();
      const reads_once_more = this.#succeeded_ms === undefined;
      this.#succeeded_ms ??= this.#clock.monotonic_ms();
      return reads_once_more;
    }
    entries.finish();
    if (next.gap) this.#tell('place_lost', current, entries.end, 0);
    await bytes.close();
    await this.#open({ file: next.file, bytes: next.bytes, place: NO_PLACE });
    return true;
  }

  /**
   * Whether the current file was read to its end after its writer had left it. Docker closes
   * a file before it renames it; under kubelet the writer leaves when the live file appears.
   */
  #isSettled(successor: ChainFile): boolean {
    const since_ms = this.#succeeded_ms;
    if (since_ms === undefined) return false;
    const is_left = this.#files.rotation === 'docker' || !successor.is_live || this.#is_finishing;
    return is_left || this.#clock.monotonic_ms() - since_ms >= LIMITS.log_settle_ms;
  }

  /**
   * The current file was truncated in place: what was not read of it may be in a copy
   * beside it, else it is gone. Either way the file is read from its beginning then.
   */
  async #beginAgain(current: Current): Promise<boolean> {
    const { fs, files } = this.#locating;
    const others = (await readChain(fs, files)).filter(
      (file) => !sameFile(file.stat, current.stat),
    );
    const copy = await findInChain(this.#place, others, this.#locating);
    if (copy !== undefined && copy.place === this.#place) {
      await current.bytes.close();
      await this.#open(copy);
      return true;
    }
    await copy?.bytes.close();
    this.#tell('rewound', current, 0, 0);
    this.#take({ file: current.file, bytes: current.bytes, place: NO_PLACE }, current.stat);
    return true;
  }

  async #end(current: Current): Promise<boolean> {
    current.entries.finish();
    await this.close();
    this.#is_ended = true;
    return false;
  }

  #statLive(): FileStat | undefined {
    return this.#locating.fs.statNow(`${this.#files.directory}/${this.#files.name}`);
  }

  async #open(located: Located): Promise<void> {
    this.#take(located, await located.bytes.stat());
  }

  #take({ file, bytes, place }: Located, stat: FileStat): void {
    const entries = new FileEntries(bytes, {
      memory: this.#memory,
      format: this.#files.format,
      fingerprint: place.fingerprint,
      offset: place.offset,
      compressed: file.compressed,
      onTorn: (offset, torn_bytes) => {
        this.#locating.onTrouble({ kind: 'torn', file: file.path, offset, bytes: torn_bytes });
      },
    });
    this.#current = { file, stat, bytes, entries };
    this.#was_live = file.path === `${this.#files.directory}/${this.#files.name}`;
    this.#resting = undefined;
    this.#expected_bytes = file.compressed
      ? Number.POSITIVE_INFINITY
      : newBytes(stat, place.offset);
    this.#succeeded_ms = undefined;
  }

  #tell(kind: LogTrouble['kind'], { file }: Current, offset: number, bytes: number): void {
    this.#locating.onTrouble({ kind, file: file.path, offset, bytes });
  }
}

function newBytes(stat: FileStat, offset: number): number {
  return Math.max(1, stat.bytes - offset);
}

/** `failed`: the file is closed, and looked for again by the next read. */
type FileEnd = 'end' | 'changed' | 'failed';
