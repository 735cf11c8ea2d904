import { join } from 'node:path';
import { messageOf, systemCode } from '../../errors.ts';
import { CODEC } from '../../protocol/codec.ts';
import { EntryParts, readEntry } from '../../protocol/entries.ts';
import { INCOMPLETE } from '../../protocol/msgpack.ts';
import type { Clock } from '../../sys/clock.ts';
import { type File, type FileSystem, readFully, writeFully } from '../../sys/fs.ts';
import type { DropLedger } from '../../sys/ledger.ts';
import { type EventFormat, NdjsonFormat, NO_ADDITIONS } from '../render.ts';
import type { Piece } from './chunk.ts';
import { inflatePiece, isDivisible } from './pieces.ts';

/**
 * - `poison`: the upstream failed at it again and again, while it took others of its tag
 * - `max_age`: older than `retry.max_age`, and the upstream takes nothing
 * - `unreadable`: a compressed chunk that cannot be inflated, which has to be for this upstream
 */
export type DeadLetterReason = 'poison' | 'max_age' | 'unreadable';

export interface DeadLetterOptions {
  readonly dir: string;
  readonly max_bytes: number;
  readonly output_name: string;
}

/** Files are begun anew at this part of what the folder may hold, so that deleting the oldest loses little. */
const FILES_COUNT = 8;
const LEVELS_MAX = 512;
const SUFFIX = '.ndjson';
const NUMBER_DIGITS = 8;

/**
 * The folder for events that an upstream does not take. One line of JSON per event:
 *
 *     {"at":"2026-11-23T10:00:00.000Z","output":"main","reason":"poison","error":"...","seq":7,"index":0,
 *      "event":{"time":"...","tag":"app","record":{...}},"entry":"<base64 of the msgpack entry>"}
 *
 * What is no list of events has `payload` (base64, as stored) instead of `index` and `entry`.
 *
 * Invariants:
 * - `append` resolves once the lines are durable.
 * - The folder holds at most `max_bytes` of this output's files, or one append: the oldest
 *   file is deleted to make room, its events counted as `dead_letter_deleted`.
 */
export class DeadLetters {
  readonly #options: DeadLetterOptions;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #ledger: DropLedger;
  readonly #format: EventFormat = new NdjsonFormat(NO_ADDITIONS);
  /** Oldest first; undefined until the folder was looked at. */
  #files: { readonly number: number; bytes: number }[] | undefined;
  #last = Promise.resolve();

  constructor(options: DeadLetterOptions, fs: FileSystem, clock: Clock, ledger: DropLedger) {
    this.#options = options;
    this.#fs = fs;
    this.#clock = clock;
    this.#ledger = ledger;
  }

  /** Writes the events of `pieces` down for good. @throws system errors; nothing or all may then be in the file */
  append(pieces: readonly Piece[], reason: DeadLetterReason, error: string): Promise<void> {
    const write = this.#last.then(async () =>
      this.#write(await this.#lines(pieces, reason, error)),
    );
    this.#last = write.catch(() => {
      // The folder may be gone: it is looked at, and made, anew.
      this.#files = undefined;
    });
    return write;
  }

  async #lines(pieces: readonly Piece[], reason: DeadLetterReason, error: string): Promise<Buffer> {
    const { output_name } = this.#options;
    const at = new Date(this.#clock.now_ms()).toISOString();
    const head = JSON.stringify({ at, output: output_name, reason, error }).slice(0, -1);
    let text = '';
    for (const piece of pieces) {
      const readable = isDivisible(piece)
        ? await inflatePiece(piece).catch(() => undefined)
        : undefined;
      text +=
        readable === undefined ? this.#opaqueLine(head, piece) : this.#eventLines(head, readable);
    }
    return Buffer.from(text);
  }

  #eventLines(head: string, piece: Piece): string {
    const body = Buffer.concat(piece.body);
    const { seq, tag } = piece.record;
    const parts = new EntryParts();
    let text = '';
    let index = piece.first_event;
    for (let at = 0; at < body.length; index++) {
      const next = readEntry(body, at, body.length, LEVELS_MAX, parts);
      const end = next === INCOMPLETE ? body.length : next;
      const event =
        parts.valid && next !== INCOMPLETE
          ? `"event":${this.#format.event(tag, body, parts).trimEnd()},`
          : '';
      text += `${head},"seq":${seq},"index":${index},${event}"entry":"${body.toString('base64', at, end)}"}\n`;
      at = end;
    }
    return text;
  }

  #opaqueLine(head: string, { record, codec, attrs, body }: Piece): string {
    const { seq, tag } = record;
    const codec_name = codec === CODEC.none ? 'none' : codec === CODEC.gzip ? 'gzip' : 'zstd';
    const rest = {
      seq,
      tag: tag.toString(),
      codec: codec_name,
      attrs,
      payload: Buffer.concat(body).toString('base64'),
    };
    return `${head},${JSON.stringify(rest).slice(1)}\n`;
  }

  async #write(lines: Buffer): Promise<void> {
    const { dir, max_bytes } = this.#options;
    this.#files ??= await this.#look();
    const files = this.#files;
    let current = files.at(-1);
    if (current === undefined || current.bytes + lines.length > max_bytes / FILES_COUNT) {
      current = { number: (current?.number ?? 0) + 1, bytes: 0 };
      files.push(current);
    }
    await this.#makeRoom(files, lines.length);
    const file = await this.#fs.open(this.#path(current.number), 'edit_or_create');
    try {
      // A line that a crash or a full disk tore is ended, so that this one stands alone.
      const start = await endOfLines(file);
      await writeFully(file, [lines], start);
      await file.datasync();
      current.bytes = start + lines.length;
    } finally {
      await file.close();
    }
    await this.#fs.syncDirectory(dir);
  }

  async #look(): Promise<{ number: number; bytes: number }[]> {
    const { dir } = this.#options;
    await this.#fs.mkdir(dir);
    const numbers = (await this.#fs.readdir(dir)).map((name) => this.#numberOf(name));
    const known = numbers.filter((number) => number !== undefined).toSorted((a, b) => a - b);
    return Promise.all(
      known.map(async (number) => ({
        number,
        bytes: (await this.#fs.stat(this.#path(number))).bytes,
      })),
    );
  }

  async #makeRoom(files: { number: number; bytes: number }[], added_bytes: number): Promise<void> {
    let total_bytes = files.reduce((sum, file) => sum + file.bytes, added_bytes);
    while (total_bytes > this.#options.max_bytes && files.length > 1) {
      const [oldest] = files as [{ number: number; bytes: number }];
      const events = await this.#countLines(oldest.number);
      await this.#fs.unlink(this.#path(oldest.number)).catch(ignoreMissing);
      this.#ledger.count('dead_letter_deleted', this.#options.output_name, events);
      total_bytes -= oldest.bytes;
      files.shift();
    }
  }

  async #countLines(number: number): Promise<number> {
    const piece = Buffer.allocUnsafe(1024 * 1024);
    const file = await this.#fs.open(this.#path(number), 'read').catch(undefinedIfMissing);
    // Somebody has seen to it.
    if (file === undefined) return 0;
    try {
      let lines = 0;
      let position = 0;
      for (;;) {
        const bytes = await readFully(file, piece, position);
        for (let i = piece.indexOf(10); i >= 0 && i < bytes; i = piece.indexOf(10, i + 1)) lines++;
        if (bytes < piece.length) return lines;
        position += bytes;
      }
    } finally {
      await file.close();
    }
  }

  #path(number: number): string {
    const digits = String(number).padStart(NUMBER_DIGITS, '0');
    return join(this.#options.dir, `${this.#options.output_name}-${digits}${SUFFIX}`);
  }

  #numberOf(name: string): number | undefined {
    const prefix = `${this.#options.output_name}-`;
    if (!name.startsWith(prefix) || !name.endsWith(SUFFIX)) return undefined;
    const digits = name.slice(prefix.length, -SUFFIX.length);
    return /^\d+$/.test(digits) ? Number(digits) : undefined;
  }
}

/** Where the last whole line ends; what stands behind it was never acknowledged to anybody. */
async function endOfLines(file: File): Promise<number> {
  const { bytes } = await file.stat();
  const piece = Buffer.allocUnsafe(64 * 1024);
  for (let end = bytes; end > 0; ) {
    const start = Math.max(0, end - piece.length);
    const got = await readFully(file, piece.subarray(0, end - start), start);
    const newline = piece.subarray(0, got).lastIndexOf(10);
    if (newline >= 0) {
      const whole_bytes = start + newline + 1;
      if (whole_bytes < bytes) await file.truncate(whole_bytes);
      return whole_bytes;
    }
    end = start;
  }
  if (bytes > 0) await file.truncate(0);
  return 0;
}

function undefinedIfMissing(error: unknown): undefined {
  ignoreMissing(error);
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw new Error(messageOf(error), { cause: error });
}
