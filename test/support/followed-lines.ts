import { openLog } from '../../src/inputs/logfile/follow/open-log.ts';
import { ReadMemory } from '../../src/inputs/logfile/follow/read-memory.ts';
import type {
  LogFiles,
  LogPlace,
  LogReader,
  LogStart,
  LogTrouble,
} from '../../src/inputs/logfile/types.ts';
import { type FileSystem, nodeFs } from '../../src/sys/fs.ts';
import { ManualClock } from './manual-clock.ts';
import { textFormat } from './text-format.ts';

export interface FollowedLinesOptions {
  readonly fs?: FileSystem;
  readonly rotation?: LogFiles['rotation'];
  readonly name?: string;
  readonly max_bytes?: number;
}

/** Follows a log of text lines in a folder, and keeps what it brought. */
export class FollowedLines {
  readonly clock = new ManualClock();
  readonly memory = new ReadMemory();
  readonly troubles: LogTrouble[] = [];
  /** All lines of all readers so far. */
  readonly lines: string[] = [];
  readonly files: LogFiles;
  readonly #fs: FileSystem;
  readonly #max_bytes: number;
  #reader: LogReader | undefined;

  constructor(directory: string, options: FollowedLinesOptions = {}) {
    const { fs = nodeFs, rotation = 'docker', name = 'log', max_bytes = 65_536 } = options;
    this.files = { directory, name, rotation, format: textFormat };
    this.#fs = fs;
    this.#max_bytes = max_bytes;
  }

  get reader(): LogReader {
    if (this.#reader === undefined) throw new Error('no reader is open');
    return this.#reader;
  }

  get kinds(): string[] {
    return this.troubles.map(({ kind }) => kind);
  }

  async open(from: LogStart = 'oldest'): Promise<this> {
    this.#reader = await openLog(
      { files: this.files, from, onTrouble: (trouble) => this.troubles.push(trouble) },
      { fs: this.#fs, clock: this.clock, memory: this.memory },
    );
    return this;
  }

  /** As after a crash: another reader goes on from the last place. */
  async reopen(from?: LogPlace): Promise<void> {
    const { place } = this.reader;
    await this.close();
    await this.open(from ?? place);
  }

  /** Reads until there is nothing new; returns the new lines. */
  async read(): Promise<string[]> {
    const new_lines: string[] = [];
    for (let lines = await this.readOnce(); lines !== undefined; lines = await this.readOnce()) {
      new_lines.push(...lines);
    }
    return new_lines;
  }

  /** One batch's lines. */
  async readOnce(): Promise<string[] | undefined> {
    const batch = await this.reader.read(this.#max_bytes);
    if (batch === undefined) return undefined;
    const lines: string[] = [];
    for (let index = 0; index < batch.count; index++) {
      lines.push(batch.buf.toString('utf8', batch.start(index), batch.end(index) - 1));
    }
    this.lines.push(...lines);
    return lines;
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    this.#reader = undefined;
  }
}
