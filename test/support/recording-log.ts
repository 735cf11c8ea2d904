import type { Log } from '../../src/sys/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** Keeps what was logged, children's lines too, for tests that look at it. */
export class RecordingLog implements Log {
  readonly lines: LogLine[];
  readonly #bound: Record<string, unknown>;

  constructor(lines: LogLine[] = [], bound: Record<string, unknown> = {}) {
    this.lines = lines;
    this.#bound = bound;
  }

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message);
  }

  child(fields: Record<string, unknown>): Log {
    return new RecordingLog(this.lines, { ...this.#bound, ...fields });
  }

  /** The lines of one level, as `message {fields}`, easy to match. */
  said(level: LogLine['level']): string[] {
    return this.lines
      .filter((line) => line.level === level)
      .map((line) => `${line.message} ${JSON.stringify(line.fields)}`);
  }

  #keep(level: LogLine['level'], fields: object, message: string): void {
    this.lines.push({ level, fields: { ...this.#bound, ...fields }, message });
  }
}
