import { LogboomError } from '../../errors.ts';

/**
 * For state whose bytes are whole, the journal's checksums say so, but not of this version:
 * a rollback went too far. Nothing is guessed, since a place that is lost doubles or loses lines.
 */
export function newerVersion(what: string, found: number, known: number): LogboomError {
  return new LogboomError('LB_JOURNAL_VERSION', `${what} has version ${found}, known is ${known}`, {
    hint: 'Open this journal with the newer logboom that wrote it.',
  });
}
