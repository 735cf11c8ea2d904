/** What a container writes; line-writer.awk tells the form of its lines. */
export interface LineWriter {
  /** On stdout. A writer that waits to be told goes on as long as the test needs, on slow machines too. */
  readonly lines: number | 'until told';
  /** Lines a second on stdout, about. */
  readonly rate: number;
  /** Between two bursts of lines; 10 if not given. */
  readonly burst_ms?: number;
  /** One line on stderr after so many on stdout; none if not given. */
  readonly stderr_every?: number;
  /** Behind each line on stdout, so many that are all alike. */
  readonly same_every?: number;
  readonly pad_bytes?: number;
  /** Each line holds bytes that are not UTF-8. */
  readonly bad_utf8?: boolean;
  /** Every so many lines on stdout, one is `long_bytes` long. */
  readonly long_every?: number;
  readonly long_bytes?: number;
  /** The pieces that Docker cuts a long line into are numbered, too. */
  readonly count_pieces?: boolean;
  /** A last line on stdout without its newline. */
  readonly tail?: boolean;
  /** How often the container is started; each run counts from 1 under a name of its own. */
  readonly runs?: number;
  /** How long the container stays alive after its last line. */
  readonly linger_s?: number;
}

/** dockerd cuts longer lines into pieces of so many bytes (formats.md 3.4). */
const PIECE_BYTES = 16_384;

/** More than a writer writes before it is told to stop. */
const ENDLESS = 1_000_000_000;

/** Files that a writer and the test share, as the container sees them. */
export interface WriterFiles {
  /** Always holds the number of the last line on stdout; `done` stands behind the last one. */
  readonly progress: string;
  /** Is there as soon as the writer is told to stop. */
  readonly stop: string;
}

/** The command that writes these lines inside a container. */
export function lineWriterCommand(
  name: string,
  writer: LineWriter,
  files: WriterFiles = { progress: '', stop: '' },
): string[] {
  const variables = {
    name,
    ...files,
    lines: writer.lines === 'until told' ? ENDLESS : writer.lines,
    rate: writer.rate,
    burst_ms: writer.burst_ms ?? 0,
    stderr_every: writer.stderr_every ?? 0,
    same_every: writer.same_every ?? 0,
    pad: writer.pad_bytes ?? 0,
    bad_utf8: Number(writer.bad_utf8 ?? false),
    long_every: writer.long_every ?? 0,
    long_bytes: writer.long_bytes ?? 0,
    count_pieces: Number(writer.count_pieces ?? false),
    tail: Number(writer.tail ?? false),
    runs: Number(writer.runs !== undefined),
    linger_s: writer.linger_s ?? 0,
  };
  const assignments = Object.entries(variables).flatMap(([key, value]) => [
    '-v',
    `${key}=${value}`,
  ]);
  return ['/bin/awk', ...assignments, '-f', '/line-writer.awk'];
}

/** All lines of a writer that wrote `lines` on stdout in each of its runs, by stream as the line counter knows it. */
export function linesWritten(name: string, writer: LineWriter, lines: number): Map<string, number> {
  const { stderr_every = 0, same_every = 0, runs } = writer;
  const names =
    runs === undefined ? [name] : Array.from({ length: runs }, (_, i) => `${name}.${i + 1}`);
  const written = new Map<string, number>();
  for (const one of names) {
    written.set(`${one} stdout`, lines + (writer.tail === true ? 1 : 0));
    if (same_every > 0) written.set(`${one} stdout same`, lines * same_every);
    if (stderr_every > 0) written.set(`${one} stderr`, Math.floor(lines / stderr_every));
    for (const [piece, count] of numberedPieces(writer, lines)) {
      written.set(`${one} stdout.${piece}`, count);
    }
  }
  return written;
}

/** For each piece of a long line behind the first, how many there are of it. */
function numberedPieces(writer: LineWriter, lines: number): [number, number][] {
  const { long_every = 0, long_bytes = 0, count_pieces = false } = writer;
  if (!count_pieces || long_every === 0) return [];
  const pieces = Math.ceil(long_bytes / PIECE_BYTES);
  return Array.from({ length: pieces - 1 }, (_, i) => [i + 2, Math.floor(lines / long_every)]);
}
