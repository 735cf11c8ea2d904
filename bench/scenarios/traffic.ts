import type { Contestant } from '../contestants/contestant.ts';
import { TooLate, type Worker } from '../lib/worker.ts';
import type { LoadProtocol } from '../processes/load.ts';
import type { SinkProtocol } from '../processes/sink.ts';
import { calibrate } from './calibration.ts';
import { RUN_MAX_BYTES } from './scenario.ts';
import { GaveUp, type Turn } from './turn.ts';

export type Sink = Worker<SinkProtocol>;
export type Load = Worker<LoadProtocol>;
type Sent = Extract<LoadProtocol['report'], { did: 'sent' }>;
type Reached = Extract<SinkProtocol['report'], { did: 'reach' }>;

/** Fluentd's work for a second; others begin to show what they can. */
const FIRST_BATCH_BYTES = 4 * 1024 ** 2;
/** A sink that only counts answers at once. */
const TELL_MAX_MS = 2000;

/** What was sent so far, and that all of it arrives, once; through logboom to the byte. */
export class Traffic {
  readonly #contestant: Contestant;
  readonly #load: Load;
  readonly #turn: Turn;
  #events_count = 0;
  #wire_bytes = 0;
  #body_bytes = 0;

  constructor(contestant: Contestant, load: Load, turn: Turn) {
    this.#contestant = contestant;
    this.#load = load;
    this.#turn = turn;
  }

  get events_count(): number {
    return this.#events_count;
  }

  async send(for_ms: number, max_bytes = RUN_MAX_BYTES): Promise<Sent> {
    this.#load.send({ do: 'send', for_ms, max_bytes });
    const sent = await inTime(this.#load.next('sent', this.#turn.left_ms), this.#turn, async () => {
      return `more was sent than it read, after ${this.#events_count} events`;
    });
    this.#events_count += sent.events_count;
    this.#wire_bytes += sent.wire_bytes;
    this.#body_bytes += sent.body_bytes;
    return sent;
  }

  /** Warms up for `for_ms`. Returns how many bytes a run of `load_ms` may send. */
  async calibrate(sink: Sink, for_ms: number, load_ms: number): Promise<number> {
    const sizes = { first: FIRST_BATCH_BYTES, max: RUN_MAX_BYTES, for_ms, load_ms };
    return calibrate(sizes, async (size) => {
      const { wire_bytes, begin_ms } = await this.send(load_ms, size);
      const { last_ms } = await this.arrival(sink);
      return { size: wire_bytes, took_ms: last_ms - begin_ms };
    });
  }

  /** Waits until the other side has read everything. */
  async close(): Promise<void> {
    this.#load.send({ do: 'close' });
    await inTime(this.#load.next('closed', this.#turn.left_ms), this.#turn, async () => {
      return `it has not read all of ${this.#events_count} events`;
    });
  }

  /** Waits until everything is at the sink; rejects if more than that is. */
  async arrival(sink: Sink): Promise<Reached> {
    const { speaks, name } = this.#contestant;
    const count = speaks === 'bytes' ? this.#wire_bytes : this.#events_count;
    const reached = await arrivalOf(sink, count, this.#turn);
    if (name === 'logboom' && reached.body_bytes !== this.#body_bytes) {
      throw new Error(`${reached.body_bytes} bytes arrived where ${this.#body_bytes} were sent`);
    }
    return reached;
  }
}

/** Waits until so much has come since the sink's start; rejects if more than that has. */
export async function arrivalOf(
  sink: Pick<Sink, 'send' | 'next'>,
  count: number,
  turn: Turn,
): Promise<Reached> {
  sink.send({ do: 'expect', count });
  const reached = await inTime(sink.next('reach', turn.left_ms), turn, async () => {
    sink.send({ do: 'tell' });
    return `${(await sink.next('tell', TELL_MAX_MS)).count} of ${count} arrived`;
  });
  if (reached.count !== count) throw new Error(`${reached.count} arrived where ${count} were sent`);
  return reached;
}

/** Waits for the first that comes. */
export async function beginningAt_ms(sink: Sink, turn: Turn): Promise<number> {
  return (await inTime(sink.next('begin', turn.left_ms), turn, async () => 'nothing arrived'))
    .at_ms;
}

/** What comes too late for the turn is given up, with a word on how far it came. */
export async function inTime<T>(
  report: Promise<T>,
  turn: Turn,
  howFar: () => Promise<string>,
): Promise<T> {
  try {
    return await report;
  } catch (error) {
    if (!(error instanceof TooLate)) throw error;
    throw new GaveUp(turn, await howFar());
  }
}
