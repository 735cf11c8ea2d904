import { decodeEntry, KIND } from '../../../src/inputs/docker/merge/merge-codec.ts';
import { MergeCore } from '../../../src/inputs/docker/merge/merge-core.ts';
import { type MergeState, MergeStates } from '../../../src/inputs/docker/merge/merge-states.ts';
import { recall } from '../../../src/inputs/docker/merge/recall.ts';
import type { LaneLimits } from '../../../src/inputs/docker/merge/reconcile.ts';
import {
  type LineFormat,
  type LogBatch,
  type LogPlace,
  type LogReader,
  SOURCE,
} from '../../../src/inputs/logfile/types.ts';

export type ModelStep =
  | { readonly do: 'write' | 'send' | 'receive' | 'cache' | 'commit' | 'break' | 'kill' }
  | { readonly do: 'walk'; readonly lines: number };

export interface MergeWorld {
  /** The driver queues lines and the cache has them at once; else the cache has them once they are sent. */
  readonly is_async: boolean;
  /** The true lines, each by the key under which it is compared. */
  readonly keys: readonly number[];
  /** Lines, by index, that the cache drops. */
  readonly uncached: ReadonlySet<number>;
  readonly limits: LaneLimits;
}

const ID = 'ab'.repeat(32);
const START: LogPlace = { fingerprint: 0, offset: 0, check: 0 };
const placeAt = (offset: number): LogPlace => ({
  fingerprint: offset === 0 ? 0 : 1,
  offset,
  check: 0,
});

/**
 * A container, its driver, Docker's cache, a relay and its journal, each as simple as it
 * can be, around the real merge. What is true of every run is for the tests to say.
 *
 *     write ─► queue ─send─► wire ─receive─► judge ─► journal ─commit─► durable
 *                 └─► cache ─────────walk──────────────┘
 */
export class MergeModel {
  readonly #world: MergeWorld;
  #written = 0;
  /** Lines that the driver has taken and not sent. */
  #queue: number[] = [];
  /** Sent, in the sockets' buffers. */
  #wire: number[] = [];
  /** Accepted by the driver, on their way into the cache. */
  #caching: number[] = [];
  #cache: number[] = [];
  #is_anchored = false;
  #journal: number[] = [];
  #durable: number[] = [];
  readonly #received = new Set<number>();
  #uncommitted_received: number[] = [];
  readonly #states = new MergeStates();
  #pending: Buffer[] = [];
  #core: MergeCore;

  constructor(world: MergeWorld) {
    this.#world = world;
    this.#core = this.#newCore();
  }

  /** Keys of everything that is durable, sorted. */
  journaledKeys(): number[] {
    return this.journaledInOrder().toSorted((a, b) => a - b);
  }

  journaledInOrder(): number[] {
    return this.#durable.map((line) => this.#key(line));
  }

  /** Lines that are durable behind a later one. */
  outOfOrder(): number {
    let latest = -1;
    let count = 0;
    for (const line of this.#durable) {
      if (line < latest) count++;
      else latest = line;
    }
    return count;
  }

  get late_count(): number {
    return this.#core.lane(SOURCE.stdout).late_count;
  }

  /** Whether the stream brought the line, and its commit was durable. */
  wasReceived(line: number): boolean {
    return this.#received.has(line);
  }

  async step(step: ModelStep): Promise<void> {
    if (step.do === 'write') this.#write();
    else if (step.do === 'send') this.#send();
    else if (step.do === 'receive') await this.#receive();
    else if (step.do === 'cache') this.#fillCache();
    else if (step.do === 'walk') this.#walk(step.lines);
    else if (step.do === 'commit') this.#commit();
    else this.#break(step.do === 'kill');
  }

  /** Everything that can still arrive does. */
  async finish(): Promise<void> {
    while (this.#written < this.#world.keys.length) this.#write();
    while (this.#queue.length > 0 || this.#wire.length > 0) {
      this.#send();
      await this.#receive();
    }
    while (this.#caching.length > 0) this.#fillCache();
    this.#walk(Number.POSITIVE_INFINITY);
    this.#commit();
  }

  #write(): void {
    const line = this.#written;
    if (line >= this.#world.keys.length) return;
    this.#written++;
    this.#queue.push(line);
    if (this.#world.is_async) this.#caching.push(line);
  }

  #send(): void {
    const line = this.#queue.shift();
    if (line === undefined) return;
    this.#wire.push(line);
    if (!this.#world.is_async) this.#caching.push(line);
  }

  #fillCache(): void {
    const line = this.#caching.shift();
    if (line !== undefined && !this.#world.uncached.has(line)) this.#cache.push(line);
  }

  async #receive(): Promise<void> {
    const line = this.#wire.shift();
    if (line === undefined) return;
    const key = this.#key(line);
    const lane = this.#core.lane(SOURCE.stdout);
    if (!this.#is_anchored) {
      // The relay holds the first line of a connection until the cache has stood still.
      while (this.#caching.length > 0) this.#fillCache();
      this.#walk(Number.POSITIVE_INFINITY);
      this.#is_anchored = true;
    }
    const deps = {
      open: (from: LogPlace) => Promise.resolve(this.#reader(from)),
      format: MODEL_FORMAT,
    };
    const found = await recall(this.#core, SOURCE.stdout, key, deps);
    if (lane.streamFrom(key, found) === 'journal') this.#journal.push(line);
    this.#uncommitted_received.push(line);
    this.#note();
  }

  #walk(lines: number): void {
    for (let read = 0; read < lines; read++) {
      const at = this.#core.journaled.offset;
      const line = this.#cache[at];
      if (line === undefined) break;
      const lane = this.#core.lane(SOURCE.stdout);
      const key = this.#key(line);
      if (!lane.match(key)) {
        lane.owe(key, placeAt(at), placeAt(at + 1));
        this.#journal.push(line);
      }
      this.#core.moveTo(placeAt(at + 1));
    }
    this.#note();
  }

  #note(): void {
    const entry = this.#core.takeEntry();
    if (entry !== undefined) this.#pending.push(entry);
  }

  #commit(): void {
    this.#durable.push(...this.#journal);
    this.#journal = [];
    for (const line of this.#uncommitted_received) this.#received.add(line);
    this.#uncommitted_received = [];
    for (const entry of this.#pending) {
      if (decodeEntry(entry).kind === KIND.change) this.#states.apply(entry);
    }
    this.#pending = [];
    const again = new MergeStates();
    again.restore(this.#states.snapshot());
    this.#states.restore(again.snapshot());
  }

  /** The connection breaks: what is in the sockets is gone. `killed`: so is what the relay had not made durable. */
  #break(killed: boolean): void {
    this.#wire = [];
    this.#is_anchored = false;
    if (!killed) return;
    this.#journal = [];
    this.#uncommitted_received = [];
    this.#pending = [];
    this.#core = this.#newCore();
  }

  #newCore(): MergeCore {
    const state: MergeState | undefined = this.#states.get(ID);
    return new MergeCore(ID, state, START, true, {
      limits: this.#world.limits,
      keyOf: (line) => line.time_s,
    });
  }

  #key(line: number): number {
    return this.#world.keys[line] ?? -1;
  }

  #reader(from: LogPlace): LogReader {
    const keys = this.#cache.map((line) => this.#key(line));
    let at = from.offset;
    return {
      get place() {
        return placeAt(at);
      },
      read: () => {
        const first = at;
        const part = keys.slice(first, first + 2);
        if (part.length === 0) return Promise.resolve(undefined);
        at += part.length;
        return Promise.resolve(batchOf(part, first));
      },
      ended: false,
      standsStill: () => false,
      rest: () => {},
      finish: () => {},
      close: () => Promise.resolve(),
    };
  }
}

/** An entry is the key as a u32; it stands in for the time. */
const MODEL_FORMAT: LineFormat = {
  name: 'local',
  entryEnd: (_buf, start) => start + 4,
  resync: (_buf, _start, end) => end,
  parse: (buf, start, _end, line) => {
    line.source = SOURCE.stdout;
    line.time_s = buf.readUInt32LE(start);
    return true;
  },
};

function batchOf(keys: readonly number[], first: number): LogBatch {
  const buf = Buffer.alloc(4 * keys.length);
  for (const [index, key] of keys.entries()) buf.writeUInt32LE(key, 4 * index);
  return {
    buf,
    count: keys.length,
    start: (index) => 4 * index,
    end: (index) => 4 * index + 4,
    placeAfter: (index) => placeAt(first + index + 1),
  };
}
