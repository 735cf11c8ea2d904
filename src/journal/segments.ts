import { join } from 'node:path';
import type { Log } from '../sys/log.ts';
import { type Place, SEGMENT_HEADER_BYTES, segmentSeed } from './format.ts';
import { type ReadableFile, SalvagedFile } from './salvaged-file.ts';
import type { ParserMark, SegmentBounds } from './segment-items.ts';

const NAME_DIGITS = 16;
const NAME = /^(\d{16})\.seg$/;
/** A segment that is being created; renamed once it is durable. */
export const UNFINISHED_SUFFIX = '.seg.new';

/** Entry points are kept this far apart, so their number does not follow the number of commits. */
const MARK_SPACING_BYTES = 1024 * 1024;

export const segmentName = (first_seq: number): string =>
  `${String(first_seq).padStart(NAME_DIGITS, '0')}.seg`;

/** The first seq that a file name tells; undefined if it is not a segment's. */
export function seqOfSegmentName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** What is known of one segment file. */
export class Segment {
  readonly path: string;
  readonly first: Place;
  readonly seed: number;
  /** Of the file: no event in it is older. */
  readonly #created_ms: number;
  #first_event_ms: number | undefined;
  /** Blocks of it cannot be read, for good as it seems: see SalvagedFile. */
  has_bad_blocks = false;
  /** How far it may be read: what is durable, or the whole file if it was found at open. */
  end_bytes: number;
  /** Places to begin reading at, ascending. */
  readonly #marks: ParserMark[] = [];

  constructor(
    directory: string,
    journal_id: Buffer,
    first: Place,
    created_ms: number,
    end_bytes: number,
  ) {
    this.path = join(directory, segmentName(first.seq));
    this.first = first;
    this.#created_ms = created_ms;
    this.seed = segmentSeed(journal_id, first.seq);
    this.end_bytes = end_bytes;
  }

  /** When its first event was committed; as long as that is not known, when the file was created. */
  get oldest_ms(): number {
    return this.#first_event_ms ?? this.#created_ms;
  }

  /** A commit with events is in it. Called for the first one first. */
  holdsEventsOf(committed_ms: number): void {
    this.#first_event_ms ??= committed_ms;
  }

  /** The file as it is to be read. */
  readable(file: ReadableFile, log: Log): ReadableFile {
    return this.has_bad_blocks ? new SalvagedFile(file, this.path, log) : file;
  }

  /** Remembers an entry point, unless another one is near. */
  mark(mark: ParserMark | undefined): void {
    if (mark === undefined) return;
    const at = this.#marksUpTo(mark.place.seq);
    const before_offset = this.#marks[at - 1]?.offset ?? SEGMENT_HEADER_BYTES;
    const behind_offset = this.#marks[at]?.offset ?? Number.POSITIVE_INFINITY;
    if (mark.offset - before_offset < MARK_SPACING_BYTES) return;
    if (behind_offset - mark.offset < MARK_SPACING_BYTES) return;
    this.#marks.splice(at, 0, mark);
  }

  /** The entry point closest before `seq`; undefined: its beginning. */
  markBefore(seq: number): ParserMark | undefined {
    return this.#marks[this.#marksUpTo(seq) - 1];
  }

  /** The first known place with at least so many bytes before it. */
  placeFrom(bytes_before: number): Place | undefined {
    if (this.first.bytes_before >= bytes_before) return this.first;
    return this.#marks.find((mark) => mark.place.bytes_before >= bytes_before)?.place;
  }

  /** How many marks are at or before `seq`. */
  #marksUpTo(seq: number): number {
    let low = 0;
    let high = this.#marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // middle < length, so the mark exists.
      if ((this.#marks[middle] as ParserMark).place.seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * The segments, oldest first.
 *
 * Invariants: their first seqs ascend; only the last one is written to; a
 * segment has been left for the next one only after its last commit was durable.
 */
export class SegmentList {
  #segments: Segment[];

  constructor(segments: Segment[]) {
    this.#segments = segments;
  }

  get count(): number {
    return this.#segments.length;
  }

  get oldest(): Segment | undefined {
    return this.#segments[0];
  }

  get second(): Segment | undefined {
    return this.#segments[1];
  }

  get bytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.end_bytes;
    return bytes;
  }

  all(): readonly Segment[] {
    return this.#segments;
  }

  /** A new last segment. One that holds no event record yet has the same name and was replaced by it. */
  add(segment: Segment): void {
    const last = this.#segments.at(-1);
    if (last?.first.seq === segment.first.seq) this.#segments.pop();
    this.#segments.push(segment);
  }

  removeOldest(): void {
    this.#segments = this.#segments.slice(1);
  }

  /** The segment that holds `seq`, or the first one behind it. */
  find(seq: number): Segment | undefined {
    return this.#segments.findLast((segment) => segment.first.seq <= seq) ?? this.#segments[0];
  }

  after(segment: Segment): Segment | undefined {
    return this.#segments.find((other) => other.first.seq > segment.first.seq);
  }

  bounds(segment: Segment): SegmentBounds {
    return {
      seed: segment.seed,
      first: segment.first,
      end_bytes: segment.end_bytes,
      stop_seq: this.after(segment)?.first.seq ?? Number.POSITIVE_INFINITY,
    };
  }
}
