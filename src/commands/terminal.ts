import type { Writable } from 'node:stream';
import { colourPaint, type Paint, plainPaint } from '../status/text/style.ts';
import type { Host } from './host.ts';

type Terminal = Writable & { readonly columns?: number };

/** Columns that standard output has; as many as one likes where it is no terminal, or does not say. */
export function columnsOf({
  stdout,
  stdout_is_terminal,
}: Pick<Host, 'stdout' | 'stdout_is_terminal'>): number {
  const { columns = 0 }: Terminal = stdout;
  return stdout_is_terminal && columns > 0 ? columns : Number.POSITIVE_INFINITY;
}

/** Whether standard output understands more than text. */
export function canDraw({ stdout_is_terminal, env }: Host): boolean {
  return stdout_is_terminal && env['TERM'] !== 'dumb';
}

/** Colours for a person who can see them: see https://no-color.org. */
export function paintOf(host: Host): Paint {
  return canDraw(host) && (host.env['NO_COLOR'] ?? '') === '' ? colourPaint : plainPaint;
}
