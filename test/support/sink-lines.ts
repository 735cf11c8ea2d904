import type { ForwardSink } from './forward-sink.ts';
import { LineCounter } from './line-counter.ts';

/** Counts the numbered lines in what a sink has taken. */
export class SinkLines {
  readonly #sink: ForwardSink;
  readonly #field: string;
  readonly #counter = new LineCounter();
  #chunks_counted = 0;

  /** `field`: of an event, where its line is. */
  constructor(sink: ForwardSink, field: string) {
    this.#sink = sink;
    this.#field = field;
  }

  /** After it has seen what arrived since it was last asked. */
  get counter(): LineCounter {
    for (const { entries } of this.#sink.taken.slice(this.#chunks_counted)) {
      for (const { record } of entries) this.#counter.note(String(record[this.#field]));
      this.#chunks_counted++;
    }
    return this.#counter;
  }
}
