import type { Container } from './types.ts';

export interface FirstContact {
  readonly start_at: 'oldest' | 'newest';
  /** For a person. */
  readonly why: string;
}

/**
 * Where the log of a container that logboom does not know begins (DESIGN 7). Pure.
 *
 * @param alive_ms when logboom was last known to run
 * @param otherwise for one that was running then
 */
export function firstContact(
  { started_ms, created_ms, running }: Pick<Container, 'started_ms' | 'created_ms' | 'running'>,
  alive_ms: number,
  otherwise: 'oldest' | 'newest',
): FirstContact {
  if (started_ms === 0 && !running) return { start_at: 'oldest', why: 'it has not run yet' };
  // An Engine that does not tell when a container was started tells when it was created.
  const begun_ms = started_ms === 0 ? created_ms : started_ms;
  if (begun_ms > alive_ms) return { start_at: 'oldest', why: 'it started since logboom last ran' };
  const note = otherwise === 'newest' ? ', the default' : '';
  return { start_at: otherwise, why: `docker.start_at is ${otherwise}${note}` };
}
