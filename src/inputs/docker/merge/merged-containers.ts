import type { JournalWriter } from '../../../journal/types.ts';
import { CODEC } from '../../../protocol/codec.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Log } from '../../../sys/log.ts';
import type { LineFormat, LogLine, LogReader, LogStart } from '../../logfile/types.ts';
import { DriverRecord } from '../records/driver-record.ts';
import type { Container, Identity } from '../types.ts';
import { encodeForget } from './merge-codec.ts';
import { MERGE_SPACE, type MergeStates } from './merge-states.ts';
import { MergedContainer, type MergeFigures } from './merged-container.ts';

export interface MergedContainersDeps {
  readonly journal: JournalWriter;
  readonly states: MergeStates;
  readonly clock: Clock;
  readonly log: Log;
  readonly format: LineFormat;
  readonly openCache: (container: Container, from: LogStart) => Promise<LogReader>;
  /** What the container's lines of that time carry. */
  readonly identityAt: (container: Container, time_s: number) => Identity;
}

/** A container whose stream is merged. */
export interface MergedView {
  readonly id: string;
  readonly name: string;
  readonly figures: MergeFigures;
}

interface Opened {
  readonly name: string;
  readonly opening: Promise<MergedContainer>;
  /** Once it is open. */
  merged?: MergedContainer;
}

/** The fluentd containers whose stream is merged with Docker's cache, by id. */
export class MergedContainers {
  readonly #deps: MergedContainersDeps;
  readonly #opened = new Map<string, Opened>();

  constructor(deps: MergedContainersDeps) {
    this.#deps = deps;
  }

  /** Begins to merge, if that has not begun yet. Rejects if the cache cannot be opened; try again then. */
  open(
    container: Container,
    start: 'oldest' | 'newest',
    sub_second: boolean,
  ): Promise<MergedContainer> {
    const known = this.#opened.get(container.id);
    if (known !== undefined) return known.opening;
    const opened: Opened = {
      name: container.name,
      opening: this.#open(container, start, sub_second),
    };
    this.#opened.set(container.id, opened);
    this.#keep(opened).catch(() => this.#opened.delete(container.id));
    return opened.opening;
  }

  has(container_id: string): boolean {
    return this.#opened.has(container_id);
  }

  /** The container is gone: its cache is read to the end. What its stream still brings is compared all the same. */
  async finish(container_id: string): Promise<void> {
    const merged = await this.#opened.get(container_id)?.opening;
    await merged?.finish();
  }

  /** Forgets what was kept of a container that is gone for long. */
  forget(container_id: string): void {
    this.#opened.delete(container_id);
    this.#deps.journal.note(MERGE_SPACE, encodeForget(container_id));
  }

  /** Reads all caches to their present end, or for `deadline_ms`. */
  async catchUp(deadline_ms: number): Promise<void> {
    await this.#each((merged) => merged.catchUp(deadline_ms));
  }

  async stop(): Promise<void> {
    await this.#each((merged) => merged.stop());
  }

  /** By container name. */
  figures(): ReadonlyMap<string, MergeFigures> {
    const figures = new Map<string, MergeFigures>();
    for (const [id, { name, merged }] of this.#opened) {
      if (merged === undefined) continue;
      figures.set(figures.has(name) ? `${name} ${id.slice(0, 12)}` : name, merged.figures);
    }
    return figures;
  }

  /** Those that are open. */
  all(): MergedView[] {
    return Array.from(this.#opened).flatMap(([id, { name, merged }]) =>
      merged === undefined ? [] : [{ id, name, figures: merged.figures }],
    );
  }

  #open(
    container: Container,
    start: 'oldest' | 'newest',
    sub_second: boolean,
  ): Promise<MergedContainer> {
    const { journal, states, clock, log, format, openCache } = this.#deps;
    const store = this.#storeOf(container);
    const deps = {
      journal,
      clock,
      log: log.child({ container: container.name }),
      format,
      open: (from: LogStart) => openCache(container, from),
      store,
    };
    const state = states.get(container.id);
    return MergedContainer.open(container.id, state, start, sub_second, deps);
  }

  async #keep(opened: Opened): Promise<void> {
    opened.merged = await opened.opening;
  }

  /** All at once; one that could not be opened is left out. */
  async #each(task: (merged: MergedContainer) => Promise<void>): Promise<void> {
    const opened = Array.from(this.#opened.values(), async ({ opening }) => {
      const merged = await opening.catch(() => undefined);
      if (merged !== undefined) await task(merged);
    });
    await Promise.all(opened);
  }

  /** Journals a line of the cache as the driver would have sent it. */
  #storeOf(container: Container): (line: LogLine) => void {
    const { journal, identityAt } = this.#deps;
    let identity: Identity | undefined;
    let record: DriverRecord | undefined;
    let tag: Buffer = Buffer.alloc(0);
    return (line) => {
      const now = identityAt(container, line.time_s);
      if (record === undefined || now !== identity) {
        identity = now;
        record = new DriverRecord(now);
        tag = Buffer.from(now.tag);
      }
      record.write(line, journal.builder(tag, 0, tag.length, CODEC.none, 0));
    };
  }
}
