import { crc32 } from 'node:zlib';
import type { JournalRecord } from '../../journal/types.ts';
import { changedRecord } from './changed-record.ts';
import type { HeldLine, Place } from './held-line.ts';
import type { Decision, JoinState } from './join-state.ts';
import { type JoinCounts, Joiner, type JoinLimits } from './joiner.ts';
import { Numbering } from './numbering.ts';

/** With nothing to read for so long (or for the time limit), the clock counts. */
const SILENCE_MIN_MS = 1_000;

/**
 * The journal's records with long lines joined: as deterministic as the journal itself, so that
 * an output can write down by seq what it sends, and after a crash gets exactly that again. Pure.
 *
 *     records of the journal ─► take()   ─┐
 *     recorded decisions     ─► reach()  ─┼─► records of the joined stream
 *     the journal is silent  ─► expire() ─┘
 *
 *     journal   │ a1 b │ c │ a2 d │          a1, a2: the fragments of a line
 *     joined    │    b │ c │ a1a2 d │
 *
 * Time is that of the journal (`committed_ms`) as long as there is something to read. What the
 * clock said while there was nothing is a decision, and is recorded.
 *
 * Invariants:
 * - a record keeps its place (numbering.ts); one that is left with nothing is passed over;
 * - another stream that begins with `stateAt(b)`, over the same journal, yields the same numbers
 *   and bytes from the boundary b on, up to where this one was;
 * - `stateAt(b).held` is everything in records before b that is not done before b.
 */
export class JoinedStream {
  readonly numbering: Numbering;
  readonly #joiner: Joiner;
  readonly #begun: JoinState;
  /** Records and the fragments in them that were held before; undefined once they were read. */
  #to_hold: ReadonlyMap<number, ReadonlySet<number>> | undefined;
  /** Decisions that are recorded and not come to yet, */
  readonly #ahead: Decision[];
  /** and those that were, each with the boundary behind it. */
  #made: { readonly decision: Decision; readonly boundary: number }[] = [];
  /** In force before the first of `#made`. */
  #limits: JoinLimits | null;
  /** Lines from several records that went out, in order. */
  #emitted: { readonly places: readonly Place[]; readonly number: number }[] = [];
  /** The last record that was taken or passed over, and how many lines went out behind it. */
  #last_seq: number;
  #lines = 0;
  #events_before = 0;
  #bytes_before = 0;

  /** As `begun` says up to its `end_seq`, from there on with `limits`. */
  constructor(begun: JoinState, limits: JoinLimits | undefined) {
    this.#begun = begun;
    this.numbering = new Numbering(begun.from_seq);
    this.#limits = begun.limits;
    this.#joiner = new Joiner(begun.limits ?? undefined);
    this.#ahead = [...begun.decisions];
    const wanted = limits ?? null;
    const last = lastLimits(begun.limits, begun.decisions);
    if (JSON.stringify(last) !== JSON.stringify(wanted)) {
      this.#ahead.push({ seq: begun.end_seq, limits: wanted });
    }
    const { seq, lines } = this.numbering.lastBefore(begun.boundary);
    this.#last_seq = seq;
    this.#lines = lines;
    if (begun.held.length > 0) this.#to_hold = eventsBySeq(begun.held);
  }

  /** Every number that was given out is before it. */
  get boundary(): number {
    return this.numbering.ofRecord(this.#last_seq) + this.#lines + 1;
  }

  get counts(): Readonly<JoinCounts> {
    return this.#joiner.counts;
  }

  get held_count(): number {
    return this.#joiner.held_count;
  }

  /** The next record of the journal; those that hold the fragments of `begun.held` come first. */
  take(record: JournalRecord): JournalRecord[] {
    if (record.seq <= this.#last_seq) {
      const events = this.#to_hold?.get(record.seq);
      if (events !== undefined) this.#joiner.hold(record, events);
      this.#passed(record);
      return [];
    }
    const out = this.reach(record.seq);
    this.#flush(this.#joiner.due(record.committed_ms), out);
    const left = this.#left(record);
    this.#passed(record);
    this.#last_seq = record.seq;
    this.#lines = 0;
    if (left !== undefined) out.push(left);
    return out;
  }

  /** The journal has nothing more before `seq`: what was decided to happen there happens. */
  reach(seq: number): JournalRecord[] {
    const out: JournalRecord[] = [];
    if (seq <= this.#last_seq) return out;
    this.#to_hold = undefined;
    for (let next = this.#ahead[0]; next !== undefined && next.seq <= seq; next = this.#ahead[0]) {
      this.#ahead.shift();
      this.#passTo(next.seq);
      this.#carryOut(next, out);
    }
    this.#passTo(seq);
    return out;
  }

  /** How long to wait for the next record before `expire()`; undefined while nothing is due ever. */
  wait_ms(now_ms: number): number | undefined {
    const { due_ms } = this.#joiner;
    const is_replaying = this.#ahead.length > 0 || this.#last_seq + 1 < this.#begun.end_seq;
    if (due_ms === undefined || is_replaying) return undefined;
    const timeout_ms = this.#joiner.limits?.timeout_ms ?? 0;
    const silence_min_ms = Math.min(timeout_ms, SILENCE_MIN_MS);
    return Math.min(Math.max(due_ms - now_ms, silence_min_ms), timeout_ms);
  }

  /** The journal was silent until the oldest line was due. */
  expire(): JournalRecord[] {
    const out: JournalRecord[] = [];
    const { due_ms } = this.#joiner;
    if (due_ms !== undefined) this.#carryOut({ seq: this.#last_seq + 1, time_ms: due_ms }, out);
    return out;
  }

  /** What another stream begins with to go on at `boundary`. What is held before `floor_seq` is given up. */
  stateAt(boundary: number, floor_seq: number): JoinState {
    const { epoch, from_seq } = this.#begun;
    const made = this.#made.map(({ decision }) => decision);
    const before = this.#made.filter((each) => each.boundary <= boundary).length;
    return {
      epoch,
      from_seq,
      boundary,
      end_seq: Math.max(this.#begun.end_seq, this.#last_seq + 1),
      limits: lastLimits(this.#limits, made.slice(0, before)),
      decisions: [...made.slice(before), ...this.#ahead],
      held: this.#heldAt(boundary, floor_seq),
    };
  }

  /** Nobody will ask for a state before `boundary` any more. */
  forget(boundary: number): void {
    const done = this.#made.filter((each) => each.boundary <= boundary);
    const decisions = done.map(({ decision }) => decision);
    this.#limits = lastLimits(this.#limits, decisions);
    this.#made = this.#made.slice(done.length);
    this.#emitted = this.#emitted.filter(({ number }) => number >= boundary);
  }

  #heldAt(boundary: number, floor_seq: number): (readonly Place[])[] {
    if (this.#to_hold !== undefined) return [...this.#begun.held];
    const { seq: last_seq } = this.numbering.lastBefore(boundary);
    const later = this.#emitted.filter(({ number }) => number >= boundary);
    return [...later, ...this.#joiner.held]
      .map(({ places }) => places.filter(({ seq }) => seq >= floor_seq && seq <= last_seq))
      .filter((places) => places.length > 0);
  }

  /** Seqs before `seq` that did not come are not in the journal any more. */
  #passTo(seq: number): void {
    if (seq <= this.#last_seq + 1) return;
    this.#last_seq = seq - 1;
    this.#lines = 0;
  }

  #passed({ events_before, count, bytes_before, body_bytes }: JournalRecord): void {
    this.#events_before = events_before + count;
    this.#bytes_before = bytes_before + body_bytes;
  }

  #carryOut(decision: Decision, out: JournalRecord[]): void {
    const lines =
      'time_ms' in decision
        ? this.#joiner.due(decision.time_ms)
        : this.#joiner.limit(decision.limits ?? undefined);
    this.#flush(lines, out);
    this.#made.push({ decision, boundary: this.boundary });
  }

  /** Lines that nothing completed: each is a record of its own, behind the last one. */
  #flush(lines: readonly HeldLine[], out: JournalRecord[]): void {
    for (const line of lines) {
      this.#lines += 1;
      const number = this.boundary - 1;
      this.#emitted.push({ places: line.places, number });
      const entry = line.entry();
      const changes = {
        seq: number,
        count: 1,
        checksum: checksumOf(number, crc32(entry)),
        body: [entry],
        body_bytes: entry.length,
        events_before: this.#events_before - 1,
        bytes_before: this.#bytes_before,
      };
      out.push(changedRecord(line.record, changes));
    }
  }

  /** The record without what is held of it, and with what it completes. */
  #left(record: JournalRecord): JournalRecord | undefined {
    // Planned before there was any joining.
    if (record.seq < this.numbering.from_seq) return record;
    const seq = this.numbering.ofRecord(record.seq);
    const joined = this.#joiner.take(record);
    if (joined === undefined) {
      return changedRecord(record, { seq, checksum: checksumOf(seq, record.checksum) });
    }
    const { body, count, emitted } = joined;
    for (const { places } of emitted) {
      if (places.some((place) => place.seq < record.seq))
        this.#emitted.push({ places, number: seq });
    }
    if (body.length === 0) return undefined;
    return changedRecord(record, {
      seq,
      count,
      checksum: checksumOf(
        seq,
        body.reduce((sum, part) => crc32(part, sum), 0),
      ),
      body,
      body_bytes: body.reduce((sum, part) => sum + part.length, 0),
      // The sum of both stays what it is in the journal.
      events_before: record.events_before + record.count - count,
    });
  }
}

/** Also over the number: those of different numberings may meet, and chunk ids are made of both. */
function checksumOf(number: number, body_checksum: number): number {
  const bytes = Buffer.allocUnsafe(12);
  bytes.writeUInt32BE(Math.floor(number / 2 ** 32), 0);
  bytes.writeUInt32BE(number % 2 ** 32, 4);
  bytes.writeUInt32BE(body_checksum, 8);
  return crc32(bytes);
}

function lastLimits(before: JoinLimits | null, decisions: readonly Decision[]): JoinLimits | null {
  const last = decisions.findLast((decision) => 'limits' in decision);
  return last === undefined ? before : last.limits;
}

function eventsBySeq(
  held: readonly (readonly Place[])[],
): ReadonlyMap<number, ReadonlySet<number>> {
  const events_by_seq = new Map<number, Set<number>>();
  for (const { seq, event } of held.flat()) {
    const events = events_by_seq.get(seq);
    if (events === undefined) events_by_seq.set(seq, new Set([event]));
    else events.add(event);
  }
  return events_by_seq;
}
