import type { Chunk } from './chunk.ts';

/** Failures of its own after which a chunk is split, or suspected as a single event: so many, */
const BLAMES_MIN_COUNT = 3;
/** and over so long, since a server that restarts a few times must not look like it. */
const SUSPECT_AFTER_MS = 10_000;
/** A suspect is convicted when it failed this often right after others of its tag had passed. */
const PROOFS_COUNT = 2;
/** A suspect that others pass is tried again after this, if none of its own tag does. */
const ASIDE_MS = 30_000;

/**
 * - `retry`: send it again, alone
 * - `split`: send it in halves, alone
 * - `set_aside`: let others pass for a while, then try again
 * - `dead_letter`: it is poison
 */
export type Verdict = 'retry' | 'split' | 'set_aside' | 'dead_letter';

interface Suspect {
  readonly chunk: Chunk;
  proofs_count: number;
  /** Another chunk of its tag was acked since it last failed. */
  tag_passed: boolean;
  /** Any other chunk was acked since it became a suspect. */
  others_passed: boolean;
  aside_until_ms: number;
}

/**
 * Finds the chunk that makes an upstream close the connection or never ack, without taking
 * an upstream that is broken for everybody for a poisoned chunk. Pure.
 *
 * - A failure is blamed on the oldest chunk in flight, and only if the connection was up and
 *   either had acked others or carried nothing else. Refused connections blame nobody.
 * - A blamed chunk is sent alone; after three blames over ten seconds in halves, down to one event.
 * - One event is a suspect. Others may overtake it, and only when it fails again right after
 *   others of its tag had passed, twice, is it poison. An upstream that closes every connection, or
 *   takes nothing of that tag (a full buffer behind it), never makes a dead letter.
 *
 * So a suspect that turns out to be good may arrive behind chunks that overtook it while it was aside.
 */
export class PoisonJudge {
  readonly #suspects = new Map<string, Suspect>();
  readonly #suspect_after_ms: number;

  constructor(suspect_after_ms = SUSPECT_AFTER_MS) {
    this.#suspect_after_ms = suspect_after_ms;
  }

  /** A failure that was the chunk's own, as far as can be told. */
  blame(chunk: Chunk, splittable: boolean, now_ms: number): Verdict {
    chunk.blames_count++;
    chunk.blamed_since_ms ??= now_ms;
    const for_long = now_ms - chunk.blamed_since_ms >= this.#suspect_after_ms;
    if (chunk.blames_count < BLAMES_MIN_COUNT || !for_long) return 'retry';
    if (splittable) return 'split';
    let suspect = this.#suspects.get(chunk.tag_key);
    if (suspect === undefined || suspect.chunk.state === 'settled') {
      suspect = {
        chunk,
        proofs_count: 0,
        tag_passed: false,
        others_passed: false,
        aside_until_ms: 0,
      };
      this.#suspects.set(chunk.tag_key, suspect);
    }
    if (suspect.chunk !== chunk) return 'retry';
    if (suspect.tag_passed) suspect.proofs_count++;
    suspect.tag_passed = false;
    suspect.aside_until_ms = now_ms + ASIDE_MS;
    return suspect.proofs_count < PROOFS_COUNT ? 'set_aside' : 'dead_letter';
  }

  /** Returns the suspect that has to be tried again now that another chunk of its tag has passed. */
  acked(chunk: Chunk): Chunk | undefined {
    if (this.#suspects.size === 0) return undefined;
    for (const other of this.#suspects.values()) other.others_passed ||= other.chunk !== chunk;
    const suspect = this.#suspects.get(chunk.tag_key);
    if (suspect === undefined) return undefined;
    if (suspect.chunk === chunk) {
      this.forget(chunk);
      return undefined;
    }
    suspect.tag_passed = true;
    return suspect.chunk;
  }

  /** The chunk is settled in another way. */
  forget(chunk: Chunk): void {
    if (this.#suspects.get(chunk.tag_key)?.chunk === chunk) this.#suspects.delete(chunk.tag_key);
  }

  /** Suspects that have been aside for long enough. */
  due(now_ms: number): Chunk[] {
    const due = [...this.#suspects.values()].filter((suspect) => suspect.aside_until_ms <= now_ms);
    return due.map((suspect) => suspect.chunk);
  }

  /** Suspects beside which nothing was acked: the upstream may be broken for everybody. */
  unproven(): Chunk[] {
    const unproven = [...this.#suspects.values()].filter((suspect) => !suspect.others_passed);
    return unproven.map((suspect) => suspect.chunk);
  }
}

/** The parts of a chunk that failed often enough: one more failure of theirs and they are split again. */
export function inheritBlame(part: Chunk): void {
  part.alone = true;
  part.blames_count = BLAMES_MIN_COUNT - 1;
  part.blamed_since_ms = Number.NEGATIVE_INFINITY;
}
