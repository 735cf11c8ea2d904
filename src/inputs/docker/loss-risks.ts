import { goBoolean } from './identity/identity.ts';
import { ramSize } from './option-sizes.ts';
import type { Container } from './types.ts';

/** Of the driver, when it is told nothing, and when it is told 0 (formats.md 2.2, 3.1). */
const DEFAULT_QUEUE = 1_048_576;
const LIBRARY_QUEUE = 8192;

/**
 * What a container's log options are likely to lose before any relay or file sees it, which
 * nobody can observe; for a person, a sentence each. A queue as large as the driver's own is
 * not among them: it outlasts all but a long outage, and `logboom doctor` has a note. Pure.
 */
export function lossRisks({
  log_driver,
  log_options,
}: Pick<Container, 'log_driver' | 'log_options'>): string[] {
  const risks: string[] = [];
  if (log_driver === 'fluentd' && isAsync(log_options)) {
    const limit = ramSize(log_options['fluentd-buffer-limit']) ?? DEFAULT_QUEUE;
    const queue = limit === 0 ? LIBRARY_QUEUE : limit;
    if (queue < DEFAULT_QUEUE) {
      risks.push(
        `fluentd-async=true: lines beyond ${queue} queued ones (fluentd-buffer-limit) are rejected by the driver and reach neither relay nor cache`,
      );
    }
  }
  if (log_options['mode'] === 'non-blocking') {
    const size = log_options['max-buffer-size'] ?? '1m';
    risks.push(
      `mode=non-blocking: lines that find the ring before the driver full (max-buffer-size=${size}) are dropped by Docker, which counts none`,
    );
  }
  return risks;
}

/** The second name is that of older Engines. */
function isAsync(log_options: Container['log_options']): boolean {
  return goBoolean(log_options['fluentd-async'] ?? log_options['fluentd-async-connect']);
}
