import { pino } from 'pino';
import type { Log } from './log.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto`: `pretty` on a terminal, else `json`. */
  readonly format: 'auto' | 'json' | 'pretty';
  readonly terminal: boolean;
  /** Where lines go; 2 is standard error. */
  readonly fd: number;
}

export interface OpenLog {
  readonly log: Log;
  /**
   * Resolves when every line is written, or when nobody read them for a while. Nothing can
   * be logged afterwards; closes `fd` unless it is a standard stream.
   */
  readonly close: () => Promise<void>;
  /** For a process that ends now: writes what it can without waiting. A line under way may come behind later ones. */
  readonly flushNow: () => void;
}

/** Of lines whose reader stands still this much is kept; then lines are dropped, never events. */
const BACKLOG_MAX_BYTES = 1024 * 1024;

const CLOSE_TIMEOUT_MS = 1_000;

/** Keys whose values never reach the log, at the top or one level down. */
const SECRETS = ['shared_key', 'password', 'token'];

/**
 * A log behind pino: one JSON object a line, or text for people. Lines leave
 * without blocking the relay.
 */
export async function openLog({ level, format, terminal, fd }: LogOptions): Promise<OpenLog> {
  const destination = pino.destination({ fd, sync: false, maxLength: BACKLOG_MAX_BYTES });
  // A reader of standard error that is gone is no reason to stop.
  destination.on('error', () => {});
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const prettify = pretty ? await prettifier(terminal) : undefined;
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS.flatMap((key) => [key, `*.${key}`]), censor: '(hidden)' },
    },
    prettify === undefined
      ? destination
      : { write: (line: string) => destination.write(prettify(line)) },
  );
  return { log, close: () => closed(destination), flushNow: () => destination.flushSync() };
}

function closed(destination: ReturnType<typeof pino.destination>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    destination.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    destination.end();
  });
}

/** Loaded only where people read along. */
async function prettifier(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l' });
}
