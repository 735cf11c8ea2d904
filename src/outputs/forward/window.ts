import type { Chunk } from './chunk.ts';
import { OpenChunks } from './open-chunks.ts';
import { ServerLine } from './server-line.ts';

/** The chunks of one tag that are not settled, in journal order. All go to the same server. */
interface Lane {
  readonly tag: Buffer;
  server: number;
  in_flight_count: number;
  readonly chunks: Chunk[];
}

/** Which server takes a tag's chunks at the moment; an index. */
export type Route = (tag: Buffer) => number;

/**
 * What an output has planned and not yet got rid of. Pure: no sockets, no clock.
 *
 *         cursor                                                   end
 *           │                                                       │
 *           ▼                                                       ▼
 *     ──────┬─────────────────────────────┬─────────────────────────┬──────────
 *      done │  acked │ in flight │ acked   │         pending         │  not read
 *     ──────┴─────────────────────────────┴─────────────────────────┴──────────
 *
 * Invariants:
 * - A tag's unsettled chunks belong to one server (its lane), and are sent there in journal order.
 * - A lane changes its server only while nothing of it is in flight.
 * - After a failure everything that was in flight is pending again, before all later chunks.
 * - A chunk that is sent `alone` has nothing in flight beside it on its server.
 * - `cursor_seq` never moves back, and never past a chunk that is not settled.
 */
export class AckWindow {
  readonly #lines: ServerLine[];
  readonly #lanes = new Map<string, Lane>();
  readonly #open = new OpenChunks();
  #end_seq: number;
  /** Where the journal has moved the cursor itself; a chunk that lies across it is still sent. */
  #floor_seq: number;

  constructor(servers_count: number, start_seq: number) {
    this.#lines = Array.from({ length: servers_count }, () => new ServerLine());
    this.#end_seq = start_seq;
    this.#floor_seq = start_seq;
  }

  /** Everything before it is settled. */
  get cursor_seq(): number {
    return Math.max(this.#floor_seq, this.needed_seq);
  }

  /** No unsettled chunk looks into a record before it. */
  get needed_seq(): number {
    return this.oldest?.range.first_seq ?? this.#end_seq;
  }

  /** Everything from here on is not planned yet. */
  get end_seq(): number {
    return this.#end_seq;
  }

  get unsettled_count(): number {
    return this.#open.count;
  }

  get unsettled_bytes(): number {
    return this.#open.bytes;
  }

  /** What the unsettled chunks take in the recorded window, about. */
  get recorded_bytes(): number {
    return this.#open.recorded_bytes;
  }

  /** The chunk at the cursor. */
  get oldest(): Chunk | undefined {
    return this.#open.oldest;
  }

  /** What has to be recorded, in journal order. */
  unsettled(): Chunk[] {
    return this.#open.list();
  }

  inFlightCount(server: number): number {
    return this.#line(server).in_flight_count;
  }

  /** The chunk that a server would ack with this id. */
  inFlight(server: number, id: string): Chunk | undefined {
    return this.#line(server).inFlight(id);
  }

  /** When the oldest chunk in flight became the oldest; the ack timeout counts from there. */
  oldestSince_ms(server: number): number | undefined {
    return this.#line(server).oldest_since_ms;
  }

  /** Whether `next(server)` would return a chunk. */
  hasNext(server: number): boolean {
    return this.#line(server).head() !== undefined;
  }

  /**
   * Adds planned chunks, in journal order; they cover everything from `end_seq` to the new `end_seq`.
   * Those that the journal has dropped meanwhile are left out.
   */
  add(chunks: readonly Chunk[], end_seq: number, route: Route): void {
    for (const chunk of chunks) {
      if (chunk.range.last_seq < this.#floor_seq) continue;
      const lane = this.#laneFor(chunk, route);
      lane.chunks.push(chunk);
      this.#line(lane.server).append(chunk);
      this.#open.append(chunk);
    }
    this.#end_seq = Math.max(this.#end_seq, end_seq);
  }

  /** Takes the next chunk to send to a server: pending becomes in flight. */
  next(server: number, now_ms: number): Chunk | undefined {
    const chunk = this.#line(server).take(now_ms);
    if (chunk !== undefined) this.#lane(chunk).in_flight_count++;
    return chunk;
  }

  /** Settles the chunk that a server acked. `dropped`: the journal has dropped it meanwhile. */
  ack(server: number, id: string, now_ms: number): Chunk | 'dropped' | 'unknown' {
    const chunk = this.#line(server).acked(id, now_ms);
    if (chunk === undefined) return 'unknown';
    if (chunk.state !== 'in_flight') return 'dropped';
    this.#lane(chunk).in_flight_count--;
    this.#settle(chunk);
    return chunk;
  }

  /** The connection to a server broke: what was in flight is pending again. Returns it, in the order sent. */
  fail(server: number, now_ms: number): Chunk[] {
    const line = this.#line(server);
    const lost = line.takeInFlight().filter((chunk) => chunk.state === 'in_flight');
    for (const chunk of lost) {
      this.#lane(chunk).in_flight_count--;
      chunk.state = 'pending';
      chunk.unknown_since_ms ??= now_ms;
    }
    line.insert(lost);
    return lost;
  }

  /**
   * Moves lanes to the servers that `route` now names, unless something of theirs is in flight or
   * `may_leave` forbids it for a chunk that its present server may have. Returns those that were moved so.
   */
  reroute(route: Route, may_leave: (chunk: Chunk) => boolean): Chunk[] {
    const doubled: Chunk[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.in_flight_count > 0) continue;
      const server = route(lane.tag);
      if (server === lane.server) continue;
      const unknown = lane.chunks.filter((chunk) => chunk.unknown_since_ms !== undefined);
      if (!unknown.every(may_leave)) continue;
      this.#move(lane, server);
      for (const chunk of unknown) chunk.unknown_since_ms = undefined;
      doubled.push(...unknown);
    }
    return doubled;
  }

  /** Since when the oldest chunk of unknown outcome of a server has been one. */
  unknownSince_ms(server: number): number | undefined {
    const since_ms = this.#unknown(server).map((chunk) => chunk.unknown_since_ms ?? 0);
    return since_ms.length === 0 ? undefined : Math.min(...since_ms);
  }

  /** Another one has taken the server's place, to which its chunks go now. Returns those that the first may have. */
  replaced(server: number): Chunk[] {
    const doubled = this.#unknown(server);
    for (const chunk of doubled) chunk.unknown_since_ms = undefined;
    return doubled;
  }

  /** From now on the chunk is only sent with nothing beside it. */
  isolate(chunk: Chunk): void {
    chunk.alone = true;
  }

  /** A held chunk is not sent, and all behind it wait. */
  hold(chunk: Chunk, held: boolean): void {
    chunk.held = held;
  }

  /** Lets later chunks overtake a pending one. */
  setAside(chunk: Chunk): void {
    this.#line(this.#lane(chunk).server).remove(chunk);
    chunk.state = 'aside';
  }

  /** Ends `setAside`: the chunk is the first of its tag again. */
  takeBack(chunk: Chunk): void {
    chunk.state = 'pending';
    this.#line(this.#lane(chunk).server).insert([chunk]);
  }

  /** Puts the parts of a pending chunk in its place. */
  replace(chunk: Chunk, parts: readonly Chunk[]): void {
    const lane = this.#lane(chunk);
    const line = this.#line(lane.server);
    line.remove(chunk);
    line.insert(parts);
    lane.chunks.splice(lane.chunks.indexOf(chunk), 1, ...parts);
    this.#open.replace(chunk, parts);
  }

  /** Gives up a chunk that is pending or aside. */
  giveUp(chunk: Chunk): void {
    if (chunk.state === 'pending') this.#line(this.#lane(chunk).server).remove(chunk);
    this.#settle(chunk);
  }

  /**
   * The journal dropped everything before `seq`: chunks that lie wholly before it are settled.
   * An ack that still comes for one is known and means nothing. Returns them.
   */
  dropBefore(seq: number): Chunk[] {
    const gone = this.unsettled().filter((chunk) => chunk.range.last_seq < seq);
    for (const chunk of gone) {
      if (chunk.state === 'in_flight') {
        this.#lane(chunk).in_flight_count--;
        this.#settle(chunk);
      } else {
        this.giveUp(chunk);
      }
    }
    this.#end_seq = Math.max(this.#end_seq, seq);
    this.#floor_seq = Math.max(this.#floor_seq, seq);
    return gone;
  }

  #unknown(server: number): Chunk[] {
    const own = [...this.#lanes.values()].filter((lane) => lane.server === server);
    return own.flatMap(({ chunks }) =>
      chunks.filter((chunk) => chunk.unknown_since_ms !== undefined),
    );
  }

  #line(server: number): ServerLine {
    const line = this.#lines[server];
    if (line === undefined) throw new RangeError(`no server ${server} of ${this.#lines.length}`);
    return line;
  }

  #lane(chunk: Chunk): Lane {
    const lane = this.#lanes.get(chunk.tag_key);
    if (lane === undefined) throw new Error(`chunk ${chunk.id} is ${chunk.state} but has no lane`);
    return lane;
  }

  #laneFor(chunk: Chunk, route: Route): Lane {
    let lane = this.#lanes.get(chunk.tag_key);
    if (lane === undefined) {
      lane = { tag: chunk.tag, server: route(chunk.tag), in_flight_count: 0, chunks: [] };
      this.#lanes.set(chunk.tag_key, lane);
    }
    return lane;
  }

  #move(lane: Lane, server: number): void {
    const pending = lane.chunks.filter((chunk) => chunk.state === 'pending');
    this.#line(lane.server).removeAll(new Set(pending));
    lane.server = server;
    this.#line(server).insert(pending);
  }

  #settle(chunk: Chunk): void {
    const lane = this.#lane(chunk);
    lane.chunks.splice(lane.chunks.indexOf(chunk), 1);
    if (lane.chunks.length === 0) this.#lanes.delete(chunk.tag_key);
    this.#open.settle(chunk);
  }
}
