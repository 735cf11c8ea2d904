import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chunk } from '../../../src/outputs/forward/chunk.ts';
import { AckWindow } from '../../../src/outputs/forward/window.ts';
import { decodeWindow, encodeWindow } from '../../../src/outputs/forward/window-format.ts';
import { chunkOf } from './chunks.ts';

const SERVERS = [0, 1, 2] as const;
const TAGS = ['a', 'b', 'c', 'd'];

type Action =
  | { readonly do: 'plan'; readonly tags: readonly number[]; readonly skipped: number }
  | { readonly do: 'send'; readonly server: number }
  | { readonly do: 'ack'; readonly server: number; readonly which: number }
  | { readonly do: 'fail'; readonly server: number; readonly received: number }
  | { readonly do: 'reroute'; readonly turn: number }
  | { readonly do: 'isolate'; readonly which: number }
  | { readonly do: 'aside'; readonly which: number }
  | { readonly do: 'save' }
  | { readonly do: 'crash'; readonly received: number };

const server = fc.constantFrom(...SERVERS);
const small = fc.nat({ max: 7 });
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('plan' as const),
        tags: fc.array(fc.nat({ max: 3 }), { maxLength: 6 }),
        skipped: fc.nat({ max: 2 }),
      }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), server }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('ack' as const), server, which: small }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('fail' as const), server, received: small }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('reroute' as const), turn: fc.nat({ max: 2 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('isolate' as const), which: small }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('aside' as const), which: small }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('save' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), received: small }) },
  ),
  { maxLength: 120 },
);

/**
 * Servers that take chunks in the order sent, ack them in any order, and die having taken
 * any number of those in flight. `first` is what the rules of order are about: when each
 * chunk was taken for the first time.
 */
class World {
  window = new AckWindow(SERVERS.length, 1);
  next_seq = 1;
  turn = 0;
  now_ms = 0;
  readonly planned = new Map<string, { tag: string; seq: number }>();
  readonly first: { tag: string; seq: number }[] = [];
  readonly taken = new Set<string>();
  readonly acked = new Set<string>();
  readonly flights: string[][] = SERVERS.map(() => []);
  aside: Chunk | undefined;
  saved: { cursor_seq: number; bytes: Buffer } = { cursor_seq: 1, bytes: Buffer.alloc(0) };

  route = (tag: Buffer): number => ((tag[0] ?? 0) + this.turn) % SERVERS.length;

  take(id: string): void {
    const place = this.planned.get(id);
    if (place === undefined) throw new Error(`${id} was sent but never planned`);
    if (!this.taken.has(id)) this.first.push(place);
    this.taken.add(id);
  }

  run(action: Action): void {
    this.now_ms++;
    switch (action.do) {
      case 'plan':
        this.plan(action.tags, action.skipped);
        break;
      case 'send':
        this.send(action.server);
        break;
      case 'ack':
        this.ack(action.server, action.which);
        break;
      case 'fail':
        this.fail(action.server, action.received);
        break;
      case 'reroute':
        this.turn = action.turn;
        this.window.reroute(this.route, () => true);
        break;
      case 'isolate':
        this.isolate(action.which);
        break;
      case 'aside':
        this.setAside(action.which);
        break;
      case 'save':
        this.save();
        break;
      case 'crash':
        this.crash(action.received);
        break;
    }
  }

  plan(tags: readonly number[], skipped: number): void {
    const chunks = tags.map((tag) => chunkOf(this.next_seq++, TAGS[tag] ?? 'a'));
    for (const chunk of chunks) {
      this.planned.set(chunk.id, { tag: chunk.tag_key, seq: chunk.range.first_seq });
    }
    this.next_seq += skipped;
    // It would not be its tag's last chunk any more, and be overtaken.
    if (chunks.some(({ tag_key }) => tag_key === this.aside?.tag_key)) this.endAside();
    this.window.add(chunks, this.next_seq, this.route);
    this.save();
  }

  send(to: number): void {
    const flight = this.flights[to] ?? [];
    const had_alone = this.window
      .unsettled()
      .some((chunk) => chunk.alone && flight.includes(chunk.id));
    const chunk = this.window.next(to, this.now_ms);
    if (chunk === undefined) return;
    expect(had_alone, 'sent beside an isolated chunk').toBe(false);
    if (chunk.alone) expect(flight).toEqual([]);
    flight.push(chunk.id);
    const homes = SERVERS.filter((other) =>
      this.flights[other]?.some((id) => this.planned.get(id)?.tag === chunk.tag_key),
    );
    expect(homes, `tag ${chunk.tag_key} in flight on two servers`).toEqual([to]);
  }

  ack(from: number, which: number): void {
    const flight = this.flights[from] ?? [];
    const id = flight[which % Math.max(1, flight.length)];
    if (id === undefined) return;
    const before_seq = this.window.cursor_seq;
    for (const earlier of flight.slice(0, flight.indexOf(id) + 1)) this.take(earlier);
    expect(this.window.ack(from, id, this.now_ms)).toMatchObject({ id });
    expect(this.window.cursor_seq).toBeGreaterThanOrEqual(before_seq);
    flight.splice(flight.indexOf(id), 1);
    this.acked.add(id);
    // What is set aside ends with the next ack: nothing may be overtaken without end.
    this.endAside();
  }

  endAside(): void {
    if (this.aside?.state === 'aside') this.window.takeBack(this.aside);
    this.aside = undefined;
  }

  fail(at: number, received: number): void {
    const flight = this.flights[at] ?? [];
    for (const id of flight.slice(0, received)) this.take(id);
    const lost = this.window.fail(at, this.now_ms);
    expect(lost.map((chunk) => chunk.id)).toEqual(flight);
    flight.length = 0;
  }

  isolate(which: number): void {
    const chunks = this.window.unsettled().filter((chunk) => chunk.state === 'pending');
    const chunk = chunks[which % Math.max(1, chunks.length)];
    if (chunk !== undefined) this.window.isolate(chunk);
  }

  /** Overtaking breaks order on purpose, so the model only lets other tags overtake: the tag's last chunk. */
  setAside(which: number): void {
    if (this.aside !== undefined) return;
    const chunks = this.window.unsettled();
    const candidates = chunks.filter(
      (chunk) =>
        chunk.state === 'pending' &&
        chunks.findLast((other) => other.tag_key === chunk.tag_key) === chunk,
    );
    this.aside = candidates[which % Math.max(1, candidates.length)];
    if (this.aside !== undefined) this.window.setAside(this.aside);
  }

  save(): void {
    const { cursor_seq, end_seq } = this.window;
    this.saved = { cursor_seq, bytes: encodeWindow(3, end_seq, this.window.unsettled()) };
  }

  crash(received: number): void {
    for (const flight of this.flights) {
      for (const id of flight.slice(0, received)) this.take(id);
      flight.length = 0;
    }
    this.aside = undefined;
    this.window = new AckWindow(SERVERS.length, this.saved.cursor_seq);
    const recorded = decodeWindow(this.saved.bytes);
    if (recorded === undefined) return;
    const chunks = recorded.chunks.map(({ id, tag, range }) =>
      chunkOf(range.first_seq, tag.toString(), 1, { id, range }),
    );
    this.window.add(chunks, recorded.end_seq, this.route);
  }

  drain(): void {
    if (this.aside?.state === 'aside') this.window.takeBack(this.aside);
    for (const at of SERVERS) this.fail(at, 0);
    while (this.window.unsettled_count > 0) {
      for (const at of SERVERS) {
        this.send(at);
        this.ack(at, 0);
      }
    }
  }
}

describe('the ack window against servers that fail', () => {
  it('skips nothing, keeps the order of each tag, and pins a tag to one server', () => {
    fc.assert(
      fc.property(actions, (script) => {
        const world = new World();
        for (const action of script) {
          world.run(action);
          for (const [id, { seq }] of world.planned) {
            if (seq < world.window.cursor_seq)
              expect(world.acked.has(id), `cursor passed ${id}`).toBe(true);
          }
        }
        world.drain();
        expect(world.window.cursor_seq).toBe(world.next_seq);
        expect(world.acked.size).toBe(world.planned.size);
        for (const tag of TAGS) {
          const seqs = world.first.filter((place) => place.tag === tag).map(({ seq }) => seq);
          expect(seqs).toEqual([...seqs].toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 600 },
    );
  });
});
