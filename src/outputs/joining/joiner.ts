import type { JournalRecord } from '../../journal/types.ts';
import { CODEC, signalOf } from '../../protocol/codec.ts';
import { type Fragment, fragmentsIn, mayHaveFragments } from './fragment.ts';
import { HeldLine } from './held-line.ts';

export interface JoinLimits {
  /** Of a joined line's `log`. */
  readonly max_bytes: number;
  /** How long after its first fragment a line may be completed. */
  readonly timeout_ms: number;
}

/** What is held of all lines together; beyond it, fragments go out without waiting for the next. */
export const HELD_LIMITS = {
  lines_max: 1024,
  fragments_max: 2048,
  bytes_max: 16 * 1024 * 1024,
} as const;

/** Lines by what became of them. */
export interface JoinCounts {
  joined: number;
  /** Cut: nothing more came in time, */
  timed_out: number;
  /** it would have grown beyond the size cap, */
  too_large: number;
  /** a fragment did not continue it, or came without those before it, */
  gaps: number;
  /** or too much was held already. */
  crowded: number;
}

/** What goes out in a record's place. */
export interface JoinedBody {
  readonly body: readonly Buffer[];
  readonly count: number;
  /** Lines, or parts, that are in `body`. */
  readonly emitted: readonly HeldLine[];
}

/**
 * Joins the fragments of long lines. Pure and deterministic: the same records and times in the
 * same order give the same bytes, which is what lets a restart make them again.
 *
 *     record ─► take() ─► its other entries, and the lines that it completes
 *     time   ─► due()  ─► lines that nothing completed in time
 *
 * Invariants:
 * - every fragment leaves exactly once: in a line, or in a part of one;
 * - fragments of one line leave in the order in which they came, the line where its last one was;
 * - what is held stays within `HELD_LIMITS` and one fragment.
 */
export class Joiner {
  readonly counts: JoinCounts = { joined: 0, timed_out: 0, too_large: 0, gaps: 0, crowded: 0 };
  /** In the order in which they began. */
  readonly #held = new Map<string, HeldLine>();
  #limits: JoinLimits | undefined;
  #fragments = 0;
  #bytes = 0;

  /** Without `limits` fragments are events like others. */
  constructor(limits: JoinLimits | undefined) {
    this.#limits = limits;
  }

  get limits(): JoinLimits | undefined {
    return this.#limits;
  }

  get held_count(): number {
    return this.#held.size;
  }

  /** The oldest first. */
  get held(): readonly HeldLine[] {
    return [...this.#held.values()];
  }

  /** When the oldest held line is due; undefined while none is held. */
  get due_ms(): number | undefined {
    for (const line of this.#held.values()) {
      return line.begun_ms + (this.#limits?.timeout_ms ?? 0);
    }
    return undefined;
  }

  /** From now on; returns the lines that are no longer held. */
  limit(limits: JoinLimits | undefined): HeldLine[] {
    this.#limits = limits;
    if (limits !== undefined) return [];
    const held = [...this.#held.values()];
    for (const line of held) this.#release(line);
    return held;
  }

  /** Takes out the lines whose time is over. A clock that was put back that far ends them too. */
  due(now_ms: number): HeldLine[] {
    const due: HeldLine[] = [];
    for (const line of this.#held.values()) {
      if (Math.abs(now_ms - line.begun_ms) < (this.#limits?.timeout_ms ?? 0)) break;
      due.push(line);
    }
    for (const line of due) this.#release(line);
    this.counts.timed_out += due.length;
    return due;
  }

  /** Undefined for a record without fragments, which nearly every one is: it stays as it is. */
  take(record: JournalRecord): JoinedBody | undefined {
    const buf = this.#limits === undefined ? undefined : joinableBody(record);
    if (buf === undefined) return undefined;
    const body: Buffer[] = [];
    const emitted: HeldLine[] = [];
    let fragments = 0;
    let end = 0;
    for (const fragment of fragmentsIn(buf)) {
      if (fragment.offset > end) body.push(buf.subarray(end, fragment.offset));
      end = fragment.offset + fragment.entry.length;
      fragments += 1;
      for (const line of this.#add(fragment, record)) {
        body.push(line.entry());
        emitted.push(line);
      }
    }
    if (fragments === 0) return undefined;
    if (end < buf.length) body.push(buf.subarray(end));
    return { body, count: record.count - fragments + emitted.length, emitted };
  }

  /** Takes back fragments that were held before a restart: those at `events` of a record. */
  hold(record: JournalRecord, events: ReadonlySet<number>): void {
    const buf = joinableBody(record);
    if (buf === undefined) return;
    for (const fragment of fragmentsIn(buf)) {
      if (!events.has(fragment.event)) continue;
      const key = keyOf(record, fragment);
      this.#append(this.#held.get(key) ?? this.#begin(key, record, fragment), fragment, record);
    }
  }

  /** Returns what the fragment sets free: the line that it does not continue, the one that it ends. */
  #add(fragment: Fragment, record: JournalRecord): HeldLine[] {
    const key = keyOf(record, fragment);
    const before = this.#held.get(key);
    const cut = before === undefined ? undefined : this.#cutBetween(before, fragment);
    const freed: HeldLine[] = [];
    if (before !== undefined && cut !== undefined) {
      this.counts[cut] += 1;
      this.#release(before);
      freed.push(before);
    } else if (before === undefined && fragment.ordinal > 1) {
      this.counts.gaps += 1;
    }
    const line = this.#held.get(key) ?? this.#begin(key, record, fragment);
    this.#append(line, fragment, record);
    if (!fragment.is_last && !this.#is_crowded) return freed;
    if (!fragment.is_last) this.counts.crowded += 1;
    else if (line.is_whole) this.counts.joined += 1;
    this.#release(line);
    return [...freed, line];
  }

  /** Why the fragment cannot go on the line; undefined if it can. */
  #cutBetween(line: HeldLine, { ordinal, log }: Fragment): 'gaps' | 'too_large' | undefined {
    if (ordinal !== line.next_ordinal) return 'gaps';
    return line.bytes + log.length > (this.#limits?.max_bytes ?? 0) ? 'too_large' : undefined;
  }

  get #is_crowded(): boolean {
    const { lines_max, fragments_max, bytes_max } = HELD_LIMITS;
    return (
      this.#held.size > lines_max || this.#fragments > fragments_max || this.#bytes > bytes_max
    );
  }

  #begin(key: string, record: JournalRecord, fragment: Fragment): HeldLine {
    const line = new HeldLine(key, record, fragment);
    this.#held.set(key, line);
    this.#bytes += line.held_bytes;
    return line;
  }

  #append(line: HeldLine, fragment: Fragment, { seq }: JournalRecord): void {
    line.append(fragment, seq);
    this.#fragments += 1;
    this.#bytes += fragment.log.length;
  }

  #release(line: HeldLine): void {
    this.#held.delete(line.key);
    this.#fragments -= line.places.length;
    this.#bytes -= line.held_bytes;
  }
}

/** One tag, one line: an event never leaves under another tag than its fragments came with. */
function keyOf({ tag }: JournalRecord, { line }: Fragment): string {
  return `${tag.toString('latin1')}\0${line}`;
}

/** Undefined for what has no fragments: compressed chunks are not looked into. */
function joinableBody({ codec, attrs, body }: JournalRecord): Buffer | undefined {
  if (codec !== CODEC.none || signalOf(attrs) !== 0) return undefined;
  const [first = Buffer.alloc(0)] = body;
  const whole = body.length <= 1 ? first : Buffer.concat(body);
  return mayHaveFragments(whole) ? whole : undefined;
}
