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

const LINE = /^(\S+ \S+) (\d+|same)(?:\s|$)/;
const SAME = ' same';
const EXAMPLES_MAX = 10;

/**
 * Counts numbered lines, `<writer> <source> <n> ...` with n from 1, per stream
 * (`<writer> <source>`), and lines that are all alike, `<writer> <source> same`, of which
 * the same number stands behind each numbered one. Text that is no such line is ignored:
 * continued fragments of a long line, a program's own output.
 */
export class LineCounter {
  readonly #streams = new Map<string, Stream>();

  note(text: string): void {
    const [, name, number] = LINE.exec(text) ?? [];
    if (name === undefined) return;
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { arrivals: [], last_first: 0, distinct: 0, out_of_order: [], same_behind: [] };
      this.#streams.set(name, stream);
    }
    if (number === 'same') {
      stream.same_behind[stream.last_first] = (stream.same_behind[stream.last_first] ?? 0) + 1;
      stream.distinct++;
      return;
    }
    const n = Number(number);
    const seen = stream.arrivals[n] ?? 0;
    stream.arrivals[n] = seen + 1;
    if (seen > 0) return;
    stream.distinct++;
    if (n < stream.last_first) stream.out_of_order.push(n);
    stream.last_first = Math.max(stream.last_first, n);
  }

  /** Lines that arrived at least once, in all streams; lines that are all alike count each time. */
  get distinct(): number {
    let sum = 0;
    for (const stream of this.#streams.values()) sum += stream.distinct;
    return sum;
  }

  /** `written` names every stream and its last line's number, or as `<stream> same` how many alike. */
  report(written: ReadonlyMap<string, number>): LineReport {
    const tallies = [...written].map(([name, lines]) =>
      name.endsWith(SAME) ? this.#tallySame(name, lines, written) : this.#tally(name, lines),
    );
    const sum = (count: (tally: Tally) => number): number =>
      tallies.reduce((total, tally) => total + count(tally), 0);
    return {
      written: [...written.values()].reduce((total, lines) => total + lines, 0),
      arrived: sum(({ arrived }) => arrived),
      lost: sum(({ lost }) => lost.length),
      doubled: sum(({ doubled }) => doubled),
      out_of_order: sum(({ out_of_order }) => out_of_order.length),
      examples: [
        ...tallies.flatMap(({ lost }) => lost).slice(0, EXAMPLES_MAX),
        ...tallies.flatMap(({ out_of_order }) => out_of_order).slice(0, EXAMPLES_MAX),
      ],
    };
  }

  #tally(name: string, last: number): Tally {
    const stream = this.#streams.get(name);
    const tally: Tally = { arrived: 0, doubled: 0, lost: [], out_of_order: [] };
    for (let n = 1; n <= last; n++) {
      const arrivals = stream?.arrivals[n] ?? 0;
      if (arrivals === 0) tally.lost.push(`lost: ${name} ${n}`);
      else tally.arrived++;
      if (arrivals > 1) tally.doubled += arrivals - 1;
    }
    for (const n of stream?.out_of_order ?? []) {
      tally.out_of_order.push(`out of order: ${name} ${n}`);
    }
    return tally;
  }

  /** Lines all alike: too few are lost, too many doubled, and one behind the wrong number is out of order. */
  #tallySame(name: string, total: number, written: ReadonlyMap<string, number>): Tally {
    const numbered = name.slice(0, -SAME.length);
    const numbers = written.get(numbered) ?? 1;
    const behind = this.#streams.get(numbered)?.same_behind ?? [];
    let arrived = 0;
    const misplaced: string[] = [];
    for (let n = 0; n <= numbers; n++) {
      const wanted = n === 0 ? 0 : total / numbers;
      const found = behind[n] ?? 0;
      arrived += found;
      const more = Math.max(0, found - wanted);
      misplaced.push(...Array(more).fill(`out of order: ${name} behind ${n}`));
    }
    const doubled = Math.max(0, arrived - total);
    const lost = Math.max(0, total - arrived);
    return {
      arrived: arrived - doubled,
      doubled,
      lost: Array(lost).fill(`lost: ${name}`),
      out_of_order: misplaced.slice(doubled),
    };
  }
}

/** What became of one stream. */
interface Tally {
  arrived: number;
  doubled: number;
  readonly lost: string[];
  readonly out_of_order: string[];
}

interface Stream {
  /** How often line n arrived, at index n. */
  readonly arrivals: number[];
  /** The highest line number that arrived so far. */
  last_first: number;
  distinct: number;
  readonly out_of_order: number[];
  /** How many lines `same` arrived while n was the highest number, at index n. */
  readonly same_behind: number[];
}
