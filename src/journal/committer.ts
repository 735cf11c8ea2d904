import { LogboomError, messageOf } from '../errors.ts';
import type { Clock } from '../sys/clock.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import type { Slab } from './arena.ts';
import type { DiskWriter } from './disk-writer.ts';
import type { DurableEnd } from './durable-end.ts';
import type { Place } from './format.ts';
import type { GatheredCommit, Intake, LargeWork } from './intake.ts';
import { LargeCommit } from './large-commit.ts';
import type { Retention } from './retention.ts';
import { SealedCommit } from './sealed-commit.ts';
import type { SegmentWriter } from './segment-writer.ts';
import type { Spaces } from './spaces.ts';
import { encodeStateItems } from './state-items.ts';
import type { Tail } from './tail.ts';

/** What a durable commit brought, for statistics. */
export interface AppendedCount {
  readonly tag: Buffer;
  readonly count: number;
}

export interface CommitterContext {
  readonly intake: Intake;
  readonly disk: DiskWriter;
  readonly spaces: Spaces;
  readonly tail: Tail;
  readonly durable_end: DurableEnd;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly ledger: DropLedger;
  readonly log: Log;
  /** A commit is durable. Called before readers see it. */
  readonly appended: (counts: readonly AppendedCount[], durable_seq: number) => void;
}

/**
 * Group commit: one commit is being made durable while the next one fills up.
 *
 *     idle ──due──► next turn of the event loop ──► write ──► durable ──► publish ─┐
 *      ▲                                              ▲                            │
 *      └──────────────── nothing due ─────────────────┴────────── due ─────────────┘
 *
 * Waiting for the next turn lets every socket that is readable now bring its
 * events into the same commit.
 *
 * What publishing does, in this order and without a pause: the records become
 * readable, state entries are applied, callbacks (acks) run, readers wake.
 */
export class Committer {
  readonly #context: CommitterContext;
  #running = false;
  /** Why a commit was given up: none behind it may be written, as positions in it would pass over what is lost. */
  #given_up: Error | undefined;
  #idle: Promise<void> = Promise.resolve();

  constructor(context: CommitterContext) {
    this.#context = context;
  }

  /** Something may be due. */
  kick(): void {
    if (this.#running) return;
    this.#running = true;
    this.#idle = new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#run().then(resolve, reject);
      });
    });
    this.#idle.catch(crash);
  }

  /** Writes what has come in, and ends; what the disk does not take now fails. */
  async close(): Promise<void> {
    const { intake, disk } = this.#context;
    intake.close();
    disk.stop();
    this.kick();
    await this.#idle;
    await disk.close();
  }

  async #run(): Promise<void> {
    const { intake } = this.#context;
    for (let work = intake.take(); work !== undefined; work = intake.take()) {
      if (work.kind === 'large') await this.#commitLarge(work);
      else await this.#commit(work);
    }
    this.#running = false;
  }

  async #commit(gathered: GatheredCommit): Promise<void> {
    const { disk, tail, clock, intake } = this.#context;
    if (gathered.drafts.length === 0) {
      callAll(gathered.callbacks);
      return;
    }
    const now_ms = clock.now_ms();
    const takeSlab = (bytes: number): Slab => intake.takeSlab(bytes);
    const commit = new SealedCommit(gathered.drafts, tail.end, now_ms, takeSlab);
    try {
      if (this.#given_up !== undefined) throw this.#given_up;
      const writer = await disk.append(commit);
      writer.advance(commit);
    } catch (error) {
      this.#giveUp(gathered, asError(error));
      return;
    }
    const lent = gathered.slabs.filter((slab) => slab.lent);
    if (commit.image_slab !== undefined) lent.push(commit.image_slab);
    intake.recycle(gathered.slabs.filter((slab) => !slab.lent));
    tail.add(commit, lent);
    this.#publish(gathered.state, gathered.callbacks, commit.records, commit.after);
  }

  async #commitLarge({ records, entries, done }: LargeWork): Promise<void> {
    const { disk, tail, clock } = this.#context;
    const state = encodeStateItems(entries);
    try {
      if (this.#given_up !== undefined) throw this.#given_up;
      const writer = await disk.ready(0);
      const commit = new LargeCommit(writer, tail.end, clock.now_ms());
      const { counts, total_bytes } = await writeLarge(writer, commit, records, state);
      const { first, place: after, committed_ms } = commit;
      writer.advance({ total_bytes, first, after, committed_ms });
      tail.skipTo(commit.place);
      this.#publish(state, [done], counts, commit.place);
    } catch (error) {
      callAll([done], asError(error));
    } finally {
      disk.settle();
    }
  }

  /** Whoever reads on from a position, or waits for an ack, brings these events again; the others are gone. */
  #giveUp({ drafts, callbacks }: GatheredCommit, failure: Error): void {
    this.#given_up = failure;
    const { ledger, log } = this.#context;
    const events = drafts.reduce((sum, { count }) => sum + count, 0);
    for (const { tag, count } of drafts) ledger.count('not_stored', tag.toString(), count);
    log.error({ events, error: messageOf(failure) }, 'a commit was given up');
    callAll(callbacks, failure);
  }

  #publish(
    state: Buffer,
    callbacks: GatheredCommit['callbacks'],
    counts: readonly AppendedCount[],
    after: Place,
  ): void {
    const { spaces, appended, durable_end, retention } = this.#context;
    try {
      spaces.apply(state);
      appended(counts, after.seq - 1);
    } catch (error) {
      crash(error);
    }
    callAll(callbacks);
    durable_end.moved();
    retention.limitLags().catch(crash);
  }
}

/** Makes the commit durable; nobody can read it yet. Rejects with nothing left of it, or a broken writer. */
async function writeLarge(
  writer: SegmentWriter,
  commit: LargeCommit,
  records: LargeWork['records'],
  state: Buffer,
): Promise<{ counts: AppendedCount[]; total_bytes: number }> {
  const counts: AppendedCount[] = [];
  try {
    for await (const record of records) {
      await commit.add(record);
      addCount(counts, record.tag, record.count);
    }
    return { counts, total_bytes: await commit.finish(state) };
  } catch (error) {
    // A truncate that fails breaks the writer, and the next commit opens a new segment.
    if (!writer.broken) await writer.truncate().catch(() => {});
    if (!writer.broken) throw error;
    throw new LogboomError('LB_JOURNAL_IO', `a large commit failed: ${messageOf(error)}`, {
      cause: error,
      where: writer.segment.path,
      hint: 'It may be sent again.',
    });
  }
}

/** The records of one client message have one tag, so this stays short. */
function addCount(counts: AppendedCount[], tag: Buffer, count: number): void {
  const last = counts.at(-1);
  if (last?.tag.equals(tag)) counts[counts.length - 1] = { tag, count: last.count + count };
  else counts.push({ tag, count });
}

function callAll(callbacks: GatheredCommit['callbacks'], error?: Error): void {
  for (const done of callbacks) {
    try {
      done(error);
    } catch (bug) {
      crash(bug);
    }
  }
}

/** A callback that throws has left state half changed: nothing sound can follow. */
function crash(bug: unknown): void {
  queueMicrotask(() => {
    throw bug;
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
