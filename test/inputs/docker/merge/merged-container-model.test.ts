/**
 * A container, its driver and Docker's cache around a merged container that is killed at
 * any moment, so that its journal is cut at any commit. The cache keeps every line. What
 * must hold: in the end every line is in the journal once, equal ones as often as they
 * were written.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergeRig, type RigConnection } from '../../../support/docker/merge-rig.ts';
import type { Entry } from '../../../support/docker-entries.ts';

const RUNS = Number(process.env['LOGBOOM_PROPERTY_RUNS'] ?? 60);

/**
 * When the cache has a line: `acked`: after our ack; `plain`: once it is sent; `async`:
 * once it is written.
 */
type Driver = 'acked' | 'plain' | 'async';

type Step =
  | { readonly do: 'write'; readonly lines: number }
  | { readonly do: 'send'; readonly lines: number }
  | { readonly do: 'pass'; readonly duration_ms: number }
  /** The connection breaks, with so many lines that were sent and not received. */
  | { readonly do: 'break' | 'kill'; readonly lines_lost: number }
  | { readonly do: 'commit' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('write' as const, 'send' as const),
      lines: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      duration_ms: fc.constantFrom(10, 100, 400),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('break' as const, 'kill' as const),
      lines_lost: fc.nat(3),
    }),
  },
);

/** Few texts in few seconds: equal lines are common. */
const entries: fc.Arbitrary<Entry[]> = fc
  .array(fc.record({ text: fc.nat(4), source: fc.constantFrom('stdout', 'stderr') }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((all) =>
    all.map(({ text, source }, index) => ({
      source,
      log: Buffer.from(`${source} ${text} ${Math.floor(index / 8)}`),
      time_s: 1_700_000_000 + Math.floor(index / 8),
      time_ns: 0,
    })),
  );

class World {
  readonly #rig = new MergeRig();
  readonly #driver: Driver;
  readonly #entries: readonly Entry[];
  #written = 0;
  /** Written, and not sent. */
  #queue: Entry[] = [];
  /** Sent, and not acked. */
  #unacked: Entry | undefined;
  #connection: RigConnection | undefined;

  constructor(driver: Driver, all: readonly Entry[]) {
    this.#driver = driver;
    this.#entries = all;
  }

  async run(steps: readonly Step[]): Promise<string[]> {
    await this.#rig.open();
    for (const one of steps) await this.#step(one);
    await this.#finish();
    await this.#rig.close();
    return this.#rig.durable;
  }

  async #step(one: Step): Promise<void> {
    if (one.do === 'write') this.#write(one.lines);
    else if (one.do === 'send') await this.#send(one.lines);
    else if (one.do === 'pass') await this.#rig.pass(one.duration_ms);
    else if (one.do === 'commit') this.#commit();
    else await this.#break(one.do === 'kill', one.lines_lost);
  }

  #write(count: number): void {
    const news = this.#entries.slice(this.#written, this.#written + count);
    this.#written += news.length;
    this.#queue.push(...news);
    if (this.#driver === 'async') this.#rig.cache.append(...news);
  }

  async #send(count: number): Promise<void> {
    for (const entry of this.#queue.splice(0, count)) {
      if (this.#unacked !== undefined) this.#commit();
      if (this.#driver === 'plain') this.#rig.cache.append(entry);
      this.#connection ??= this.#rig.connect();
      const waits = this.#driver !== 'acked';
      await this.#rig.timeOf(this.#connection.send(entry, { waits }));
      if (this.#driver === 'acked') this.#unacked = entry;
    }
  }

  #commit(): void {
    this.#rig.journal.commit();
    if (this.#unacked !== undefined) this.#rig.cache.append(this.#unacked);
    this.#unacked = undefined;
  }

  async #break(is_killed: boolean, lines_lost: number): Promise<void> {
    this.#connection?.close();
    this.#connection = undefined;
    // A driver that waits for acks has one line under way, and sends it again.
    if (this.#driver !== 'acked') {
      const lost = this.#queue.splice(0, lines_lost);
      if (this.#driver === 'plain') this.#rig.cache.append(...lost);
    }
    if (!is_killed) return;
    if (this.#unacked !== undefined) this.#queue.unshift(this.#unacked);
    this.#unacked = undefined;
    await this.#rig.restart();
  }

  async #finish(): Promise<void> {
    this.#write(this.#entries.length);
    await this.#send(this.#queue.length);
    this.#commit();
    this.#connection?.close();
    await this.#rig.pass(2000);
    this.#commit();
  }
}

describe.each<Driver>(['acked', 'plain', 'async'])(
  'a merge that is killed, its driver %s',
  (driver) => {
    it('has every line in the journal once in the end', async () => {
      await fc.assert(
        fc.asyncProperty(entries, fc.array(step, { maxLength: 30 }), async (all, steps) => {
          const journaled = await new World(driver, all).run(steps);
          expect(journaled.toSorted()).toEqual(all.map(({ log }) => log.toString()).toSorted());
        }),
        { numRuns: RUNS },
      );
    }, 60_000);
  },
);
