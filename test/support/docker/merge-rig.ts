import { MERGE_SPACE, MergeStates } from '../../../src/inputs/docker/merge/merge-states.ts';
import { MergedContainer } from '../../../src/inputs/docker/merge/merged-container.ts';
import { DriverRecord } from '../../../src/inputs/docker/records/driver-record.ts';
import { StreamedLine, streamKey } from '../../../src/inputs/docker/records/streamed-line.ts';
import { LocalFormat } from '../../../src/inputs/logfile/formats/local.ts';
import type { StateSpace } from '../../../src/journal/types.ts';
import { CODEC } from '../../../src/protocol/codec.ts';
import { decodeEvents } from '../../../src/protocol/event.ts';
import { driverBody, type Entry } from '../docker-entries.ts';
import { ManualClock } from '../manual-clock.ts';
import { MemoryJournal, type MemoryRecord } from '../memory-journal.ts';
import { RecordingLog } from '../recording-log.ts';
import { MemoryCache, turns } from './memory-cache.ts';

export const MERGED_ID = '4f'.repeat(32);
const TAG = Buffer.from('web');
const ENTRY_LEAD = Buffer.of(0x92);
const STEP_MS = 10;

/** Line `number` of a container; each second has ten. */
export function line(number: number, source: Entry['source'] = 'stdout'): Entry {
  const time_s = 1_700_000_000 + Math.floor(number / 10);
  return { source, log: Buffer.from(`line ${number}`), time_s, time_ns: number % 1_000_000_000 };
}

/** The lines from `first` to `last`. */
export function lines(first: number, last: number): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, index) => line(first + index));
}

/** What the lines from `first` to `last` log. */
export function logs(first: number, last: number): string[] {
  return lines(first, last).map(({ log }) => log.toString());
}

/** What was logged, in the order of the records. */
function logsOf(records: readonly MemoryRecord[]): string[] {
  return records.flatMap(({ body }) =>
    [...decodeEvents([body])].map(({ record }) => String(record['log'])),
  );
}

/**
 * One merged container between a cache and a journal, both in memory, at a time that
 * stands still. What is not committed is lost with a crash.
 */
export class MergeRig {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly cache = new MemoryCache();
  readonly states = new MergeStates();
  readonly journal: MemoryJournal;
  readonly #record = new DriverRecord({
    container_id: MERGED_ID,
    container_name: '/web',
    tag: TAG.toString(),
    extra: {},
    sub_second: true,
  });
  #merged: MergedContainer | undefined;

  /** @param spaces what else the journal keeps */
  constructor(spaces: readonly [number, StateSpace][] = []) {
    this.journal = new MemoryJournal({
      automatic: false,
      spaces: [[MERGE_SPACE, this.states], ...spaces],
    });
  }

  get merged(): MergedContainer {
    if (this.#merged === undefined) throw new Error('the rig is not open');
    return this.#merged;
  }

  /** Begins to merge where the journal says, and lets the cache be read as far as it goes. */
  async open(start: 'oldest' | 'newest' = 'oldest'): Promise<this> {
    const { clock, log, journal, cache } = this;
    this.#merged = await MergedContainer.open(MERGED_ID, this.states.get(MERGED_ID), start, true, {
      journal,
      clock,
      log,
      open: cache.open,
      format: new LocalFormat(),
      matched: () => {},
      store: (stored) =>
        this.#record.write(stored, journal.builder(TAG, 0, TAG.length, CODEC.none, 0)),
    });
    await turns();
    return this;
  }

  connect(): RigConnection {
    return new RigConnection(this);
  }

  /** As the Forward server does. */
  store(body: Buffer): void {
    const whole = Buffer.concat([ENTRY_LEAD, body]);
    const builder = this.journal.builder(TAG, 0, TAG.length, CODEC.none, 0);
    const at = builder.reserve(whole.length);
    whole.copy(builder.buffer, at);
    builder.note(1, 0, 0);
  }

  /** The durable lines, in their order. */
  get durable(): string[] {
    return logsOf(this.journal.records);
  }

  /** All lines, made durable first. */
  committed(): string[] {
    this.journal.commit();
    return this.durable;
  }

  /** Lets time pass. */
  async pass(duration_ms: number): Promise<void> {
    await turns();
    for (let passed_ms = 0; passed_ms < duration_ms; passed_ms += STEP_MS) {
      this.clock.advance(STEP_MS);
      await turns();
    }
  }

  /** Lets time pass until `work` is done; returns how much passed. */
  async timeOf(work: Promise<unknown>): Promise<number> {
    const begun_ms = this.clock.monotonic_ms();
    await this.until(work, () => {});
    return this.clock.monotonic_ms() - begun_ms;
  }

  /** Lets time pass until `work` is done, and does something in each step of it. */
  async until(work: Promise<unknown>, between: () => void): Promise<void> {
    const state = { is_done: false };
    const done = work.finally(() => {
      state.is_done = true;
    });
    done.catch(() => {});
    await turns();
    while (!state.is_done) {
      between();
      await this.pass(STEP_MS);
    }
    await done;
  }

  /** As kill -9 would have it, and a start after it. */
  async restart(): Promise<this> {
    await this.close();
    this.journal.fail(new Error('killed'));
    return this.open();
  }

  async close(): Promise<void> {
    await this.#merged?.stop();
    this.#merged = undefined;
  }
}

/** One connection of the container's, judged as the Forward server has it judged. */
export class RigConnection {
  readonly #rig: MergeRig;
  readonly #merged: MergedContainer;
  readonly #streamed = new StreamedLine();
  readonly #anchored = new Set<number>();
  #endTurn: (() => void) | undefined;

  constructor(rig: MergeRig) {
    this.#rig = rig;
    this.#merged = rig.merged;
  }

  /** Resolves with whether the line was stored. */
  async send(entry: Entry, { waits = true } = {}): Promise<boolean> {
    this.#endTurn ??= await this.#merged.connect();
    const body = driverBody(entry, { container_id: MERGED_ID, sub_second: true });
    this.#streamed.read(body, 0, body.length);
    const { source } = this.#streamed;
    const key = streamKey(this.#streamed);
    let stores = this.#anchored.has(source) ? this.#merged.judge(source, key) : undefined;
    if (stores === undefined) {
      const decide = await this.#merged.search(source, key, waits);
      this.#anchored.add(source);
      stores = decide();
    }
    if (stores) this.#rig.store(body);
    this.#merged.note();
    return stores;
  }

  close(): void {
    this.#endTurn?.();
    this.#endTurn = undefined;
  }
}
