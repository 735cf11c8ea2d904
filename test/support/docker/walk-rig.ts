import { CACHE_WALK_TIMES, CacheWalk } from '../../../src/inputs/docker/merge/cache-walk.ts';
import { MergeCore } from '../../../src/inputs/docker/merge/merge-core.ts';
import { LocalFormat } from '../../../src/inputs/logfile/formats/local.ts';
import { createLogLine, type LogReader, SOURCE } from '../../../src/inputs/logfile/types.ts';
import { type Entry, localFrame } from '../docker-entries.ts';
import { ManualClock } from '../manual-clock.ts';
import { MemoryJournal } from '../memory-journal.ts';
import { RecordingLog } from '../recording-log.ts';
import { MemoryCache, turns } from './memory-cache.ts';
import { MERGED_ID } from './merge-rig.ts';

const STEP_MS = 10;

interface Walking {
  readonly reader: LogReader;
  readonly core: MergeCore;
  readonly walk: CacheWalk;
  readonly running: Promise<void>;
}

/** The walk through one cache in memory, at a time that stands still. */
export class WalkRig {
  readonly clock = new ManualClock();
  readonly cache = new MemoryCache();
  readonly log = new RecordingLog();
  readonly journal = new MemoryJournal();
  readonly stopped = new AbortController();
  /** A connection of the container lives. */
  is_streaming = false;
  /** Lines that were journaled from the cache. */
  readonly recovered: string[] = [];
  /** How many of them were, when `note` was called last. */
  noted_count = 0;
  readonly #format = new LocalFormat();
  #walking: Walking | undefined;

  /** Begins to walk, and goes as far as it can at once. */
  async begin(): Promise<void> {
    const { cache, journal, clock, log, recovered } = this;
    const reader = await cache.open('oldest');
    const core = new MergeCore(MERGED_ID, undefined, reader.place, true);
    const walk = new CacheWalk(reader, core, {
      journal,
      clock,
      log,
      times: CACHE_WALK_TIMES,
      format: this.#format,
      reopen: (from) => cache.open(from),
      isStreaming: () => this.is_streaming,
      recover: ({ buf, log_start, log_end }) => {
        recovered.push(buf.toString('utf8', log_start, log_end));
      },
      matched: () => {},
      note: () => {
        this.noted_count = recovered.length;
      },
    });
    this.#walking = { reader, core, walk, running: walk.run(this.stopped.signal) };
    await turns();
  }

  get walk(): CacheWalk {
    return this.#begun.walk;
  }

  get core(): MergeCore {
    return this.#begun.core;
  }

  /** Nothing will be written any more. */
  finish(): Promise<void> {
    const { reader, walk, running } = this.#begun;
    reader.finish();
    walk.hurry();
    return running;
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.#walking?.running;
  }

  /** Lets time pass in steps that are shorter than any that is waited for. */
  async pass(duration_ms: number): Promise<void> {
    for (let passed_ms = 0; passed_ms < duration_ms; passed_ms += STEP_MS) {
      this.clock.advance(STEP_MS);
      await turns(1);
    }
  }

  /** The stream shows a line before the cache does. */
  stream(entry: Entry): void {
    const { core, walk } = this.#begun;
    const frame = localFrame(entry);
    const parsed = createLogLine();
    this.#format.parse(frame, 0, frame.length, parsed);
    core.lane(SOURCE[entry.source]).stream(core.keyOf(parsed));
    walk.streamed();
  }

  get #begun(): Walking {
    if (this.#walking === undefined) throw new Error('the walk has not begun');
    return this.#walking;
  }
}
