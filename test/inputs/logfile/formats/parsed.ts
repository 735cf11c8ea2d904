import {
  createLogLine,
  type LineFormat,
  type LogLine,
  PIECE,
  type Piece,
  SOURCE,
} from '../../../../src/inputs/logfile/types.ts';

/** A line as a test looks at it. */
export interface Parsed {
  readonly source: 'stdout' | 'stderr';
  readonly log: Buffer;
  readonly time_s: number;
  readonly time_ns: number;
  readonly piece: 'whole' | 'part' | 'last';
  readonly partial_id: string | undefined;
  readonly partial_ordinal: number;
  readonly torn_bytes: number;
}

const PIECES: Readonly<Record<Piece, Parsed['piece']>> = {
  [PIECE.whole]: 'whole',
  [PIECE.part]: 'part',
  [PIECE.last]: 'last',
};

export function shown(line: LogLine): Parsed {
  const { time_s, time_ns, partial_ordinal, torn_bytes } = line;
  return {
    source: line.source === SOURCE.stdout ? 'stdout' : 'stderr',
    log: Buffer.from(line.buf.subarray(line.log_start, line.log_end)),
    time_s,
    time_ns,
    piece: PIECES[line.piece],
    partial_id: line.partial_id?.toString(),
    partial_ordinal,
    torn_bytes,
  };
}

/** Parses one whole entry that lies between other bytes; undefined: it is none. */
export function parse(format: LineFormat, entry: Buffer | string): Parsed | undefined {
  const bytes = Buffer.from(entry);
  const buf = Buffer.concat([Buffer.from('before'), bytes, bytes]);
  const line = createLogLine();
  const found = format.parse(buf, 6, 6 + bytes.length, line);
  return found ? shown(line) : undefined;
}

/** All entries of a file, and the bytes that make none, as a reader goes through it. */
export function entriesOf(format: LineFormat, file: Buffer): { entries: string[]; rest: string } {
  const entries: string[] = [];
  let at = 0;
  while (at < file.length) {
    const end = format.entryEnd(file, at, file.length);
    if (end === -1) break;
    if (Number.isNaN(end)) {
      at = format.resync(file, at, file.length);
      continue;
    }
    entries.push(file.toString('latin1', at, end));
    at = end;
  }
  return { entries, rest: file.toString('latin1', at) };
}
