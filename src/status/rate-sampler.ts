import type { Clock } from '../sys/clock.ts';
import type { StatusSource } from './source.ts';
import type { Rates } from './types.ts';

const SAMPLE_EVERY_MS = 1_000;
/** Rates are averages over this many distances between samples. */
const DISTANCES = 5;

interface Amount {
  readonly events: number;
  readonly bytes: number;
}

interface Sample {
  readonly at_ms: number;
  readonly journaled: Amount;
  /** By the output's name. */
  readonly outputs: ReadonlyMap<string, Amount>;
  /** By the container's id. */
  readonly lines: ReadonlyMap<string, number>;
}

const NOTHING: Amount = { events: 0, bytes: 0 };

/**
 * How fast everything moves, from counters that are looked at once a second: events and
 * lines themselves cost nothing for it.
 */
export class RateSampler {
  readonly #source: Pick<StatusSource, 'journal' | 'outputs' | 'containers'>;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #samples: Sample[] = [];
  /** When each container's line count was last seen to grow; wall clock. */
  #last_line_ms = new Map<string, number>();
  #cancel: () => void = () => {};

  constructor(source: Pick<StatusSource, 'journal' | 'outputs' | 'containers'>, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  start(): void {
    this.#take();
    this.#cancel = this.#clock.after(SAMPLE_EVERY_MS, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  get totals(): Rates {
    const oldest = this.#oldest;
    const newest = this.#newest;
    const events_in = newest.journaled.events - oldest.journaled.events;
    const bytes_in = newest.journaled.bytes - oldest.journaled.bytes;
    const out = [...newest.outputs.keys()].map((name) => this.output(name));
    return {
      over_ms: Math.round(newest.at_ms - oldest.at_ms),
      events_in_per_s: this.#perSecond(events_in),
      bytes_in_per_s: this.#perSecond(bytes_in),
      events_out_per_s: out.reduce((sum, { events }) => sum + events, 0),
      bytes_out_per_s: out.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Per second. */
  output(name: string): Amount {
    const before = this.#oldest.outputs.get(name) ?? NOTHING;
    const now = this.#newest.outputs.get(name) ?? NOTHING;
    return {
      events: this.#perSecond(now.events - before.events),
      bytes: this.#perSecond(now.bytes - before.bytes),
    };
  }

  /** Lines of a container, per second. */
  linesPerSecond(id: string): number {
    const now = this.#newest.lines.get(id) ?? 0;
    // One that is new has all its lines from before, such as those of an outage.
    return this.#perSecond(now - (this.#oldest.lines.get(id) ?? now));
  }

  /** To about a second; undefined: its count never grew. */
  lastLineMs(id: string): number | undefined {
    return this.#last_line_ms.get(id);
  }

  get #oldest(): Sample {
    return this.#samples[0] ?? this.#take();
  }

  get #newest(): Sample {
    return this.#samples.at(-1) ?? this.#take();
  }

  /** 0 for a counter that began anew meanwhile. */
  #perSecond(amount: number): number {
    const passed_ms = this.#newest.at_ms - this.#oldest.at_ms;
    return passed_ms <= 0 ? 0 : Math.max(0, (amount * 1000) / passed_ms);
  }

  #take(): Sample {
    const source = this.#source;
    const { events, body_bytes } = source.journal.totals();
    const sample: Sample = {
      at_ms: this.#clock.monotonic_ms(),
      journaled: { events, bytes: body_bytes },
      outputs: new Map(
        source.outputs().map(({ name, stats }) => {
          return [name, { events: stats.events_out, bytes: stats.bytes_out }];
        }),
      ),
      lines: new Map(source.containers().map(({ id, lines }) => [id, lines])),
    };
    this.#noteLastLines(sample);
    this.#samples.push(sample);
    if (this.#samples.length > DISTANCES + 1) this.#samples.shift();
    return sample;
  }

  #noteLastLines({ lines }: Sample): void {
    const before = this.#samples.at(-1)?.lines;
    const now_ms = this.#clock.now_ms();
    const last_line_ms = new Map<string, number>();
    for (const [id, count] of lines) {
      const at_ms = count > (before?.get(id) ?? 0) ? now_ms : this.#last_line_ms.get(id);
      if (at_ms !== undefined) last_line_ms.set(id, at_ms);
    }
    this.#last_line_ms = last_line_ms;
  }
}
