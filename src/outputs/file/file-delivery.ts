import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import type { JournalRecord } from '../../journal/types.ts';
import type { Clock } from '../../sys/clock.ts';
import type { FileSystem } from '../../sys/fs.ts';
import type { Log } from '../../sys/log.ts';
import type { OutputSource } from '../output.ts';
import type { Delivery, Done, Stretch } from '../pump.ts';
import { recordLines } from '../record-lines.ts';
import { type Additions, type EventFormat, NdjsonFormat } from '../render.ts';
import { FileSet, type FileSetOptions } from './file-set.ts';
import { Housekeeper, type HousekeepingOptions } from './housekeeper.ts';
import { cutBack, type LiveFile } from './live-file.ts';
import { PathTemplate } from './path-template.ts';
import { decodeWindow, encodeWindow, type FileMark } from './window.ts';

export interface FileDeliveryOptions extends Additions, FileSetOptions, HousekeepingOptions {
  readonly path: string;
}

/** The edges of the world that files need. */
export interface FileWorld {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
}

/** Records next to each other that need no more files than may be open. */
interface Step {
  readonly records: JournalRecord[];
  /** Of each record. */
  readonly paths: string[];
  readonly distinct: Set<string>;
}

/**
 * Writes each event exactly once, through any crash, as long as nobody else writes to a
 * live file:
 *
 * 1. The window names every file of a step, and how long it is, before the first byte
 *    is written to it.
 * 2. Lines are written behind that and made durable.
 * 3. The cursor moves, and the window names the new lengths, in one save.
 *
 * After a crash or a failure between 1 and 3 the window is saved once more, the files are cut
 * back to the lengths in it, and the step is made again. Files are rotated between steps only, so
 * one may grow past `rotate_max_bytes` by what a step holds.
 */
export class FileDelivery implements Delivery {
  readonly #source: OutputSource;
  readonly #world: FileWorld;
  readonly #template: PathTemplate;
  readonly #path: string;
  readonly #files_open_max: number;
  readonly #format: EventFormat;
  readonly #housekeeper: Housekeeper;
  readonly #files: FileSet;
  /** As saved last: the journal empties the cursor's when it moves the cursor itself. */
  #window: Buffer;
  /** Bytes may lie behind the marks in the window. */
  #dirty = true;
  /** Rotated files that an earlier process left unfinished were looked at. */
  #tidied = false;

  constructor(options: FileDeliveryOptions, source: OutputSource, world: FileWorld) {
    this.#source = source;
    this.#window = source.cursor.window;
    this.#world = world;
    this.#template = new PathTemplate(options.path);
    this.#path = options.path;
    this.#files_open_max = options.files_open_max;
    this.#format = new NdjsonFormat(options);
    this.#housekeeper = new Housekeeper(world.fs, options, world.log);
    this.#files = new FileSet(world.fs, options, this.#housekeeper, world.clock);
  }

  async deliver({ records, next_seq }: Stretch, done: Done, signal: AbortSignal): Promise<void> {
    try {
      if (this.#dirty) await this.#recover();
      const steps = this.#steps(records);
      for (const [index, step] of steps.entries()) {
        const behind = steps[index + 1]?.records[0]?.seq ?? next_seq;
        await this.#deliverStep(step, behind, done, signal);
      }
      // Also when no record was for us: what others take must not hold the journal.
      if (steps.length === 0) await this.#save(next_seq, this.#window);
    } catch (error) {
      this.#dirty = true;
      throw this.#explained(error);
    }
  }

  async close(): Promise<void> {
    await this.#housekeeper.stop();
    await this.#files.closeAll();
  }

  details(): Readonly<Record<string, number | string>> {
    return {
      files_open: this.#files.open_count,
      rotations: this.#files.rotations,
      housekeeping_failures: this.#housekeeper.failures,
    };
  }

  /**
   * Forgets what was not finished. A cursor that could not be saved may stand in its file all
   * the same, beyond lines that are about to be cut off: the one that counts is saved first.
   */
  async #recover(): Promise<void> {
    await this.#files.closeAll();
    const marks = this.#marks();
    if (marks.length > 0) await this.#save(this.#source.cursor.seq, this.#window);
    for (const mark of marks) await cutBack(this.#world.fs, mark);
    this.#dirty = false;
  }

  #marks(): readonly FileMark[] {
    const marks = decodeWindow(this.#window);
    if (marks !== undefined) return marks;
    throw new LogboomError('LB_OUTPUT', 'the cursor holds a window that no file output wrote', {
      hint: 'Give the output another name, or drop its cursor with --drop-output.',
    });
  }

  #steps(records: readonly JournalRecord[]): Step[] {
    const now_ms = this.#world.clock.now_ms();
    const steps: Step[] = [];
    let step: Step | undefined;
    for (const record of records) {
      const path = this.#template.path(record.tag, now_ms);
      const full = step?.distinct.size === this.#files_open_max && !step.distinct.has(path);
      if (step === undefined || full) {
        step = { records: [], paths: [], distinct: new Set() };
        steps.push(step);
      }
      step.records.push(record);
      step.paths.push(path);
      step.distinct.add(path);
    }
    return steps;
  }

  async #deliverStep(step: Step, next_seq: number, done: Done, signal: AbortSignal): Promise<void> {
    const files = await this.#files.ready(step.distinct, this.#marks());
    const intent = windowOf(files);
    const { cursor } = this.#source;
    if (!intent.equals(cursor.window)) await this.#save(cursor.seq, intent);

    let events = 0;
    let bytes = 0;
    for (const [index, record] of step.records.entries()) {
      const live = files.get(step.paths[index] as string) as LiveFile; // `ready` has every path
      for await (const lines of recordLines(record, this.#format)) {
        signal.throwIfAborted();
        await live.append(lines.text);
        events += lines.events;
        bytes += lines.text.length;
      }
    }
    for (const live of files.values()) await live.sync();
    await this.#save(next_seq, windowOf(files));
    done(events, bytes);
    this.#tidyOnce(step);
  }

  /** The journal may have moved the cursor on meanwhile; it never goes back. */
  async #save(seq: number, window: Buffer): Promise<void> {
    const { cursor } = this.#source;
    await cursor.save(Math.max(seq, cursor.seq), window);
    this.#window = window;
  }

  #tidyOnce(step: Step): void {
    if (this.#tidied || this.#template.has_tag) return;
    this.#tidied = true;
    for (const path of step.distinct) this.#housekeeper.tidy(path);
  }

  #explained(error: unknown): unknown {
    if (error instanceof LogboomError || systemCode(error) === undefined) return error;
    const hint = HINTS[systemCode(error) ?? ''];
    const details = { where: this.#path, cause: error, ...(hint === undefined ? {} : { hint }) };
    return new LogboomError('LB_OUTPUT', messageOf(error), details);
  }
}

const NOT_WRITABLE = 'Make the folder writable for the user that logboom runs as.';
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room on the disk; events wait in the journal.',
  EDQUOT: 'Raise the quota; events wait in the journal.',
  EACCES: NOT_WRITABLE,
  EPERM: NOT_WRITABLE,
  EROFS: NOT_WRITABLE,
};

function windowOf(files: ReadonlyMap<string, LiveFile>): Buffer {
  return encodeWindow([...files.values()].map((live) => live.mark));
}
