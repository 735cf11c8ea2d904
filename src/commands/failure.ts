import { LogboomError, systemCode } from '../errors.ts';
import { EXIT, type ExitCode } from './host.ts';

/** 2 when the person who started it can set it right on the command line or in the configuration, else 1. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof LogboomError)) return EXIT.failure;
  return error.code === 'LB_CONFIG' || error.code === 'LB_USAGE' ? EXIT.usage : EXIT.failure;
}

/**
 * An error for a person, as one block with a newline at the end: what, where, and
 * what to do. Only what nobody expected comes with its stack.
 */
export function renderFailure(error: unknown): string {
  if (error instanceof LogboomError) return renderKnown(error);
  if (!(error instanceof Error)) return `logboom: ${String(error)}\n`;
  if (systemCode(error) !== undefined) return `logboom: ${error.message}\n`;
  return `logboom: unexpected error, which is a mistake in logboom itself\n${error.stack ?? error.message}\n`;
}

function renderKnown({ code, message, where, hint, cause }: LogboomError): string {
  const lines = [`logboom: ${message}`];
  if (where !== undefined) lines.push(`  at: ${where}`);
  if (cause instanceof Error && !message.includes(cause.message)) {
    lines.push(`  because: ${cause.message}`);
  }
  if (hint !== undefined) lines.push(`  ${hint}`);
  lines.push(`  (${code})`);
  return `${lines.join('\n')}\n`;
}
