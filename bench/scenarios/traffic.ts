import type { Contestant } from '../contestants/contestant.ts';
import type { Worker } from '../lib/worker.ts';
import type { LoadProtocol } from '../processes/load.ts';
import type { SinkProtocol } from '../processes/sink.ts';
import { RUN_MAX_BYTES, RUN_MAX_MS } from './scenario.ts';

export type Sink = Worker<SinkProtocol>;
export type Load = Worker<LoadProtocol>;
type Sent = Extract<LoadProtocol['report'], { did: 'sent' }>;
type Reached = Extract<SinkProtocol['report'], { did: 'reach' }>;

/** What was sent so far, and that all of it arrives, once; through logboom to the byte. */
export class Traffic {
  readonly #contestant: Contestant;
  readonly #load: Load;
  #events_count = 0;
  #wire_bytes = 0;
  #body_bytes = 0;

  constructor(contestant: Contestant, load: Load) {
    this.#contestant = contestant;
    this.#load = load;
  }

  get events_count(): number {
    return this.#events_count;
  }

  async send(for_ms: number, max_bytes = RUN_MAX_BYTES): Promise<Sent> {
    this.#load.send({ do: 'send', for_ms, max_bytes });
    const sent = await this.#load.next('sent', RUN_MAX_MS);
    this.#events_count += sent.events_count;
    this.#wire_bytes += sent.wire_bytes;
    this.#body_bytes += sent.body_bytes;
    return sent;
  }

  /** Waits until the other side has read everything. */
  async close(): Promise<void> {
    this.#load.send({ do: 'close' });
    await this.#load.next('closed', RUN_MAX_MS);
  }

  /** Waits until everything is at the sink; rejects if more than that is. */
  async arrival(sink: Sink): Promise<Reached> {
    const { speaks, name } = this.#contestant;
    const count = speaks === 'bytes' ? this.#wire_bytes : this.#events_count;
    sink.send({ do: 'expect', count });
    const reached = await sink.next('reach', RUN_MAX_MS);
    if (reached.count !== count) {
      throw new Error(`${reached.count} arrived where ${count} were sent`);
    }
    if (name === 'logboom' && reached.body_bytes !== this.#body_bytes) {
      throw new Error(`${reached.body_bytes} bytes arrived where ${this.#body_bytes} were sent`);
    }
    return reached;
  }
}
