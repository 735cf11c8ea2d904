/**
 * What every part logs through: pino's shape, so a pino logger fits as it is.
 * Never a line per event: anything that peers can cause at will goes through
 * a rate limit (`sys/rate-limited-log.ts`) or is counted only.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: Record<string, unknown>): Log;
}

/** A log that drops everything: for tests and for reading commands. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
