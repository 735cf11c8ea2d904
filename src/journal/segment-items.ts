/** What a SegmentParser takes and gives. */
import type { CommitFrame, Place, RecordHeader } from './format.ts';

/** A commit begins; its header is valid. */
export interface CommitItem {
  readonly type: 'commit';
  readonly offset: number;
  readonly frame: CommitFrame;
}

/** A record whose header is valid. */
export interface RecordItem {
  readonly type: 'record';
  readonly offset: number;
  readonly end_offset: number;
  readonly header: RecordHeader;
  readonly tag: Buffer;
  /** Empty if the parser was told to pass over it. */
  readonly body: Buffer;
  /** False: the body does not match its checksum. */
  readonly intact: boolean;
  /** Where an event record stands; for the others, where the next event record will. */
  readonly place: Place;
  readonly committed_ms: number;
}

/** A commit ends with a valid trailer. */
interface EndItem {
  readonly type: 'end';
  /** Where its header is, or should be. */
  readonly offset: number;
  readonly end_offset: number;
  /** Every record between is there and intact (its header may be damaged). */
  readonly whole: boolean;
}

/** Bytes that are not what should be there. */
export interface DamageItem {
  readonly type: 'damage';
  readonly from: number;
  readonly to: number;
  readonly what: string;
}

export type SegmentItem = CommitItem | RecordItem | EndItem | DamageItem;

/** starved: feed `wanted` first · done: the end of the segment, for now */
export type ParserPause = 'starved' | 'done';

/** Where a parser stands: enough for another one to go on from there. */
export interface ParserMark {
  readonly offset: number;
  readonly place: Place;
  readonly commit: Readonly<OpenCommit> | undefined;
}

export interface OpenCommit {
  readonly offset: number;
  /** Undefined when the header is damaged. */
  readonly frame: CommitFrame | undefined;
  readonly committed_ms: number;
  index: number;
  chain: number;
  intact: boolean;
}

export interface SegmentBounds {
  /** `segmentSeed()` of its journal id and first seq. */
  readonly seed: number;
  readonly first: Place;
  /** Bytes of the file that may be read. */
  readonly end_bytes: number;
  /** The first seq of the segment behind it: event records from there on were written again in that one. */
  readonly stop_seq: number;
}
