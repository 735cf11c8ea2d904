import { decodeMulti } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../../src/journal/types.ts';
import {
  decodeJoined,
  encodeJoined,
  type JoinState,
} from '../../../src/outputs/joining/join-state.ts';
import { JoinedStream } from '../../../src/outputs/joining/joined-stream.ts';
import type { JoinLimits } from '../../../src/outputs/joining/joiner.ts';
import { fragment, shortLine } from '../../support/fragments.ts';
import { recordOf } from '../forward/chunks.ts';

const EPOCH = 1;

/** What a stream is fed: a record of the journal, or a silence that lasts until the oldest line is due. */
type Step = JournalRecord | 'silence';

interface Written {
  readonly tag: string;
  readonly source: 'stdout' | 'stderr';
  /** Of one line: 0 for a short one. */
  readonly fragments: number;
  readonly lost: readonly boolean[];
}

const written = fc.record({
  tag: fc.constantFrom('a', 'b'),
  source: fc.constantFrom('stdout' as const, 'stderr' as const),
  fragments: fc.nat({ max: 5 }),
  lost: fc.array(
    fc.nat({ max: 7 }).map((n) => n === 0),
    { minLength: 5, maxLength: 5 },
  ),
});

/** An event, as the token that is its log: `<line.ordinal>`. */
interface Event {
  readonly tag: string;
  readonly stream: string;
  readonly token: string;
  readonly entry: Buffer;
}

function eventsOf(all: readonly Written[]): Event[] {
  return all.flatMap(({ tag, source, fragments, lost }, n): Event[] => {
    const stream = `${tag} ${source}`;
    if (fragments === 0) {
      const token = `<${n}.0>`;
      return [{ tag, stream, token, entry: shortLine(token, { source }) }];
    }
    return Array.from({ length: fragments }, (_, i) => {
      const token = `<${n}.${i + 1}>`;
      const entry = fragment({ id: `${n}`, source }, i + 1, token, i + 1 === fragments);
      return { tag, stream, token, entry };
    }).filter((_, i) => !lost[i]);
  });
}

/** Streams interleave; each keeps its own order. `picks` says whose event comes next. */
function interleaved(events: readonly Event[], picks: readonly number[]): Event[] {
  const streams = new Set(events.map(({ stream }) => stream));
  const queues = [...streams].map((stream) => events.filter((event) => event.stream === stream));
  const out: Event[] = [];
  for (let i = 0; out.length < events.length; i++) {
    const left = queues.filter((queue) => queue.length > 0);
    const event = left[(picks[i % picks.length] ?? 0) % left.length]?.shift();
    if (event !== undefined) out.push(event);
  }
  return out;
}

const journals = fc
  .record({
    lines: fc.array(written, { minLength: 1, maxLength: 25 }),
    picks: fc.array(fc.nat({ max: 99 }), { minLength: 7, maxLength: 30 }),
    sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 10 }),
    pauses: fc.array(fc.integer({ min: -20, max: 90 }), { minLength: 3, maxLength: 10 }),
    silences: fc.array(fc.nat({ max: 4 }), { minLength: 3, maxLength: 10 }),
    gaps: fc.array(fc.constantFrom(1, 1, 1, 2), { minLength: 3, maxLength: 10 }),
    first_seq: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ lines, picks, sizes, pauses, silences, gaps, first_seq }) => {
    const events = interleaved(eventsOf(lines), picks);
    const at = (list: readonly number[], i: number): number => list[i % list.length] as number; // none is empty
    const steps: Step[] = [];
    let seq = first_seq - 1;
    let committed_ms = 1000;
    let events_before = 0;
    for (let i = 0, n = 0; i < events.length; n++) {
      const [{ tag }] = events.slice(i) as [Event];
      const taken = events.slice(i, i + at(sizes, n));
      const other = taken.findIndex((event) => event.tag !== tag);
      const run = other < 0 ? taken : taken.slice(0, other);
      seq += at(gaps, n);
      committed_ms += at(pauses, n);
      const body = Buffer.concat(run.map(({ entry }) => entry));
      steps.push(recordOf(seq, tag, body, { count: run.length, committed_ms, events_before }));
      events_before += run.length;
      i += run.length;
      if (at(silences, n) === 0) steps.push('silence');
    }
    return { lines, events, steps, first_seq };
  });

const limits = fc.record({
  max_bytes: fc.constantFrom(12, 1000),
  timeout_ms: fc.constantFrom(50, 100_000),
});

const beginningAt = (seq: number, in_force: JoinLimits | null): JoinState => ({
  epoch: EPOCH,
  from_seq: seq,
  boundary: seq,
  end_seq: seq,
  limits: in_force,
  decisions: [],
  held: [],
});

const isRecord = (step: Step): step is JournalRecord => step !== 'silence';

function run(stream: JoinedStream, steps: readonly Step[]): JournalRecord[] {
  return steps.flatMap((step) => (step === 'silence' ? stream.expire() : stream.take(step)));
}

/** Everything that is still held. */
function rest(stream: JoinedStream): JournalRecord[] {
  const out: JournalRecord[] = [];
  while (stream.held_count > 0) out.push(...stream.expire());
  return out;
}

interface Sent {
  readonly tag: string;
  readonly stream: string;
  readonly tokens: readonly string[];
  readonly is_whole: boolean;
}

function sentBy(records: readonly JournalRecord[]): Sent[] {
  return records.flatMap(({ tag, body, count }) => {
    const entries = [...decodeMulti(Buffer.concat(body))] as [unknown, Record<string, string>][];
    expect(entries).toHaveLength(count);
    return entries.map(([, fields]) => ({
      tag: tag.toString(),
      stream: `${tag.toString()} ${fields['source']}`,
      tokens: fields['log']?.match(/<[^>]*>/g) ?? [],
      is_whole: fields['partial_message'] === undefined,
    }));
  });
}

/** A stream that lives, crashes and goes on from some boundary, again and again. */
class Relived {
  readonly #steps: readonly Step[];
  readonly #sent = new Map<number, JournalRecord>();
  #state: JoinState;
  /** How many steps any life has seen. */
  #seen = 0;

  constructor(steps: readonly Step[], begun: JoinState) {
    this.#steps = steps;
    this.#state = begun;
  }

  /** Takes so many steps, then crashes with some boundary saved. */
  live(count: number, boundary: number, in_force: JoinLimits | undefined): void {
    const { boundary: begun_at } = this.#state;
    const stream = new JoinedStream(this.#state, in_force);
    const numbers = this.#take(stream, count).map(({ seq }) => seq);
    const boundaries = [begun_at, ...numbers.flatMap((seq) => [seq, seq + 1]), stream.boundary];
    const saved = boundaries[boundary % boundaries.length] ?? begun_at;
    this.#state = written_down(stream.stateAt(saved, 0));
    stream.forget(saved);
    expect(written_down(stream.stateAt(saved, 0))).toEqual(this.#state);
  }

  /** Takes everything; returns every token that was sent. */
  toTheEnd(in_force: JoinLimits): string[] {
    const stream = new JoinedStream(this.#state, in_force);
    this.#take(stream, Number.POSITIVE_INFINITY);
    for (const record of rest(stream)) this.#sent.set(record.seq, record);
    const sent = sentBy([...this.#sent.values()]);
    return sent.flatMap(({ tokens }) => tokens).toSorted();
  }

  /** What was sent before under a number is sent again as it was. */
  #take(stream: JoinedStream, count: number): JournalRecord[] {
    const all: JournalRecord[] = [];
    const { seq: done_seq } = stream.numbering.lastBefore(this.#state.boundary);
    const from_seq = Math.min(...this.#state.held.flat().map(({ seq }) => seq), done_seq + 1);
    const last_number = Math.max(0, ...this.#sent.keys());
    let left = count;
    let next_seq = from_seq;
    for (const [i, step] of this.#steps.entries()) {
      const is_past = step === 'silence' ? i < this.#seen : step.seq < from_seq;
      if (is_past || left <= 0) continue;
      left -= 1;
      this.#seen = Math.max(this.#seen, i + 1);
      if (step !== 'silence') next_seq = step.seq + 1;
      const out = step === 'silence' ? stream.expire() : stream.take(step);
      all.push(...out, ...stream.reach(next_seq));
    }
    for (const record of all) {
      const before = this.#sent.get(record.seq);
      if (record.seq <= last_number) expect(record).toEqual(before);
      this.#sent.set(record.seq, record);
    }
    return all;
  }
}

const lineOf = (token: string): number => Number(token.slice(1, token.indexOf('.')));
const ordinalOf = (token: string): number => Number(token.slice(token.indexOf('.') + 1, -1));

describe('a joined stream', () => {
  it('loses, doubles and mixes nothing, whatever is lost, cut or late', () => {
    fc.assert(
      fc.property(journals, limits, ({ lines, events, steps, first_seq }, in_force) => {
        const stream = new JoinedStream(beginningAt(first_seq, in_force), in_force);
        const records = [...run(stream, steps), ...rest(stream)];
        const sent = sentBy(records);
        expect(sent.flatMap(({ tokens }) => tokens).toSorted()).toEqual(
          events.map(({ token }) => token).toSorted(),
        );
        for (const { tokens, is_whole } of sent) {
          const [first] = tokens as [string];
          expect(new Set(tokens.map(lineOf)).size).toBe(1);
          expect(tokens.map(ordinalOf)).toEqual(tokens.map((_, i) => ordinalOf(first) + i));
          const all = Math.max(1, lines[lineOf(first)]?.fragments ?? 0);
          if (is_whole) expect(tokens).toHaveLength(all);
          expect(tokens.join('').length <= in_force.max_bytes || tokens.length === 1).toBe(true);
        }
        const numbers = records.map(({ seq }) => seq);
        expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it('joins every line of which all fragments come in time, and keeps the order of a source', () => {
    fc.assert(
      fc.property(journals, ({ lines, events, steps, first_seq }) => {
        const in_force = { max_bytes: 1000, timeout_ms: 1e9 };
        const stream = new JoinedStream(beginningAt(first_seq, in_force), in_force);
        const sent = sentBy(run(stream, steps.filter(isRecord)));
        const wholes = new Set(
          sent.filter(({ is_whole }) => is_whole).map(({ tokens }) => lineOf(tokens[0] ?? '')),
        );
        for (const [n, { fragments, lost }] of lines.entries()) {
          expect(wholes.has(n)).toBe(!lost.slice(0, fragments).includes(true));
        }
        for (const source of new Set(events.map((event) => event.stream))) {
          const last_of = sent
            .filter((each) => each.stream === source && each.is_whole)
            .map(({ tokens }) => tokens.at(-1));
          const expected = events.filter(
            (event) => event.stream === source && last_of.includes(event.token),
          );
          expect(last_of).toEqual(expected.map(({ token }) => token));
        }
      }),
    );
  });

  it('goes on after every crash from any boundary as it did, under other limits too', () => {
    const crash = fc.record({
      steps: fc.integer({ min: 1, max: 25 }),
      boundary: fc.nat(),
      later: fc.option(limits, { nil: undefined }),
    });
    fc.assert(
      fc.property(
        journals,
        limits,
        fc.array(crash, { minLength: 1, maxLength: 4 }),
        (journal, in_force, crashes) => {
          const relived = new Relived(journal.steps, beginningAt(journal.first_seq, in_force));
          for (const { steps, boundary, later } of crashes) relived.live(steps, boundary, later);
          expect(relived.toTheEnd(in_force)).toEqual(
            journal.events.map(({ token }) => token).toSorted(),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that is turned off lets go of what it holds, and passes fragments on', () => {
    const in_force = { max_bytes: 1000, timeout_ms: 5000 };
    const first = new JoinedStream(beginningAt(1, in_force), in_force);
    const begun = recordOf(1, 'a', fragment({ id: 'x' }, 1, '<0.1>', false));
    expect(first.take(begun)).toEqual([]);
    const second = new JoinedStream(first.stateAt(first.boundary, 0), undefined);
    expect(second.take(begun)).toEqual([]);
    expect(sentBy(second.reach(2))).toMatchObject([{ tokens: ['<0.1>'], is_whole: false }]);
    const next = recordOf(2, 'a', fragment({ id: 'x' }, 2, '<0.2>', true));
    expect(sentBy(second.take(next))).toMatchObject([{ tokens: ['<0.2>'], is_whole: false }]);
    expect(second.stateAt(second.boundary, 0)).toMatchObject({ limits: null, held: [] });
  });

  it('leaves records alone that were planned before there was any joining', () => {
    const in_force = { max_bytes: 1000, timeout_ms: 5000 };
    const stream = new JoinedStream({ ...beginningAt(3, in_force), boundary: 1 }, in_force);
    const planned = [1, 2].map((seq) => recordOf(seq, 'a', fragment({ id: 'x' }, seq, 'x', false)));
    expect(planned.flatMap((record) => stream.take(record))).toEqual(planned);
    expect(stream.take(recordOf(3, 'a', fragment({ id: 'y' }, 1, 'y', false)))).toEqual([]);
  });

  it('gives no two records the same number and checksum, also over two numberings', () => {
    const in_force = { max_bytes: 1000, timeout_ms: 5000 };
    const body = shortLine('the same');
    const identities = [1, 2, 3].flatMap((from_seq) => {
      const stream = new JoinedStream(beginningAt(from_seq, in_force), in_force);
      return [from_seq + 1, from_seq + 2].flatMap((seq) =>
        stream.take(recordOf(seq, 'a', body)).map((record) => `${record.seq} ${record.checksum}`),
      );
    });
    expect(new Set(identities).size).toBe(identities.length);
  });
});

describe('how long to wait for the next record', () => {
  const in_force = { max_bytes: 1000, timeout_ms: 5000 };
  const holding = (committed_ms: number): JoinedStream => {
    const stream = new JoinedStream(beginningAt(1, in_force), in_force);
    stream.take(recordOf(1, 'a', fragment({ id: 'x' }, 1, 'x', false), { committed_ms }));
    return stream;
  };

  it('is forever while nothing is held', () => {
    expect(new JoinedStream(beginningAt(1, in_force), in_force).wait_ms(0)).toBeUndefined();
  });

  it('is the rest of the time limit, never more, and never nothing: a backlog is no silence', () => {
    expect(holding(10_000).wait_ms(12_000)).toBe(3000);
    expect(holding(10_000).wait_ms(0)).toBe(5000);
    expect(holding(10_000).wait_ms(99_000)).toBe(1000);
  });

  it('is forever while records come again that came before: what happened then is recorded', () => {
    const first = holding(0);
    const state = first.stateAt(1, 0);
    first.expire();
    expect(new JoinedStream(state, in_force).wait_ms(99_000)).toBeUndefined();
  });
});

/** Through its bytes and back. */
function written_down(state: JoinState): JoinState {
  const window = Buffer.from('the own window');
  const read = decodeJoined(encodeJoined(state, window));
  expect(read?.window).toEqual(window);
  if (read === undefined) throw new Error('it was just written');
  return read.state;
}
