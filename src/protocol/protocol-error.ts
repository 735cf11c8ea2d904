import { LogboomError } from '../errors.ts';

/** Bytes that are no Forward message. Says what was expected and what was found. */
export function syntaxError(expected: string, found: string): LogboomError {
  return new LogboomError('LB_PROTOCOL_SYNTAX', `expected ${expected}, found ${found}`);
}

/** A size beyond a limit, with the arithmetic that shows it. */
export function limitError(what: string, arithmetic: string, limit: string): LogboomError {
  return new LogboomError('LB_PROTOCOL_LIMIT', `${what}: ${arithmetic} (${limit})`);
}

export function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
