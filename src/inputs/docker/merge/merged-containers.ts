import type { JournalWriter } from '../../../journal/types.ts';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../sys/clock.ts';
import type { Log } from '../../../sys/log.ts';
import type { LineFormat, LogLine, LogReader, LogStart } from '../../logfile/types.ts';
import { DriverWriter } from '../records/driver-writer.ts';
import { TextCopier } from '../records/text-copier.ts';
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
  /** A line of that time, which the stream had shown, was read. */
  readonly passed: (container: Container, time_s: number) => void;
  /** A container that is gone was forgotten to make room, with so many lines that its stream might still bring. */
  readonly onEvicted: (container: Pick<Container, 'id' | 'name'>, kept_lines: number) => void;
}

/** How many containers that are gone are kept, and how many of their lines. */
export interface GoneLimits {
  readonly containers_max: number;
  readonly lines_max: number;
}

const GONE_LIMITS: GoneLimits = {
  containers_max: LIMITS.merge_gone_max,
  lines_max: LIMITS.merge_gone_max_lines,
};

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

/**
 * The fluentd containers whose stream is merged with Docker's cache, by id.
 *
 * What the streams of containers that are gone may still bring was on its way when they went:
 * they are kept for that, up to `GoneLimits`.
 */
export class MergedContainers {
  readonly #deps: MergedContainersDeps;
  readonly #limits: GoneLimits;
  readonly #copier = new TextCopier();
  readonly #opened = new Map<string, Opened>();
  /** Those that are gone, and read to their end, in that order. */
  readonly #gone = new Map<string, MergedContainer>();

  constructor(deps: MergedContainersDeps, limits: GoneLimits = GONE_LIMITS) {
    this.#deps = deps;
    this.#limits = limits;
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

  /** Resolves with true once all that a container's cache has now was read. */
  async readToEnd(container_id: string): Promise<boolean> {
    const merged = await this.#opened.get(container_id)?.opening;
    return (await merged?.readToEnd()) ?? false;
  }

  /** The container is gone: its cache is read to the end. What its stream still brings is compared all the same. */
  async finish(container_id: string): Promise<void> {
    const merged = await this.#opened.get(container_id)?.opening;
    if (merged === undefined) return;
    await merged.finish();
    this.#gone.set(container_id, merged);
    this.#makeRoom();
  }

  /** Forgets what was kept of a container that is gone. */
  forget(container_id: string): void {
    this.#opened.delete(container_id);
    this.#gone.delete(container_id);
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
    const { journal, states, clock, log, format, openCache, passed } = this.#deps;
    const deps = {
      journal,
      clock,
      log: log.child({ container: container.name }),
      format,
      open: (from: LogStart) => openCache(container, from),
      store: this.#storeOf(container),
      matched: ({ time_s }: LogLine) => passed(container, time_s),
    };
    const state = states.get(container.id);
    return MergedContainer.open(container.id, state, start, sub_second, deps);
  }

  /** Those that went first are forgotten first; not while they are connected. */
  #makeRoom(): void {
    const { containers_max, lines_max } = this.#limits;
    let lines = 0;
    for (const { kept_lines } of this.#gone.values()) lines += kept_lines;
    for (const [id, merged] of this.#gone) {
      if (this.#gone.size <= containers_max && lines <= lines_max) return;
      if (merged.is_connected) continue;
      const { kept_lines } = merged;
      const { name = '' } = this.#opened.get(id) ?? {};
      lines -= kept_lines;
      this.forget(id);
      this.#deps.onEvicted({ id, name }, kept_lines);
    }
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
    let writer: DriverWriter | undefined;
    return (line) => {
      const identity = identityAt(container, line.time_s);
      writer ??= new DriverWriter(journal, identity, this.#copier);
      writer.carry(identity);
      writer.write(line);
    };
  }
}
