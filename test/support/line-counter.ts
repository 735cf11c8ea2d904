/** What became of numbered lines. */
export interface LineReport {
  readonly written: number;
  readonly arrived: number;
  readonly lost: number;
  /** Arrivals beyond the first of a line. */
  readonly doubled: number;
  /** Lines whose first arrival came after that of a later line of the same stream. */
  readonly out_of_order: number;
  /** The first few of each kind, for the failure message. */
  readonly examples: readonly string[];
}

const NUMBERED = /^(\S+ \S+) (\d+)(?:\s|$)/;
const EXAMPLES_MAX = 10;

/**
 * Counts numbered lines, `<writer> <source> <n> ...` with n from 1, per stream
 * (`<writer> <source>`). Text that is no such line is ignored: continued fragments of a
 * long line, a program's own output.
 */
export class LineCounter {
  readonly #streams = new Map<string, Stream>();

  note(text: string): void {
    const [, name, digits] = NUMBERED.exec(text) ?? [];
    if (name === undefined) return;
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { arrivals: [], last_first: 0, distinct: 0, out_of_order: [] };
      this.#streams.set(name, stream);
    }
    const n = Number(digits);
    const seen = stream.arrivals[n] ?? 0;
    stream.arrivals[n] = seen + 1;
    if (seen > 0) return;
    stream.distinct++;
    if (n < stream.last_first) stream.out_of_order.push(n);
    stream.last_first = Math.max(stream.last_first, n);
  }

  /** Lines that arrived at least once, in all streams. */
  get distinct(): number {
    let sum = 0;
    for (const stream of this.#streams.values()) sum += stream.distinct;
    return sum;
  }

  /** `written` names every stream and its last line's number. */
  report(written: ReadonlyMap<string, number>): LineReport {
    let arrived = 0;
    let doubled = 0;
    const lost: string[] = [];
    const out_of_order: string[] = [];
    for (const [name, last] of written) {
      const stream = this.#streams.get(name);
      for (let n = 1; n <= last; n++) {
        const arrivals = stream?.arrivals[n] ?? 0;
        if (arrivals === 0) lost.push(`lost: ${name} ${n}`);
        else arrived++;
        if (arrivals > 1) doubled += arrivals - 1;
      }
      for (const n of stream?.out_of_order ?? []) out_of_order.push(`out of order: ${name} ${n}`);
    }
    return {
      written: [...written.values()].reduce((sum, last) => sum + last, 0),
      arrived,
      lost: lost.length,
      doubled,
      out_of_order: out_of_order.length,
      examples: [...lost.slice(0, EXAMPLES_MAX), ...out_of_order.slice(0, EXAMPLES_MAX)],
    };
  }
}

interface Stream {
  /** How often line n arrived, at index n. */
  readonly arrivals: number[];
  /** The highest line number that arrived so far. */
  last_first: number;
  distinct: number;
  readonly out_of_order: number[];
}
