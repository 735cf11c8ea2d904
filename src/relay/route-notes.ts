import { join } from 'node:path';
import { messageOf, systemCode } from '../errors.ts';
import { type FileSystem, readFully, withFile, writeFully } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';
import type { RouteSpan, RouteSpans } from './routes.ts';

/**
 * Which routes were in force for what is in the journal, kept beside it in `routes.json`, so
 * that events whose route was narrowed over a restart are counted:
 *
 *     {"version":1,"journal_id":"HEX","outputs":{"NAME":[{"from_events":0,"match":"**"}]}}
 *
 * Without the file, or with one of another journal, such events are not known, and nothing else
 * is wrong: neither call rejects.
 */
export class RouteNotes {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #journal_id: string;
  readonly #log: Log;

  constructor(fs: FileSystem, directory: string, journal_id: Buffer, log: Log) {
    this.#fs = fs;
    this.#directory = directory;
    this.#journal_id = journal_id.toString('hex');
    this.#log = log;
  }

  async load(): Promise<RouteSpans> {
    try {
      const notes: unknown = JSON.parse(await this.#read());
      if (isNotes(notes) && notes.journal_id === this.#journal_id) {
        return new Map(Object.entries(notes.outputs));
      }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.#warn('cannot be read', error);
    }
    return new Map();
  }

  /** Durable when it resolves, if the disk allows. */
  async save(spans: RouteSpans): Promise<void> {
    const notes = {
      version: VERSION,
      journal_id: this.#journal_id,
      outputs: Object.fromEntries(spans),
    };
    const path = this.#path;
    try {
      const file = await this.#fs.open(`${path}.new`, 'create');
      try {
        await writeFully(file, [Buffer.from(`${JSON.stringify(notes)}\n`)], 0);
        await file.datasync();
      } finally {
        await file.close();
      }
      await this.#fs.rename(`${path}.new`, path);
      await this.#fs.syncDirectory(this.#directory);
    } catch (error) {
      this.#warn('cannot be written', error);
    }
  }

  get #path(): string {
    return join(this.#directory, 'routes.json');
  }

  async #read(): Promise<string> {
    const { bytes } = await this.#fs.stat(this.#path);
    const content = Buffer.alloc(Math.min(bytes, NOTES_MAX_BYTES));
    await withFile(this.#fs, this.#path, (file) => readFully(file, content, 0));
    return content.toString();
  }

  #warn(what: string, error: unknown): void {
    const fields = { path: this.#path, error: messageOf(error) };
    this.#log.warn(fields, `the routes of earlier events ${what}: some may not be counted`);
  }
}

const VERSION = 1;
const NOTES_MAX_BYTES = 16 * 1024 * 1024;

interface Notes {
  readonly journal_id: string;
  readonly outputs: Readonly<Record<string, readonly RouteSpan[]>>;
}

function isNotes(value: unknown): value is Notes {
  return (
    isObject(value) &&
    value['version'] === VERSION &&
    isObject(value['outputs']) &&
    Object.values(value['outputs']).every((spans) => Array.isArray(spans) && spans.every(isSpan))
  );
}

function isSpan(value: unknown): boolean {
  return (
    isObject(value) &&
    Number.isSafeInteger(value['from_events']) &&
    typeof value['match'] === 'string'
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
