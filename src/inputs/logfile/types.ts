/**
 * What the parts that read log files share: an entry, the place of one in a log,
 * and a reader that follows a log through its rotations.
 */

/** The output of a container that a line came from; also its index in arrays. */
export const SOURCE = { stdout: 0, stderr: 1 } as const;
export type Source = (typeof SOURCE)[keyof typeof SOURCE];

/** Whether an entry is a line, or a piece of one that was cut at 16 KiB (formats.md 3.4). */
export const PIECE = { whole: 0, part: 1, last: 2 } as const;
export type Piece = (typeof PIECE)[keyof typeof PIECE];

/**
 * One log entry as its file holds it. One object is reused for every entry: read it
 * before the next is parsed. `log` lies in `buf`, without its newline; `buf` is the
 * file's own bytes, or scratch memory where something had to be unescaped.
 */
export interface LogLine {
  source: Source;
  buf: Buffer;
  log_start: number;
  log_end: number;
  time_s: number;
  time_ns: number;
  piece: Piece;
  /** The 64 hex digits as stored; undefined where the format stores none. */
  partial_id: Buffer | undefined;
  /** From 1; 0 where the format stores none. */
  partial_ordinal: number;
  /** Bytes at the entry's beginning that are the rest of another, cut one; 0 nearly always. */
  torn_bytes: number;
}

/** A line to parse into. */
export function createLogLine(): LogLine {
  return {
    source: SOURCE.stdout,
    buf: Buffer.alloc(0),
    log_start: 0,
    log_end: 0,
    time_s: 0,
    time_ns: 0,
    piece: PIECE.whole,
    partial_id: undefined,
    partial_ordinal: 0,
    torn_bytes: 0,
  };
}

/** How a format parts a file's bytes into entries, and reads one. Pure; keeps nothing between calls. */
export interface LineFormat {
  readonly name: 'json-file' | 'local' | 'cri';
  /** End of the entry that begins at `start`, its newline or trailer included; -1: not whole yet. NaN: no entry can begin here. */
  entryEnd(buf: Buffer, start: number, end: number): number;
  /** Where reading can go on behind bytes that are no entry: the next possible beginning behind `start`, or `end`. */
  resync(buf: Buffer, start: number, end: number): number;
  /** False: these bytes are framed as an entry but are none (torn, NULs); `line` is then undefined in content. */
  parse(buf: Buffer, start: number, end: number, line: LogLine): boolean;
}

/**
 * A place between two entries of a log, whatever its files are called by now
 * (DESIGN 7). Two equal places are the same place.
 */
export interface LogPlace {
  /** Of the file's first entry: 48 bits of a hash. 0: a file that has none yet. */
  readonly fingerprint: number;
  /** Uncompressed bytes before the place. */
  readonly offset: number;
  /** CRC-32 of the entry before the place; 0 at offset 0. */
  readonly check: number;
}

/** `oldest`: the beginning of the oldest file there is; `newest`: the end of the live file. */
export type LogStart = LogPlace | 'oldest' | 'newest';

/** The files of one log. */
export interface LogFiles {
  readonly directory: string;
  /** Of the live file, such as `<id>-json.log` or `container-cached.log`. */
  readonly name: string;
  /** docker: `name.1[.gz]` is younger than `name.2[.gz]`; kubelet: `name.YYYYMMDD-HHMMSS[.gz]`. */
  readonly rotation: 'docker' | 'kubelet';
  readonly format: LineFormat;
}

/** Whole entries, in their order. The memory is the reader's, and valid until its next `read` or `rest`. */
export interface LogBatch {
  readonly buf: Buffer;
  readonly count: number;
  start(index: number): number;
  end(index: number): number;
  /** The place behind entry `index`. */
  placeAfter(index: number): LogPlace;
}

/** What was not where it should have been; each is told once, where it is found. */
export interface LogTrouble {
  readonly kind: /**
   * The place is in none of the files: what lay between it and the oldest file is gone.
   * Or, while following: between `file` and the one that is read now others may have
   * been rotated away; whether so can not be known.
   */
    | 'place_lost'
    /** The file is shorter than the place, or other bytes lie before it; reading goes on from an earlier place or from the file's beginning. */
    | 'rewound'
    /** Bytes that are no entry were passed over. */
    | 'torn'
    /** A file of the chain could not be read to its end. */
    | 'unreadable';
  readonly file: string;
  /** Where in the file, uncompressed: what was passed over, or where reading goes on. */
  readonly offset: number;
  /** `torn`: passed over. `rewound`: read again, at most. Else 0: nobody knows. */
  readonly bytes: number;
}

/** Follows one log from a place on. Not safe for concurrent calls. */
export interface LogReader {
  /** Behind the last entry that was read; bytes that are no entry do not move it. */
  readonly place: LogPlace;
  /** After `finish()`: everything was read, and `read` brings nothing more. */
  readonly ended: boolean;
  /**
   * The next entries, up to about `max_bytes`, from one file; undefined: nothing new for now.
   * An entry longer than `log_entry_max_bytes` is passed over as `torn`. Rejects when the
   * machine lacks something for now (descriptors, memory): read again later.
   */
  read(max_bytes: number): Promise<LogBatch | undefined>;
  /** At the cost of one look at the live file. True: `read` would bring nothing now. False: it may. */
  standsStill(): boolean;
  /** Lets the memory of the last batch go: it is not read on for a while. */
  rest(): void;
  /** Nothing will be written any more, such as after the container's removal: what is left is read, then `ended`. */
  finish(): void;
  /** Lets go of all files. */
  close(): Promise<void>;
}

export interface OpenLogOptions {
  readonly files: LogFiles;
  readonly from: LogStart;
  readonly onTrouble: (trouble: LogTrouble) => void;
}
