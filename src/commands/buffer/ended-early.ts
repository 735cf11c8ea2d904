import type { Host } from '../host.ts';

/** Whether somebody ended the walk before its end; then that is said on standard error. */
export function endedEarly(host: Pick<Host, 'stderr'>, signal: AbortSignal): boolean {
  if (signal.aborted) host.stderr.write('logboom: stopped early: what is behind is missing here\n');
  return signal.aborted;
}
