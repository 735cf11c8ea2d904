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
  /** Wall clock of its first and last commit with events; 0 without one. */
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

/** Events that no readable record holds any more: those of the journal from one place up to another. */
export interface LostRange {
  /** `missing_segment`: no damage stands where they were, so the file is gone. */
  readonly reason: 'corrupt' | 'missing_segment';
  readonly events: number;
  /** Events of the journal before the first of them, and before the first one that is there again. */
  readonly from_events: number;
  readonly end_events: number;
  /** Of the record that is there again. */
  readonly end_seq: number;
}

/** Memory is bounded by this, however many tags there are. */
const TAGS_MAX = 10_000;

/** More places are counted only. */
const DAMAGE_MAX = 1000;
/** More ranges are joined. */
const LOST_MAX = 1000;

/**
 * Adds up a walk over the log (`inspectLog`), in memory that does not grow with it.
 *
 * Invariants:
 * - an event is in `events` once, and in exactly one segment and one tag
 * - `lost` is exact for damage that a readable record follows: every record says how many
 *   events came before it
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
  /** In the order of the log. */
  readonly lost: LostRange[] = [];
  /** False: damage that no readable record follows. */
  lost_is_exact = true;
  readonly #by_path = new Map<string, SegmentSurvey>();
  readonly #tags = new Map<string, TagSurvey>();
  readonly #other_tags: TagSurvey = newTag(undefined);
  /** Events before the next record, if nothing is lost; undefined: not known. */
  #expected_events: number | undefined;
  #damaged_since_record = false;

  /** @param segments those that are walked, or at least the first of them */
  constructor({ segments }: Pick<InspectedJournal, 'segments'>) {
    this.#expected_events = segments[0]?.header?.first.events_before;
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
        if (item.commit.records === 0) return; // of the journal's own, such as the one that opens it
        segment.committed_last_ms = item.commit.committed_ms;
        segment.committed_first_ms ||= item.commit.committed_ms;
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
    this.#addLoss(events_before, seq);
    this.lost_is_exact = true;
    this.end = {
      seq: seq + 1,
      events_before: events_before + count,
      bytes_before: record.bytes_before + body_bytes,
    };
    this.#expected_events = this.end.events_before;
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

  #addLoss(events_before: number, seq: number): void {
    const from_events = this.#expected_events ?? events_before;
    const reason = this.#damaged_since_record ? 'corrupt' : 'missing_segment';
    this.#damaged_since_record = false;
    const events = events_before - from_events;
    if (events <= 0) return;
    const range = { reason, events, from_events, end_events: events_before, end_seq: seq } as const;
    const last = this.lost.at(-1);
    if (this.lost.length < LOST_MAX || last?.reason !== reason) this.lost.push(range);
    else {
      const joined = { events: last.events + events, from_events: last.from_events };
      this.lost[this.lost.length - 1] = { ...range, ...joined };
    }
  }

  #addDamage(found: Corruption): void {
    if (found.is_tail) {
      this.tail = found;
      return;
    }
    this.damage_count += 1;
    this.damage_bytes += found.bytes;
    if (this.damage.length < DAMAGE_MAX) this.damage.push(found);
    if (found.what !== 'segment header') {
      this.lost_is_exact = false;
      this.#damaged_since_record = true;
    }
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
