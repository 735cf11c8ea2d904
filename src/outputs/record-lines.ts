import { messageOf } from '../errors.ts';
import type { JournalRecord } from '../journal/types.ts';
import { LIMITS } from '../limits.ts';
import { CODEC, signalOf } from '../protocol/codec.ts';
import { EntryParts, entryLevels, readEntry } from '../protocol/entries.ts';
import { EntryWalker } from '../protocol/entry-walker.ts';
import { inflate } from '../protocol/inflate.ts';
import type { EventFormat } from './render.ts';

/** Some lines of a record, in order, and how many events they show. */
export interface Lines {
  readonly text: Buffer;
  readonly events: number;
}

/** Entries are walked in pieces of this size, so that text in memory and pauses of the process stay small. */
const PIECE_BYTES = 128 * 1024;
const SIGNALS = ['logs', 'metrics', 'traces', 'blobs', 'profiles'];

/**
 * Renders a record's events, in order and in bounded memory. Nothing is left out:
 * what is no event, or cannot be inflated or read, becomes a line as `Opaque`.
 */
export async function* recordLines(
  record: JournalRecord,
  format: EventFormat,
): AsyncGenerator<Lines> {
  if (signalOf(record.attrs) !== 0) {
    yield opaqueLines(record, format, { signal: signalName(record.attrs) });
    return;
  }
  const lines = new LineGatherer(record.tag, format);
  try {
    for await (const chunk of contentOf(record)) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        lines.feed(chunk.subarray(at, at + PIECE_BYTES));
        if (lines.events > 0) yield lines.take();
      }
    }
    lines.end();
  } catch (error) {
    // Compressed payloads are kept unread, so only here it shows that one is broken.
    if (lines.events > 0) yield lines.take();
    yield opaqueLines(record, format, { unreadable: messageOf(error) });
  }
}

/** A record's entries end to end, inflated, cut anywhere. Rejects, or throws, at a codec or payload that cannot be read. */
export function contentOf({
  codec,
  body,
}: JournalRecord): AsyncIterable<Buffer> | readonly Buffer[] {
  if (codec === CODEC.none) return body;
  if (codec !== CODEC.gzip && codec !== CODEC.zstd) throw new Error(`unknown codec ${codec}`);
  return inflate(codec, piecesOf(body), LIMITS);
}

async function* piecesOf(body: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* body;
}

function opaqueLines(
  record: JournalRecord,
  format: EventFormat,
  why: { signal: string } | { unreadable: string },
): Lines {
  const codec = codecName(record.codec);
  const line = format.opaque(record.tag, { why, codec, payload: Buffer.concat(record.body) });
  return { text: Buffer.from(line), events: record.count };
}

function codecName(codec: number): 'gzip' | 'zstd' | undefined {
  if (codec === CODEC.gzip) return 'gzip';
  return codec === CODEC.zstd ? 'zstd' : undefined;
}

function signalName(attrs: number): string {
  const signal = signalOf(attrs);
  return SIGNALS[signal] ?? String(signal);
}

/** Turns entries that come in pieces, cut anywhere, into lines. */
class LineGatherer {
  readonly #tag: Buffer;
  readonly #format: EventFormat;
  readonly #parts = new EntryParts();
  readonly #walker = new EntryWalker(LIMITS, (buf, start, end) => this.#run(buf, start, end));
  #text = '';
  #events = 0;

  constructor(tag: Buffer, format: EventFormat) {
    this.#tag = tag;
    this.#format = format;
  }

  get events(): number {
    return this.#events;
  }

  feed(piece: Buffer): void {
    this.#walker.feed(piece);
  }

  end(): void {
    if (this.#walker.end() > 0) throw new Error('the payload ends within an event');
  }

  take(): Lines {
    const lines = { text: Buffer.from(this.#text), events: this.#events };
    this.#text = '';
    this.#events = 0;
    return lines;
  }

  #run(buf: Buffer, start: number, end: number): void {
    const levels = entryLevels(LIMITS);
    let next: number;
    for (let at = start; at < end; at = next) {
      next = readEntry(buf, at, end, levels, this.#parts);
      this.#text += this.#parts.valid
        ? this.#format.event(this.#tag, buf, this.#parts)
        : this.#invalid(buf.subarray(at, next));
      this.#events += 1;
    }
  }

  #invalid(payload: Buffer): string {
    return this.#format.opaque(this.#tag, {
      why: { invalid: 'entry' },
      codec: undefined,
      payload,
    });
  }
}
