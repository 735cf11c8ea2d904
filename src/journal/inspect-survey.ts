import type { Place } from './format.ts';
import type { FoundSegment } from './found-segments.ts';
import type { Corruption, Inspected, InspectedJournal } from './inspect.ts';
import type { JournalRecord } from './types.ts';

/** What a walk over the log says of one segment file. */
export interface SegmentSurvey {
  readonly path: string;
  /** Of the file, when the walk began. */
  readonly bytes: number;
  readonly first_seq: number;
  /** The seq behind its last readable record. */
  end_seq: number;
  commits: number;
  records: number;
  events: number;
  /** Of its events, in seconds since 1970; 0 and 0 when none carries a time. */
  time_min_s: number;
  time_max_s: number;
  /** Wall clock of its first and last commit; 0 without one. */
  committed_first_ms: number;
  committed_last_ms: number;
  damaged_places: number;
}

export interface TagSurvey {
  /** Undefined: all tags beyond the first `tags_max`, together. */
  readonly tag: Buffer | undefined;
  events: number;
  body_bytes: number;
  time_max_s: number;
}

/** Memory is bounded by this, however many tags there are. */
const TAGS_MAX = 10_000;

/** More places are counted only. */
const DAMAGE_MAX = 1000;

/**
 * Adds up a walk over the log (`inspectLog`), in memory that does not grow with it.
 *
 * Invariants:
 * - an event is in `events` once, and in exactly one segment and one tag
 * - `lost_events` is exact for damage that a readable record follows: every record says
 *   how many events came before it
 */
export class Survey {
  readonly segments: readonly SegmentSurvey[];
  /** The first of them; see `damage_count`. */
  readonly damage: Corruption[] = [];
  damage_count = 0;
  damage_bytes = 0;
  /** The last commit is not whole. */
  tail: Corruption | undefined;
  /** Behind the last readable record; undefined: there is none. */
  end: Place | undefined;
  events = 0;
  lost_events = 0;
  /** False: damage that no readable record follows. */
  lost_is_exact = true;
  readonly #by_path = new Map<string, SegmentSurvey>();
  readonly #tags = new Map<string, TagSurvey>();
  readonly #other_tags: TagSurvey = newTag(undefined);

  constructor({ segments }: Pick<InspectedJournal, 'segments'>) {
    this.segments = segments.map(newSegment);
    for (const segment of this.segments) this.#by_path.set(segment.path, segment);
  }

  /** By bytes, the largest first. */
  tags(): TagSurvey[] {
    const named = [...this.#tags.values()].toSorted((a, b) => b.body_bytes - a.body_bytes);
    return this.#other_tags.events === 0 ? named : [...named, this.#other_tags];
  }

  add(item: Inspected): void {
    switch (item.type) {
      case 'commit': {
        const segment = this.#by_path.get(item.path);
        if (segment === undefined) return; // created after the list was made
        segment.commits += 1;
        segment.committed_last_ms = item.commit.committed_ms;
        if (segment.commits === 1) segment.committed_first_ms = item.commit.committed_ms;
        return;
      }
      case 'record':
        this.#addRecord(item.path, item.record);
        return;
      case 'corruption':
        this.#addDamage(item.corruption);
        return;
      case 'state':
    }
  }

  #addRecord(path: string, record: JournalRecord): void {
    const { seq, count, body_bytes, events_before, time_min_s, time_max_s } = record;
    this.lost_events += Math.max(0, events_before - (this.end?.events_before ?? events_before));
    this.lost_is_exact = true;
    this.end = {
      seq: seq + 1,
      events_before: events_before + count,
      bytes_before: record.bytes_before + body_bytes,
    };
    this.events += count;
    const tag = this.#tagOf(record.tag);
    tag.events += count;
    tag.body_bytes += body_bytes;
    tag.time_max_s = Math.max(tag.time_max_s, time_max_s);
    const segment = this.#by_path.get(path);
    if (segment === undefined) return;
    segment.records += 1;
    segment.events += count;
    segment.end_seq = seq + 1;
    if (time_max_s === 0) return;
    segment.time_min_s =
      segment.time_max_s === 0 ? time_min_s : Math.min(segment.time_min_s, time_min_s);
    segment.time_max_s = Math.max(segment.time_max_s, time_max_s);
  }

  #addDamage(found: Corruption): void {
    if (found.is_tail) {
      this.tail = found;
      return;
    }
    this.damage_count += 1;
    this.damage_bytes += found.bytes;
    if (this.damage.length < DAMAGE_MAX) this.damage.push(found);
    if (found.what !== 'segment header') this.lost_is_exact = false;
    const segment = this.#by_path.get(found.path);
    if (segment !== undefined) segment.damaged_places += 1;
  }

  #tagOf(tag: Buffer): TagSurvey {
    const key = tag.toString('latin1');
    const known = this.#tags.get(key);
    if (known !== undefined) return known;
    if (this.#tags.size >= TAGS_MAX) return this.#other_tags;
    // A copy: the tag is a slice of a large read.
    const added = newTag(Buffer.from(tag));
    this.#tags.set(key, added);
    return added;
  }
}

function newTag(tag: Buffer | undefined): TagSurvey {
  return { tag, events: 0, body_bytes: 0, time_max_s: 0 };
}

function newSegment({ path, bytes, first_seq }: FoundSegment): SegmentSurvey {
  return {
    path,
    bytes,
    first_seq,
    end_seq: first_seq,
    commits: 0,
    records: 0,
    events: 0,
    time_min_s: 0,
    time_max_s: 0,
    committed_first_ms: 0,
    committed_last_ms: 0,
    damaged_places: 0,
  };
}
